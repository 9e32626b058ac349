// Decides the keyboard: keys of every page here; a page adds its own with data-key="x" on the link or button that the key presses.
import { toggleLive } from "./live.js";
import { at } from "./requests.js";
import { nextDensity, switchSidebar } from "./preferences.js";

const PLACES = { h: "", d: "dags", r: "dag_runs", t: "timeline", a: "assets" };
const ACTIONS = { ".": toggleLive, d: nextDensity, "[": switchSidebar, "?": showKeys, "/": focusFilter, j: () => move(1), k: () => move(-1), o: open };
let waitsForPlace = 0;

// Only to what the sidebar leads to: there the person may go.
function go(place) {
  document.querySelector(`.side a[href="${CSS.escape(at(place))}"]`)?.click();
}

// What the element of a key is called; a title that tells the key besides need not do so on the sheet.
function nameOf(element) {
  const title = element.title.replace(/(^|; )\S key\b/, "").replace(/ \( \S \)/, "");
  return element.getAttribute("aria-label") || title || element.textContent.trim();
}

function line(key, name) {
  const [place, term, sign, words] = ["div", "dt", "kbd", "dd"].map((tag) => document.createElement(tag));
  sign.textContent = key;
  words.textContent = name;
  term.append(sign);
  place.append(term, words);
  return place;
}

// The sheet tells the keys of what is on the page now, and of the general ones those that the page does not take for itself.
function showKeys() {
  const sheet = document.getElementById("keys");
  if (!sheet) return;
  const own = new Map();
  for (const element of document.querySelectorAll("main [data-key]")) if (!own.has(element.dataset.key)) own.set(element.dataset.key, nameOf(element));
  const place = sheet.querySelector("[data-own-keys]");
  place.hidden = !own.size;
  place.querySelector("dl").replaceChildren(...[...own].map(([key, name]) => line(key, name)));
  for (const general of sheet.querySelectorAll("[data-general]")) general.hidden = own.has(general.dataset.general);
  sheet.showModal();
}

function focusFilter() {
  document.querySelector('main input[type="search"]')?.focus();
}

function rows() {
  return [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("a[href]"));
}

// The row with the focus, or the one that was gone to: a list that is loaded again loses the mark, but not the focus.
function placeIn(all) {
  const focused = all.findIndex((row) => row.contains(document.activeElement));
  return focused >= 0 ? focused : all.findIndex((row) => row.classList.contains("at"));
}

function move(step) {
  const all = rows();
  const next = all[Math.max(0, Math.min(all.length - 1, placeIn(all) + step))];
  if (!next) return;
  all.forEach((row) => row.classList.toggle("at", row === next));
  next.querySelector("th a, a")?.focus();
}

function open() {
  const all = rows();
  all[placeIn(all)]?.querySelector("th a, a")?.click();
}

export function isTyping(target) {
  return target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
}

function onKey(event) {
  // The drawer leaves the page usable, so the browser does not close it by itself.
  if (event.key === "Escape" && !document.querySelector("dialog:modal")) document.getElementById("drawer")?.close();
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog:modal")) return;
  if (Date.now() < waitsForPlace && event.key in PLACES) return go(PLACES[event.key]);
  waitsForPlace = event.key === "g" ? Date.now() + 1200 : 0;
  const own = document.querySelector(`main [data-key="${CSS.escape(event.key)}"]`);
  const act = own ? () => own.click() : ACTIONS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

export function startKeys() {
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-show-keys]")) return;
    event.preventDefault();
    showKeys();
  });
}
