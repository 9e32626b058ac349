// Decides how an open page stays true: one short question for changes while the tab is visible, and what changes is put in place.
//
// <section data-live="run:etl/manual__1" hx-get="" hx-select="#tasks" hx-trigger="live" hx-swap="morph:outerHTML" id="tasks">
// is loaded again when its topic changes. What no change tells of (heartbeats, the progress of an order) is loaded every so many
// seconds instead: data-live-every="10". The switch in the header stops both, and so does a hidden tab.
// [data-state-of] and [data-dot-of] of a task instance change at once. Modules listen to
// "live:changes" on the document: detail.changes is a list of {dag, run, task, mapIndex, tryNumber, state, key}.
import { at } from "./requests.js";

const STALE_AFTER = 10_000;
const REFRESH_EVERY = 900;
const LATER = 5_000;
// state -> (glyph, family); as in orchestrator/templatetags/shown.py, which a test compares.
export const STATES = {
  success: ["✓", "ok"], failed: ["✕", "failed"], upstream_failed: ["↑", "failed-outline"], running: ["▶", "running"],
  restarting: ["↻", "running-outline"], up_for_retry: ["↻", "retry"], queued: ["…", "waiting"], scheduled: ["◷", "waiting-outline"],
  skipped: ["»", "waiting-tint"], removed: ["⌀", "waiting-tint"], deferred: ["‖", "deferred"],
  up_for_reschedule: ["↺", "deferred-outline"], awaiting_input: ["!", "input"], none: ["○", "none"],
};
let version = document.body.dataset.liveVersion ?? "";
let isOn = true;
let answeredAt = Date.now();
let timer = 0;
const seen = new Set();
const due = new Map();
const startedAt = Date.now();
// element -> when it was loaded last; an attribute would be taken away by the answer.
const loadedAt = new WeakMap();

function topics() {
  return new Set([...document.querySelectorAll("[data-live]")].flatMap((element) => element.dataset.live.split(" ")));
}

function sign(word, kind) {
  const place = document.querySelector("[data-live-word]");
  if (!place || place.textContent === word) return;
  place.textContent = word;
  place.parentElement.dataset.kind = kind;
}

async function ask() {
  const asked = [...topics()];
  const query = new URLSearchParams(version ? [["since", version]] : []);
  asked.forEach((topic) => query.append("topic", topic));
  const answer = await fetch(`${at("live")}?${query}`, { headers: { "X-Requested-With": "fetch" } });
  if (answer.redirected || !answer.ok) throw new Error(answer.status);
  const news = answer.status === 200 ? await answer.json() : null;
  answeredAt = Date.now();
  if (!isOn) return LATER; // Switched off meanwhile: what is new is asked for again when it is on.
  sign("live", "on");
  version = answer.headers.get("Live-Version");
  if (news) take(news);
  return Number(answer.headers.get("Live-Next")) * 1000;
}

// Returns those that are not known yet.
function unseen(items, keyOf) {
  const fresh = items.filter((item) => !seen.has(keyOf(item)));
  fresh.forEach((item) => seen.add(keyOf(item)));
  return fresh;
}

function take(news) {
  const fresh = unseen(news.changes, ([id]) => id);
  const marks = unseen(news.marks, (mark) => mark.join());
  if (seen.size > 20_000) seen.clear();
  const changes = fresh.map(([, dag, run, runKey, task, mapIndex, tryNumber, state]) => ({ dag, run, task, mapIndex, tryNumber, state, key: `${runKey}:${task}:${mapIndex}` }));
  changes.filter((change) => change.task).forEach(show);
  document.dispatchEvent(new CustomEvent("live:changes", { detail: { changes, complete: news.complete } }));
  refresh(news.complete ? new Set([...(changes.length ? news.topics : []), ...marks.map(([topic]) => topic)]) : topics());
}

function show(change) {
  const [glyph, family] = STATES[change.state ?? "none"] ?? STATES.none;
  const word = (change.state ?? "no state").replaceAll("_", " ");
  for (const chip of document.querySelectorAll(`[data-state-of="${CSS.escape(change.key)}"]`)) {
    chip.className = `state ${family}`;
    chip.innerHTML = `<span aria-hidden="true">${glyph}</span> `;
    chip.append(word);
  }
  for (const dot of document.querySelectorAll(`[data-dot-of="${CSS.escape(change.key)}"]`)) {
    dot.className = `dot ${family}`;
    dot.textContent = glyph;
    dot.title = dot.dataset.label ? `${word}, ${dot.dataset.label}` : word;
    dot.setAttribute("aria-label", dot.title);
  }
}

// Loads parts whose topic changed; at most one a second each, however much happens.
function refresh(changed) {
  for (const element of document.querySelectorAll("[data-live]")) {
    if (!element.dataset.live.split(" ").some((topic) => changed.has(topic)) || due.has(element)) continue;
    const wait = Math.max(0, REFRESH_EVERY - (Date.now() - (loadedAt.get(element) ?? 0)));
    due.set(element, setTimeout(() => {
      due.delete(element);
      load(element);
    }, wait));
  }
}

function load(element) {
  loadedAt.set(element, Date.now());
  if (element.isConnected) window.htmx?.trigger(element, "live");
}

// Loads what is due by time; returns in how many milliseconds the next one is.
function loadByTime() {
  let next = LATER;
  for (const element of document.querySelectorAll("[data-live-every]")) {
    const wait = element.dataset.liveEvery * 1000 - (Date.now() - (loadedAt.get(element) ?? startedAt));
    if (wait <= 0) load(element);
    next = Math.min(next, wait > 0 ? wait : element.dataset.liveEvery * 1000);
  }
  return next;
}

async function loop() {
  clearTimeout(timer);
  let wait = LATER;
  if (isOn && !document.hidden) wait = loadByTime();
  if (isOn && !document.hidden && topics().size) {
    try {
      wait = Math.min(wait, await ask());
    } catch {
      if (isOn && Date.now() - answeredAt > STALE_AFTER) sign(`stale ${Math.round((Date.now() - answeredAt) / 1000)} s`, "stale");
    }
  }
  timer = setTimeout(loop, wait);
}

export function toggleLive() {
  isOn = !isOn;
  document.querySelector("[data-live-switch]")?.setAttribute("aria-pressed", String(isOn));
  sign(isOn ? "live" : "paused", isOn ? "on" : "off");
  if (isOn) loop();
}

// What a person has open or types in stays so when the part around it is loaded again.
function keepWhatIsOpen() {
  const morphing = window.Idiomorph?.defaults;
  if (!morphing) return;
  morphing.ignoreActiveValue = true;
  morphing.callbacks.beforeAttributeUpdated = (name, element) => name !== "open" || !element.matches("details");
}

export function startLive() {
  keepWhatIsOpen();
  document.addEventListener("visibilitychange", () => document.hidden || loop());
  document.addEventListener("click", (event) => event.target.closest("[data-live-switch]") && toggleLive());
  loop();
}
