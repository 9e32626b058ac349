// Decides how a log is read on its page: which lines are there, what the controls and keys do, and how new lines come.
import { startFind } from "./log_find.js";
import { Lines } from "./log_lines.js";
import { startLook } from "./log_look.js";
import { notice } from "./requests.js";

const SOON = 1000;
const LATER = 5000;
const SAY_EVERY = 5000;
// A very long log is looked through in parts, so that no request takes long; after so many a person says whether to go on.
const MOST_PARTS = 12;

function follow(viewer, lines, button) {
  let added = 0;
  let saidAt = 0;
  const say = viewer.querySelector("[data-say]");
  const set = (on) => button.setAttribute("aria-pressed", String(on));
  const isOn = () => button.getAttribute("aria-pressed") === "true";
  button.addEventListener("click", async () => {
    set(!isOn());
    if (isOn()) {
      if (!lines.isAtEnd) await lines.tail();
      lines.toBottom();
    }
  });
  // Whoever scrolls up reads; whoever comes back to the end follows again while the try runs.
  lines.pane.addEventListener("wheel", (event) => event.deltaY < 0 && set(false), { passive: true });
  lines.pane.addEventListener("scroll", () => lines.isLive && lines.isAtEnd && lines.isAtBottom && set(true), { passive: true });

  async function loop() {
    while (lines.isLive && viewer.isConnected) {
      await new Promise((wake) => setTimeout(wake, document.hidden ? LATER : SOON));
      if (document.hidden || !lines.isAtEnd) continue;
      try {
        added += await lines.later();
        if (isOn()) lines.toBottom();
      } catch {
        await new Promise((wake) => setTimeout(wake, LATER));
      }
      if (added && Date.now() - saidAt > SAY_EVERY) {
        say.textContent = isOn() ? "" : `${added} new line${added > 1 ? "s" : ""} at the end`;
        saidAt = Date.now();
        added = 0;
      }
    }
  }
  loop();
  return { stop: () => set(false), isOn };
}

async function nextError(lines, state, say) {
  let answer = await lines.ask({ fragment: "error", position: state.from });
  const share = () => `${Math.round((100 * answer.scanned) / Math.max(1, answer.size))} %`;
  for (let part = 1; part < MOST_PARTS && !answer.positions.length && !answer.complete; part += 1) {
    say.textContent = `Looking for an error: ${share()} of the log`;
    answer = await lines.ask({ fragment: "error", position: answer.scanned });
  }
  say.textContent = "";
  const [position] = answer.positions;
  if (position === undefined) {
    const more = answer.complete ? "" : ` in the first ${share()}; press again to look on`;
    notice(state.from && answer.complete ? "No further error: the next press begins at the top." : `No error in the log${more}.`);
    state.from = answer.complete ? 0 : answer.scanned;
    return;
  }
  state.from = position + 1;
  await lines.go(position);
}

function copy(lines) {
  const selected = String(document.getSelection());
  const text = selected || lines.shown().map((line) => line.innerText.replace(/\n+/g, " ").trim()).join("\n");
  navigator.clipboard.writeText(text).then(
    () => notice(selected ? "The selection is copied." : "The lines that are shown are copied."),
    () => notice("The browser does not let pages copy here: select the lines and press Ctrl C.", "error"),
  );
}

function fullScreen(viewer, button) {
  const set = (on) => {
    viewer.classList.toggle("full", on);
    button.setAttribute("aria-pressed", String(on));
  };
  button.addEventListener("click", () => set(!viewer.classList.contains("full")));
  const leave = (event) => {
    if (!viewer.isConnected) return document.removeEventListener("keydown", leave);
    if (event.key === "Escape" && viewer.classList.contains("full")) set(false);
  };
  document.addEventListener("keydown", leave);
}

// The page stays with the try that it shows; of a newer one it tells.
function tellOfNewTry(viewer) {
  const tell = (event) => {
    if (!viewer.isConnected) return document.removeEventListener("live:changes", tell);
    const shown = Number(viewer.dataset.try);
    const newer = event.detail.changes.find((change) => change.key === viewer.dataset.of && change.tryNumber > shown && change.state === "running");
    if (!newer || !shown) return;
    const link = document.createElement("a");
    link.href = `?try=${newer.tryNumber}`;
    link.textContent = `Try ${newer.tryNumber} has begun: show its log`;
    viewer.querySelector("[data-say]").replaceChildren(link);
  };
  document.addEventListener("live:changes", tell);
}

// The link of a line stays on the page: it marks the line and puts its address into the clipboard and, of a page, into the address bar.
function linkTo(lines, link) {
  const address = new URL(link.getAttribute("href"), new URL(lines.url, location.href)).href;
  if (!link.closest("dialog")) history.replaceState(history.state, "", address);
  lines.mark(link.closest("li"));
  navigator.clipboard?.writeText(address).then(() => notice("The link to the line is copied."), () => {});
}

export function mount(viewer) {
  const get = (name) => viewer.querySelector(`[data-${name}]`);
  const lines = new Lines(viewer);
  startLook(viewer, lines);
  const following = follow(viewer, lines, get("follow"));
  const find = startFind(viewer, lines, following);
  const errors = { from: 0 };
  const away = (act) => async () => {
    following.stop();
    await act();
  };
  get("first-error").addEventListener("click", away(() => nextError(lines, errors, get("say"))));
  get("top").addEventListener("click", away(() => lines.toTop()));
  get("bottom").addEventListener("click", async () => {
    if (!lines.isAtEnd) await lines.tail();
    lines.toBottom();
  });
  get("copy").addEventListener("click", () => copy(lines));
  fullScreen(viewer, get("full"));
  tellOfNewTry(viewer);
  viewer.addEventListener("click", (event) => {
    const link = event.target.closest("a.n");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    following.stop();
    linkTo(lines, link);
  });
  const go = (event) => {
    if (!viewer.isConnected) return document.removeEventListener("click", go);
    const link = event.target.closest("[data-go]");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    following.stop();
    lines.go(Number(link.dataset.go));
  };
  document.addEventListener("click", go);
  if (location.hash === "#error") away(() => nextError(lines, errors, get("say")))();
  else if (viewer.dataset.at || location.hash.startsWith("#B")) lines.go(Number(viewer.dataset.at || location.hash.slice(2)));
  else lines.toBottom();
  if (get("find").value) find();
  viewer.dataset.ready = "yes";
}
