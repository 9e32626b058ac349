// Decides what runs on every page: it starts the parts, and loads the module that an element names when the element appears.
import { startDialogs } from "./dialogs.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startPalette } from "./palette.js";
import { startPreferences } from "./preferences.js";
import { startTimes } from "./times.js";

// <div data-module="log"> loads ./log.js and calls its mount(element), once for each element, also after a swap.
const mounted = new WeakSet();
export function mountAll(root = document) {
  for (const element of root.querySelectorAll("[data-module]")) {
    if (mounted.has(element)) continue;
    mounted.add(element);
    import(`./${element.dataset.module}.js`).then((module) => module.mount(element));
  }
}

startPreferences();
startDialogs();
startTimes();
startKeys();
startPalette();
startLive();
mountAll();
document.addEventListener("htmx:load", (event) => mountAll(event.target.parentElement ?? document));
document.addEventListener("content", (event) => mountAll(event.target));
