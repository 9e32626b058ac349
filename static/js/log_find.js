// Decides how a log is searched: over the lines that are here at once, over the whole file by the server where it is longer.
const WAIT = 250;
const MOST_PARTS = 12;
const MOST_MATCHES = 500;

function expression(text, isRegex) {
  return new RegExp(isRegex ? text : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu");
}

// The places in a line where it matches, as ranges to be highlighted; without changing the line.
function rangesOf(line, pattern) {
  const ranges = [];
  const walker = document.createTreeWalker(line.querySelector(".text") ?? line, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const found of node.data.matchAll(pattern)) {
      if (!found[0]) continue;
      const range = document.createRange();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      ranges.push(range);
    }
  }
  return ranges;
}

export function startFind(viewer, lines, following) {
  const get = (name) => viewer.querySelector(`[data-${name}]`);
  const [input, sign, previous, next, regex] = ["find", "found", "previous", "next", "regex"].map(get);
  const state = { positions: [], at: -1, note: "", pattern: null };
  let timer = 0;

  const local = () => lines.items().filter((line) => state.pattern && !line.classList.contains("out") && rangesOf(line, state.pattern).length).map((line) => Number(line.id.slice(1)));

  function paint() {
    if (!window.Highlight) return;
    CSS.highlights.delete("found");
    CSS.highlights.delete("present");
    if (!state.pattern) return;
    const present = state.positions[state.at];
    const all = lines.items().map((line) => [Number(line.id.slice(1)), rangesOf(line, state.pattern)]);
    CSS.highlights.set("found", new Highlight(...all.flatMap(([, ranges]) => ranges)));
    CSS.highlights.set("present", new Highlight(...all.filter(([position]) => position === present).flatMap(([, ranges]) => ranges)));
    CSS.highlights.get("present").priority = 1;
  }

  function say() {
    const { positions, at, note, pattern } = state;
    sign.textContent = !pattern ? note : positions.length ? `${at + 1} of ${positions.length}${note}` : `nothing${note}`;
    previous.hidden = next.hidden = !positions.length;
  }

  async function look() {
    const text = input.value;
    Object.assign(state, { positions: [], at: -1, note: "", pattern: null });
    try {
      state.pattern = text ? expression(text, regex.getAttribute("aria-pressed") === "true") : null;
    } catch {
      state.note = "not a regular expression";
    }
    if (state.pattern) await collect(text);
    // The newest match at or after what is in sight: people look for what they have before their eyes.
    if (state.positions.length) await show(state.positions.length - 1, false);
    paint();
    say();
  }

  async function collect(text) {
    state.positions = local();
    if (lines.isWhole) return;
    if (regex.getAttribute("aria-pressed") === "true") {
      state.note = " in the lines here";
      return;
    }
    let answer = await lines.ask({ fragment: "find", q: text });
    for (let part = 1; part < MOST_PARTS && !answer.complete && answer.positions.length < MOST_MATCHES && text === input.value; part += 1) {
      sign.textContent = `${answer.positions.length} in ${Math.round((100 * answer.scanned) / Math.max(1, answer.size))} %`;
      const next = await lines.ask({ fragment: "find", q: text, position: answer.scanned });
      answer = { ...next, positions: [...answer.positions, ...next.positions] };
    }
    if (text !== input.value) return;
    state.positions = [...new Set([...answer.positions, ...state.positions])].sort((a, b) => a - b);
    if (!answer.complete) state.note = answer.positions.length >= MOST_MATCHES ? "+" : ` in the first ${Math.round((100 * answer.scanned) / Math.max(1, answer.size))} % and the lines here`;
  }

  async function show(at, load = true) {
    if (!state.positions.length) return;
    state.at = (at + state.positions.length) % state.positions.length;
    const position = state.positions[state.at];
    if (load || document.getElementById(`B${position}`)) {
      following.stop();
      await lines.go(position);
    }
    paint();
    say();
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, WAIT);
  });
  input.addEventListener("keydown", async (event) => {
    if (event.key === "Escape") {
      input.value = "";
      look();
    }
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (state.pattern) show(state.at + (event.shiftKey ? -1 : 1));
    else look();
  });
  previous.addEventListener("click", () => show(state.at - 1));
  next.addEventListener("click", () => show(state.at + 1));
  regex.addEventListener("click", () => {
    regex.setAttribute("aria-pressed", String(regex.getAttribute("aria-pressed") !== "true"));
    get("regex-sent").disabled = regex.getAttribute("aria-pressed") !== "true";
    look();
  });
  // The search of all tries takes along what was chosen here; all levels are no choice.
  get("find-form").addEventListener("formdata", ({ formData }) => {
    if (!viewer.querySelector("[data-level]:not(:checked)")) formData.delete("level");
  });
  lines.onChange(() => {
    if (!state.pattern) return;
    if (lines.isWhole) {
      const present = state.positions[state.at];
      state.positions = local();
      state.at = Math.max(0, state.positions.indexOf(present));
    }
    paint();
    say();
  });
  return look;
}
