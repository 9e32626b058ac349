// Decides the search box over everything (Ctrl-K): it asks /search and moves through the answers by keyboard.
import { noteThisPage, recentOptions } from "./recent.js";
import { getText } from "./requests.js";

const WAIT = 120;

function start(dialog) {
  const input = dialog.querySelector("input");
  const results = dialog.querySelector('[role="listbox"]');
  let timer = 0;
  let asked = 0;

  async function ask() {
    const number = ++asked;
    const html = await getText(`${dialog.dataset.url}?q=${encodeURIComponent(input.value)}&from=${encodeURIComponent(location.pathname)}`, { "HX-Request": "true", "X-Palette": "1" });
    if (number !== asked) return;
    results.innerHTML = html;
    if (!input.value.trim()) results.prepend(...recentOptions());
    choose(0);
  }
  function options() {
    return [...results.querySelectorAll('[role="option"]')];
  }
  function choose(index) {
    options().forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    const chosen = options()[index];
    input.setAttribute("aria-activedescendant", chosen?.id ?? "");
    chosen?.scrollIntoView({ block: "nearest" });
  }
  function onKey(event) {
    const all = options();
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") choose(Math.min(all.length - 1, at + 1));
    else if (event.key === "ArrowUp") choose(Math.max(0, at - 1));
    else if (event.key === "Enter") all[at]?.click();
    else return;
    event.preventDefault();
  }
  // A form opens in the dialog, which must not lie below this one.
  results.addEventListener("click", (event) => event.target.closest("[data-dialog]") && dialog.close());
  input.addEventListener("keydown", onKey);
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });
  return () => {
    dialog.showModal();
    input.select();
    ask();
  };
}

export function startPalette() {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const open = start(dialog);
  noteThisPage();
  document.addEventListener("click", (event) => event.target.closest("[data-palette]") && open());
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    dialog.open ? dialog.close() : open();
  });
}
