// Decides how a laid-out graph looks: SVG, each node a link or a button that readers hear as a sentence.
import { STATES } from "../live.js";
import { NODE } from "./layout.js";

const SVG = "http://www.w3.org/2000/svg";
const ICONS = { dag: "sitemap", asset: "database", "asset-alias": "tag", "asset-name-ref": "link", "asset-uri-ref": "link", trigger: "bolt", sensor: "hourglass" };
const WORDS = { dag: "DAG", asset: "asset", "asset-alias": "asset alias", "asset-name-ref": "asset by name", "asset-uri-ref": "asset by URI", trigger: "triggers", sensor: "waits for" };
const pen = document.createElement("canvas").getContext("2d");
const measured = new Map();
let family = "";

export function make(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== null) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export function measure(text, size = 13, weight = 400) {
  const key = `${weight} ${size} ${text}`;
  if (!measured.has(key)) {
    family ||= getComputedStyle(document.body).fontFamily;
    const font = `${weight} ${size}px ${family}`;
    if (pen.font !== font) pen.font = font;
    measured.set(key, pen.measureText(text).width);
  }
  return measured.get(key);
}

// Shortens a text in its middle, where names differ least.
export function fit(text, width, size = 13, weight = 400) {
  if (measure(text, size, weight) <= width) return text;
  let kept = text.length - 1;
  while (kept > 3 && measure(cut(text, kept), size, weight) > width) kept -= 1;
  return cut(text, kept);
}

function cut(text, kept) {
  const tail = Math.floor(kept / 3);
  return `${text.slice(0, kept - tail)}…${tail ? text.slice(-tail) : ""}`;
}

export function title(model, node) {
  const number = model.indexes(node.id);
  if (node.kind === "group") return `${node.label}`;
  return number ? `${node.label} [${number}]` : node.label;
}

function second(model, node) {
  const size = model.leaves(node.id).length;
  if (node.kind === "group") return node.note ?? `${size} ${node.of ?? "task"}${size === 1 ? "" : "s"}${node.mapped ? ", mapped" : ""}`;
  if (node.note) return node.note;
  const what = node.operator ?? WORDS[node.kind] ?? "";
  return [node.setup, what, node.mapped && !model.indexes(node.id) ? "mapped" : ""].filter(Boolean).join(" · ");
}

export function word(state) {
  return state === "none" ? "no state" : state.replaceAll("_", " ");
}

function sentence(model, node) {
  const parts = [title(model, node), node.kind === "group" ? `group of ${second(model, node)}` : second(model, node)];
  const state = model.stateOf(node.id);
  if (state) parts.push(word(state));
  const { total, done } = model.progress(node.id);
  if (total > 1) parts.push(`${done} of ${total} done`);
  return parts.filter(Boolean).join(", ");
}

function isMany(model, node) {
  return node.kind === "group" || model.indexes(node.id) > 0 || node.mapped;
}

// What changes with the state: class, mark, word, bar, and the sentence.
export function paint(element, model, node) {
  const state = model.stateOf(node.id);
  const [glyph, look] = state ? (STATES[state] ?? STATES.none) : ["", "plain"];
  element.setAttribute("class", `node ${look} kind-${node.kind}${node.is_focus ? " is-here" : ""}${node.setup ? ` is-${node.setup}` : ""}`);
  element.dataset.state = state ?? "";
  element.setAttribute("aria-label", sentence(model, node));
  const sign = element.querySelector(".glyph");
  if (sign) sign.textContent = glyph;
  const said = element.querySelector(".word");
  const { total, parts } = model.progress(node.id);
  if (said) said.textContent = state ? (state === "none" && node.kind === "dag" ? "no run yet" : number(parts, state, total)) : "";
  const title = element.querySelector("title");
  if (title) title.textContent = `${node.id}${node.tip ? `\n${node.tip}` : ""}\n${parts.map(([name, number]) => `${number} ${word(name)}`).join(", ")}`.trim();
  paintBar(element, model, node, parts, total);
  paintSecond(element, model, node, said);
}

// "failed", "3 failed" where all of several are, "1 of 3 failed".
function number(parts, state, total) {
  const of = parts.find(([name]) => name === state)?.[1] ?? total;
  if (total <= 1) return word(state);
  return of === total ? `${of} ${word(state)}` : `${of} of ${total} ${word(state)}`;
}

function paintBar(element, model, node, parts, total) {
  const bar = element.querySelector(".bar-parts");
  if (!bar) return;
  bar.replaceChildren();
  let x = 8;
  const width = Number(bar.dataset.width);
  for (const [name, number] of parts) {
    const share = (number / total) * width;
    bar.append(make("rect", { class: `part ${(STATES[name] ?? STATES.none)[1]}`, x, y: 37, width: share, height: 4 }));
    x += share;
  }
}

function paintSecond(element, model, node, said) {
  const line = element.querySelector(".second");
  if (!line) return;
  const taken = said?.textContent ? measure(said.textContent, 11, 600) + 10 : 0;
  line.textContent = fit(second(model, node), Number(line.dataset.width) - taken, 11);
}

export function width(model, node) {
  const state = model.stateOf(node.id);
  const name = measure(title(model, node), 13, 600) + (ICONS[node.kind] ? 22 : 0) + (state ? 22 : 0) + (node.kind === "group" ? 40 : 22);
  const said = model.states && model.counts(node.id) ? measure("upstream failed", 11, 600) + 10 : 0;
  return Math.ceil(Math.max(NODE.least, Math.min(NODE.most, Math.max(name, Math.min(measure(second(model, node), 11), 130) + said + 20))));
}

