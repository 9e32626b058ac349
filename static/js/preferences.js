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
    // On a phone all pages are behind More; a touch beside them closes them.
    const isSwitch = event.target.closest("[data-menu-switch]");
    if (isSwitch || (root.hasAttribute("data-menu") && !event.target.closest(".side"))) showMenu(isSwitch && !root.hasAttribute("data-menu"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && root.hasAttribute("data-menu")) showMenu(false).focus();
  });
}

function showMenu(isOpen) {
  root.toggleAttribute("data-menu", Boolean(isOpen));
  const button = document.querySelector("[data-menu-switch]");
  button.setAttribute("aria-expanded", String(Boolean(isOpen)));
  if (isOpen) document.querySelector(".side a").focus();
  return button;
}
