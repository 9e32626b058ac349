// Decides which part of a drawing is seen: pan, zoom, fit, and the small map of the whole.
import { make } from "./draw.js";

const LEAST = 0.05;
const MOST = 2.5;
const READABLE = 0.5;
const MAP = { width: 176, height: 112 };

export class Stage {
  constructor(svg, map) {
    this.svg = svg;
    this.map = map;
    this.world = make("g", { class: "world" });
    this.svg.append(this.world);
    this.view = { x: 0, y: 0, k: 1 };
    this.size = { width: 1, height: 1 };
    this.pointers = new Map();
    svg.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.onDown(event));
    svg.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, (event) => this.onUp(event));
    svg.addEventListener("dragstart", (event) => event.preventDefault());
    // What ends a drag is no click on the node below.
    svg.addEventListener("click", (event) => this.moved > 4 && (event.preventDefault(), event.stopPropagation()), { capture: true });
    map.addEventListener("pointerdown", (event) => this.onMap(event));
    map.addEventListener("pointermove", (event) => event.buttons && this.onMap(event));
    new ResizeObserver(() => this.apply()).observe(svg);
  }

  get frame() {
    return { width: this.svg.clientWidth || 1, height: this.svg.clientHeight || 1 };
  }

  show(size, layers) {
    this.size = size;
    this.world.replaceChildren(...layers);
  }

  apply() {
    const { x, y, k } = this.view;
    this.world.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
    this.svg.dataset.far = String(k < 0.4);
    this.applyMap();
  }

  // Everything, or, where that would be too small to read, the part around one node in a size that can be read.
  fit(box = null, whole = false) {
    const { width, height } = this.frame;
    const k = Math.min(1, width / (this.size.width + 24), height / (this.size.height + 24));
    if (whole || k >= READABLE || !box) {
      const kept = whole || !box ? k : Math.max(k, LEAST);
      this.view = { k: kept, x: (width - this.size.width * kept) / 2, y: (height - this.size.height * kept) / 2 };
      this.apply();
      return;
    }
    this.view.k = READABLE + 0.25;
    this.centre(box);
    this.view = { k: this.view.k, x: this.within("x", width, this.size.width), y: this.within("y", height, this.size.height) };
    this.apply();
  }

  // No empty space beside a drawing that is larger than the frame; a smaller one in the middle.
  within(axis, frame, size) {
    const length = size * this.view.k;
    return length <= frame ? (frame - length) / 2 : Math.min(12, Math.max(frame - length - 12, this.view[axis]));
  }

  centre(box) {
    const { width, height } = this.frame;
    const k = this.view.k;
    this.view = { k, x: width / 2 - (box.x + box.width / 2) * k, y: height / 2 - (box.y + Math.min(box.height, height / k) / 2) * k };
    this.apply();
  }

  reveal(box) {
    const { x, y, k } = this.view;
    const { width, height } = this.frame;
    const [left, top] = [box.x * k + x, box.y * k + y];
    const isSeen = left >= 0 && top >= 0 && left + Math.min(box.width * k, width) <= width && top + Math.min(box.height, 44) * k <= height;
    if (!isSeen) this.centre(box);
  }

  zoom(factor, at = { x: this.frame.width / 2, y: this.frame.height / 2 }) {
    const { x, y, k } = this.view;
    const next = Math.max(LEAST, Math.min(MOST, k * factor));
    this.view = { k: next, x: at.x - ((at.x - x) * next) / k, y: at.y - ((at.y - y) * next) / k };
    this.apply();
  }

  pan(dx, dy) {
    this.view = { ...this.view, x: this.view.x + dx, y: this.view.y + dy };
    this.apply();
  }

  place(event) {
    const box = this.svg.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  // The wheel with Ctrl, or two fingers, zooms; the wheel alone moves the drawing while there is more of it, then the page.
  onWheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      return this.zoom(Math.exp(-event.deltaY / 240), this.place(event));
    }
    const [dx, dy] = event.shiftKey ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
    const { x, y, k } = this.view;
    const { width, height } = this.frame;
    const goes = (dy > 0 && y + this.size.height * k > height) || (dy < 0 && y < 0) || (dx > 0 && x + this.size.width * k > width) || (dx < 0 && x < 0);
    if (!goes) return;
    event.preventDefault();
    this.pan(-dx, -dy);
  }

  onDown(event) {
    if (event.button !== 0) return;
    this.moved = 0;
    this.pointers.set(event.pointerId, this.place(event));
  }

  onMove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const here = this.place(event);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const far = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
      this.zoom(far(here) / far(before), { x: (here.x + other.x) / 2, y: (here.y + other.y) / 2 });
    } else {
      this.pan(here.x - before.x, here.y - before.y);
    }
    this.moved += Math.hypot(here.x - before.x, here.y - before.y);
    if (this.moved > 4 && !this.svg.hasPointerCapture(event.pointerId)) this.svg.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, here);
  }

  onUp(event) {
    this.pointers.delete(event.pointerId);
  }

  // The map: a rectangle for each node in the colour of its state, and a frame around what is seen.
  drawMap(items) {
    this.scale = Math.min(MAP.width / this.size.width, MAP.height / this.size.height);
    const parts = items.map(({ box, family, isGroup }) => make("rect", { class: isGroup ? "map-group" : `map-node ${family}`, x: box.x, y: box.y, width: box.width, height: box.height }));
    this.lens = make("rect", { class: "lens" });
    this.map.setAttribute("viewBox", `0 0 ${this.size.width} ${this.size.height}`);
    this.map.replaceChildren(...parts, this.lens);
    this.applyMap();
  }

  applyMap() {
    if (!this.lens) return;
    const { x, y, k } = this.view;
    const { width, height } = this.frame;
    for (const [name, value] of Object.entries({ x: -x / k, y: -y / k, width: width / k, height: height / k })) this.lens.setAttribute(name, value);
    const isAll = x >= -1 && y >= -1 && x + this.size.width * k <= width + 1 && y + this.size.height * k <= height + 1;
    this.map.toggleAttribute("hidden", isAll);
  }

  onMap(event) {
    const box = this.map.getBoundingClientRect();
    const k = Math.min(box.width / this.size.width, box.height / this.size.height);
    const [left, top] = [(box.width - this.size.width * k) / 2, (box.height - this.size.height * k) / 2];
    this.centre({ x: (event.clientX - box.left - left) / k, y: (event.clientY - box.top - top) / k, width: 0, height: 0 });
  }
}
