// Decides what a press on the picture of all indexes opens, and what is said of the cell under the pointer.
export function mount(svg) {
  const { size, columns, first, total, base } = svg.dataset;
  const cell = 8;
  const at = (event) => {
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    const column = Math.floor(((event.clientX - box.left) * scale) / cell);
    const row = Math.floor(((event.clientY - box.top) * scale) / cell);
    return Number(first) + (row * Number(columns) + column) * Number(size);
  };
  const sign = svg.closest("[id]").querySelector("[data-heat-at]");
  const usual = sign?.textContent;
  const isThere = (event) => event.target.matches("path") && at(event) < Number(first) + Number(total);
  svg.addEventListener("click", (event) => isThere(event) && location.assign(base + at(event)));
  svg.addEventListener("mousemove", (event) => {
    if (sign) sign.textContent = isThere(event) ? `Index ${at(event)}${size > 1 ? ` to ${at(event) + Number(size) - 1}` : ""}` : usual;
  });
  svg.addEventListener("mouseleave", () => sign && (sign.textContent = usual));
}
