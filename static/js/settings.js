// Decides what the settings do at once: a chosen look is seen before it is saved, and the zone of this browser is offered.
import { choose } from "./preferences.js";

export function mount(form) {
  form.addEventListener("change", (event) => {
    const { name, value } = event.target;
    if (["theme", "colours", "density", "sidebar"].includes(name)) choose(name, value);
  });
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const button = form.querySelector("[data-own-zone]");
  if (!button || !own) return;
  button.textContent = `Use ${own}, the zone of this browser`;
  button.hidden = form.elements.timezone.value === own;
  button.addEventListener("click", () => {
    form.elements.timezone.value = own;
    form.requestSubmit();
  });
}