export function drawNode(model, node, box, { isOpen, drawer }) {
  if (node.kind === "join") return make("circle", { class: "join", cx: box.x + box.width / 2, cy: box.y + box.height / 2, r: 4 });
  if (node.kind.endsWith("-gate")) return gate(node, box);
  const isGroup = node.kind === "group";
  // A task without an instance has no page yet.
  const link = !isGroup && node.url && (node.kind !== "task" || !model.states || model.states[node.id]);
  const element = make(link ? "a" : "g", {
    transform: `translate(${box.x} ${box.y})`,
    "data-id": node.id,
    tabindex: "0",
    href: link ? node.url : null,
    role: isGroup ? "button" : link ? "link" : "img",
    "aria-expanded": isGroup ? String(isOpen) : null,
  });
  if (link && drawer) element.dataset.drawer = "";
  isOpen ? head(element, model, node, box) : body(element, model, node, box);
  paint(element, model, node);
  return element;
}

function gate(node, box) {
  const place = make("g", { class: "gate", transform: `translate(${box.x} ${box.y})` });
  place.append(make("rect", { class: "box", width: box.width, height: box.height, rx: 12 }), make("text", { class: "second", x: box.width / 2, y: 16, "text-anchor": "middle" }, node.kind === "and-gate" ? "and" : "or"));
  return place;
}

function body(element, model, node, box) {
  if (isMany(model, node)) {
    element.append(make("rect", { class: "box behind", x: 6, y: 5, width: box.width - 12, height: box.height, rx: 6 }));
  }
  element.append(make("rect", { class: "box", width: box.width, height: box.height, rx: 6 }));
  if (node.setup) element.append(make("path", { class: "setup-mark", d: node.setup === "setup" ? "M0 6v32" : `M${box.width} 6v32` }));
  const x = mark(element, model, node);
  element.append(make("text", { class: "name", x, y: 18 }, fit(title(model, node), box.width - x - (node.kind === "group" ? 26 : 8), 13, 600)));
  element.append(make("text", { class: "second", x: 8, y: 32, "data-width": box.width - 16 }), make("text", { class: "word", x: box.width - 8, y: 32, "text-anchor": "end" }));
  if (isMany(model, node) && model.counts(node.id)) element.append(make("g", { class: "bar-parts", "data-width": box.width - 16 }));
  if (node.kind === "group") element.append(plus(box.width - 14, 14, false));
  element.append(make("title"));
}

function mark(element, model, node) {
  const icon = ICONS[node.kind];
  if (icon) element.append(make("use", { class: "kind", href: `${document.querySelector("[data-module='graph']").dataset.icons}#${icon}`, x: 8, y: 5, width: 16, height: 16 }));
  if (model.stateOf(node.id) === null) return icon ? 30 : 10;
  const left = icon ? 30 : 8;
  element.append(make("rect", { class: "mark", x: left, y: 5, width: 16, height: 16, rx: 3 }), make("text", { class: "glyph", x: left + 8, y: 17, "text-anchor": "middle" }));
  return left + 22;
}

function head(element, model, node, box) {
  element.append(make("rect", { class: "head", width: box.width, height: 28, rx: 6 }));
  const x = mark(element, model, node);
  const room = box.width - x - 30;
  element.append(make("text", { class: "name", x, y: 18 }, fit(title(model, node), room, 13, 600)));
  element.append(plus(box.width - 14, 14, true), make("title"));
}

function plus(x, y, isOpen) {
  return make("path", { class: "plus", d: isOpen ? `M${x - 5} ${y}h10` : `M${x - 5} ${y}h10M${x} ${y - 5}v10` });
}

export function drawGroup(node, box) {
  return make("rect", { class: "group", "data-group": node.id, x: box.x, y: box.y, width: box.width, height: box.height, rx: 8 });
}

export function drawEdge(edge, isToJoin) {
  const place = make("g", { class: `edge${edge.scope ? " scope" : ""}`, "data-source": edge.source, "data-target": edge.target });
  if (edge.points.length < 2) return place;
  place.append(make("path", { class: "line", d: rounded(edge.points) }));
  if (!isToJoin) place.append(make("path", { class: "arrow", d: arrow(edge.points.at(-2), edge.points.at(-1)) }));
  if (edge.label && edge.at) {
    const size = measure(edge.label, 11) + 8;
    place.append(make("rect", { class: "label-box", x: edge.at.x - size / 2, y: edge.at.y - 8, width: size, height: 16, rx: 4 }));
    place.append(make("text", { class: "label", x: edge.at.x, y: edge.at.y + 4, "text-anchor": "middle" }, edge.label));
  }
  return place;
}

function rounded(points, radius = 6) {
  let path = `M${points[0].x} ${points[0].y}`;
  for (let at = 1; at < points.length - 1; at += 1) {
    const [before, here, after] = [points[at - 1], points[at], points[at + 1]];
    const [a, b] = [towards(here, before, radius), towards(here, after, radius)];
    path += `L${a.x} ${a.y}Q${here.x} ${here.y} ${b.x} ${b.y}`;
  }
  return `${path}L${points.at(-1).x} ${points.at(-1).y}`;
}

function towards(from, to, most) {
  const far = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const step = Math.min(most, far / 2) / far;
  return { x: from.x + (to.x - from.x) * step, y: from.y + (to.y - from.y) * step };
}

function arrow(from, to) {
  const back = towards(to, from, 7);
  const side = { x: (to.y - back.y) / 2, y: (back.x - to.x) / 2 };
  return `M${to.x} ${to.y}L${back.x + side.x} ${back.y + side.y}L${back.x - side.x} ${back.y - side.y}Z`;
}
