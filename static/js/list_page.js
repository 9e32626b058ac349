// Decides how a list behaves while somebody chooses rows: it is not loaded anew under his hands, and it says how many he chose.
const chosen = () => [...document.querySelectorAll('input[name="selected"]:checked')];

export function mount(list) {
  for (const moment of ["htmx:beforeRequest", "htmx:beforeSwap"]) {
    list.addEventListener(moment, (event) => {
      if (event.detail.elt === list && chosen().length) event.preventDefault();
    });
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches('input[name="selected"], [data-select-all]')) say();
  });
  say();
}

function say() {
  const number = chosen().length;
  for (const place of document.querySelectorAll("[data-chosen-number]")) place.textContent = number;
  for (const all of document.querySelectorAll("[data-select-all]")) {
    const boxes = all.closest("table").querySelectorAll('input[name="selected"]').length;
    all.checked = number > 0 && number === boxes;
    all.indeterminate = number > 0 && number < boxes;
  }
}
