// Decides what a press on the picture of all indexes opens, and what is said of the cell under the pointer.
const CELL = 8;

export function mount(svg) {
  // Read at each use: the picture stays while what it shows is loaded again.
  const told = (name) => Number(svg.dataset[name]);
  const at = (event) => {
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    const column = Math.floor(((event.clientX - box.left) * scale) / CELL);
    const row = Math.floor(((event.clientY - box.top) * scale) / CELL);
    return told("first") + (row * told("columns") + column) * told("size");
  };
  const sign = () => svg.closest("[id]").querySelector("[data-heat-at]");
  let usual = null;
  const say = (text) => sign() && (sign().textContent = text);
  const isThere = (event) => event.target.matches("path") && at(event) < told("first") + told("total");
  const name = (first) => `Index ${first}${told("size") > 1 ? ` to ${first + told("size") - 1}` : ""}`;
  svg.addEventListener("click", (event) => isThere(event) && location.assign(svg.dataset.base + at(event)));
  svg.addEventListener("mousemove", (event) => {
    usual ??= sign()?.textContent;
    say(isThere(event) ? name(at(event)) : usual);
  });
  svg.addEventListener("mouseleave", () => {
    if (usual !== null) say(usual);
    usual = null;
  });
}
