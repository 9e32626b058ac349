// Decides what the boxes of a form that acts do: one ticks all below it, and the form says how many are left.
export function mount(form) {
  form.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-tick-all]")) {
      for (const one of box.closest(".tickable").querySelectorAll('input[type="checkbox"]')) one.checked = box.checked;
    }
    if (box.matches('[name="row"], [data-tick-all]')) say(form);
  });
  form.addEventListener("htmx:afterSwap", () => say(form));
}

function say(form) {
  const rows = [...form.querySelectorAll('[name="row"]')];
  const chosen = rows.filter((row) => row.checked).length;
  for (const all of form.querySelectorAll("[data-tick-all]")) {
    const below = [...all.closest(".tickable").querySelectorAll('[name="row"]')];
    const ticked = below.filter((row) => row.checked).length;
    all.checked = ticked === below.length;
    all.indeterminate = ticked > 0 && ticked < below.length;
  }
  const place = form.querySelector("[data-chosen]");
  if (place) place.textContent = chosen === rows.length ? "" : ` ${chosen} of ${rows.length} are chosen.`;
}
