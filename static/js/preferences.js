// Decides how the switches of the shell (theme, sidebar, density) act at once and are kept on the server.
import { at, post } from "./requests.js";

const root = document.documentElement;

export function choose(name, value) {
  root.dataset[name] = value;
  post(at("settings/preferences"), { [name]: value });
}

function isDark() {
  return root.dataset.theme === "system" ? matchMedia("(prefers-color-scheme: dark)").matches : root.dataset.theme === "dark";
}

export function nextDensity() {
  const all = ["normal", "compact", "cosy"];
  choose("density", all[(all.indexOf(root.dataset.density) + 1) % all.length]);
}

export function switchSidebar() {
  choose("sidebar", root.dataset.sidebar === "closed" ? "open" : "closed");
}

export function startPreferences() {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-switch]")) choose("theme", isDark() ? "light" : "dark");
    if (event.target.closest("[data-sidebar-switch]")) switchSidebar();
    if (event.target.closest("[data-menu-switch]")) root.toggleAttribute("data-menu");
  });
}
