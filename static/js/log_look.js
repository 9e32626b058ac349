// Decides how lines look: levels, loggers, times, wrapping, the source, and groups that open and close.
const LEVELS = ["debug", "info", "warning", "error", "critical"];

function toggle(button, act) {
  const set = (on) => {
    button.setAttribute("aria-pressed", String(on));
    act(on);
  };
  button.addEventListener("click", () => set(button.getAttribute("aria-pressed") !== "true"));
}

// The choice of levels is in the address, so that a link shows the same.
function remember(viewer, name, values) {
  if (viewer.closest("dialog")) return; // there the address is another page's
  const url = new URL(location.href);
  url.searchParams.delete(name);
  values.forEach((value) => url.searchParams.append(name, value));
  history.replaceState(history.state, "", url);
}

function filters(viewer, lines) {
  const boxes = [...viewer.querySelectorAll("[data-level]")];
  const logger = viewer.querySelector("[data-logger]");
  const hiddenSign = viewer.querySelector("[data-levels-hidden]");
  const apply = () => {
    const on = new Set(boxes.filter((box) => box.checked).map((box) => box.dataset.level));
    hiddenSign.textContent = on.size < boxes.length ? ` ${on.size} of ${boxes.length}` : "";
    for (const line of lines.items()) {
      const level = LEVELS.find((name) => line.classList.contains(name));
      line.classList.toggle("out", !on.has(level) || (logger.value !== "" && line.dataset.logger !== logger.value));
    }
  };
  boxes.forEach((box) => box.addEventListener("change", () => {
    const on = boxes.filter((other) => other.checked).map((other) => other.dataset.level);
    remember(viewer, "level", on.length < boxes.length ? on : []);
    apply();
  }));
  logger.addEventListener("change", apply);
  lines.onChange((items) => {
    const known = new Set([...logger.options].map((option) => option.value));
    for (const name of new Set(items.map((line) => line.dataset.logger))) if (name && !known.has(name)) logger.add(new Option(name, name));
    apply();
  });
}

function signed(seconds) {
  if (seconds < 60) return `+${seconds.toFixed(3)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `+${minutes} m ${(seconds % 60).toFixed(1)} s` : `+${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}

function times(viewer, lines) {
  const choice = viewer.querySelector("[data-times]");
  const list = viewer.querySelector(".log");
  const show = (items) => {
    list.classList.toggle("no-times", choice.value === "off");
    let before = null;
    let first = null;
    for (const line of items) {
      const time = line.querySelector("time");
      const at = Date.parse(time?.dateTime);
      if (Number.isNaN(at)) continue;
      time.dataset.clock ??= time.textContent;
      first ??= at;
      const since = choice.value === "start" ? at - first : at - (before ?? at);
      time.textContent = choice.value === "clock" || choice.value === "off" ? time.dataset.clock : signed(Math.max(0, since / 1000));
      before = at;
    }
  };
  choice.addEventListener("change", () => show(lines.items()));
  viewer.querySelector("[data-next-times]").addEventListener("click", () => {
    choice.selectedIndex = (choice.selectedIndex + 1) % choice.options.length;
    show(lines.items());
  });
  lines.onChange((items) => choice.value !== "clock" && show(items));
  list.addEventListener("mouseover", (event) => {
    if (event.target.matches("time[datetime]:not([title])")) event.target.title = event.target.dateTime;
  });
}

// Lines between "::group::" and its end belong to it; groups may lie in groups, and one that has an error is open.
function groups(viewer, lines) {
  const list = viewer.querySelector(".log");
  const isOpen = new Map();
  const members = new Map();
  const heads = new Map();
  const show = () => {
    for (const [line, inside] of members) {
      const hide = inside.some((head) => !isOpen.get(head.id));
      if (line.hidden !== hide) line.hidden = hide;
    }
    for (const [head, held] of heads) {
      head.classList.toggle("closed", !isOpen.get(head.id));
      head.querySelector(".text").setAttribute("aria-expanded", String(Boolean(isOpen.get(head.id))));
      held.sign.textContent = isOpen.get(head.id) ? "" : ` (${held.count} line${held.count === 1 ? "" : "s"})`;
    }
  };
  const collect = (items) => {
    const open = [];
    members.clear();
    for (const line of items) {
      if (line.classList.contains("end")) open.pop();
      else if (open.length) {
        members.set(line, [...open]);
        open.forEach((head) => (heads.get(head).count += 1));
        if (line.matches(".error, .critical")) open.forEach((head) => isOpen.has(head.id) || isOpen.set(head.id, true));
      }
      if (line.classList.contains("group")) {
        open.push(line);
        heads.set(line, { count: 0, sign: heads.get(line)?.sign ?? signOf(line) });
      }
    }
    for (const head of heads.keys()) if (!head.isConnected) heads.delete(head);
    show();
  };
  const flip = (head) => {
    isOpen.set(head.id, !isOpen.get(head.id));
    show();
  };
  list.addEventListener("click", (event) => {
    const head = event.target.closest(".group .text");
    if (head) flip(head.closest("li"));
  });
  list.addEventListener("keydown", (event) => {
    if (event.target.matches(".group .text") && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      flip(event.target.closest("li"));
    }
  });
  list.addEventListener("log:reveal", (event) => {
    (members.get(event.target) ?? []).forEach((head) => isOpen.set(head.id, true));
    show();
  });
  toggle(viewer.querySelector("[data-fold]"), (on) => {
    for (const head of heads.keys()) isOpen.set(head.id, on);
    show();
  });
  lines.onChange(collect);
}

function signOf(head) {
  const text = head.querySelector(".text");
  text.setAttribute("role", "button");
  text.tabIndex = 0;
  const sign = document.createElement("span");
  sign.className = "held";
  text.append(sign);
  return sign;
}

export function startLook(viewer, lines) {
  const list = viewer.querySelector(".log");
  filters(viewer, lines);
  times(viewer, lines);
  groups(viewer, lines);
  toggle(viewer.querySelector("[data-wrap]"), (on) => list.classList.toggle("wrap", on));
  toggle(viewer.querySelector("[data-source]"), (on) => list.classList.toggle("sources", on));
}
