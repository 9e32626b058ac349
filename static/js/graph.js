// Decides how the graph pages answer: they draw, open and close groups, find, mark what is around a node, and follow the run live.
//
// <div data-module="graph" data-source="id of the JSON" data-api data-worker data-icons data-name [data-drawer] [data-states]>
import { drawEdge, drawGroup, drawNode, fit, make, measure, paint, width } from "./graph/draw.js";
import { asPng, asSvg } from "./graph/download.js";
import { lay } from "./graph/layout.js";
import { Model } from "./graph/model.js";
import { Stage } from "./graph/stage.js";
import { notice } from "./requests.js";

const MOST_WITH_OPEN_GROUPS = 80;
const AT_ONCE = 60;

export function mount(element) {
  const graph = new Graph(element);
  graph.draw().then(() => graph.start());
}

class Graph {
  constructor(element) {
    this.element = element;
    this.model = new Model(JSON.parse(document.getElementById(element.dataset.source).textContent));
    this.tools = document.querySelector("[data-graph-tools]");
    this.stage = new Stage(element.querySelector(".graph-svg"), element.querySelector(".graph-map"));
    this.status = element.querySelector(".graph-status");
    this.open = this.chosenOpen();
    this.elements = new Map();
    this.edges = [];
    this.turn = 0;
    element.dataset.size = String(this.model.nodes.length);
  }

  // The state of the drawing that an address keeps: which groups are open, the direction, the states that are marked.
  get address() {
    return new URLSearchParams(location.search);
  }

  keep(name, values) {
    const address = this.address;
    address.delete(name);
    values.forEach((value) => address.append(name, value));
    history.replaceState(history.state, "", `?${address}`);
  }

  chosenOpen() {
    const given = this.address.getAll("open");
    if (given.length) return new Set(given.includes("*") ? this.model.groups : given.filter((id) => this.model.children.has(id)));
    return new Set(this.model.nodes.length > MOST_WITH_OPEN_GROUPS ? [] : this.model.groups);
  }

  get direction() {
    return this.address.get("direction") === "TB" ? "TB" : "LR";
  }

  async draw(anchor = null) {
    const turn = ++this.turn;
    this.say("Laying out…");
    const { api, worker } = this.element.dataset;
    const widths = new Map(this.model.nodes.map((node) => [node.id, width(this.model, node)]));
    try {
      const laid = await lay(this.model, this.open, this.direction, { api, worker, widths, measure: (text) => measure(text, 11) });
      if (turn !== this.turn) return;
      await this.show(laid, anchor, turn);
      this.say("");
    } catch (error) {
      this.say("The graph could not be laid out; the table below says the same.");
      console.error(error);
    }
  }

  async show(laid, anchor, turn) {
    const before = anchor && this.boxes?.get(anchor);
    const focused = document.activeElement?.closest?.(".node")?.dataset.id;
    this.laid = laid;
    this.boxes = laid.boxes;
    this.elements.clear();
    const groups = laid.nodes.filter((node) => this.open.has(node.id)).map((node) => drawGroup(node, laid.boxes.get(node.id)));
    this.edges = laid.edges.map((edge) => drawEdge(edge, this.model.byId.get(edge.target).kind === "join"));
    const layer = make("g");
    this.stage.show(laid, [make("g", {}, ...groups), make("g", {}, ...this.edges), layer]);
    this.makeRoom(laid);
    if (before) this.holdStill(before, laid.boxes.get(anchor));
    else this.stage.fit(this.firstToSee());
    await this.addNodes(layer, turn);
    if (turn !== this.turn) return;
    this.drawMap();
    this.mark();
    if (focused) this.elements.get(focused)?.focus({ preventScroll: true });
    this.element.dataset.drawn = String(turn);
  }

  // A few at a time, so that the page answers in between.
  async addNodes(layer, turn) {
    const options = { drawer: "drawer" in this.element.dataset };
    for (const [at, node] of this.laid.nodes.entries()) {
      if (at % AT_ONCE === AT_ONCE - 1) await new Promise((wake) => setTimeout(wake));
      if (turn !== this.turn) return;
      const made = drawNode(this.model, node, this.boxes.get(node.id), { ...options, isOpen: this.open.has(node.id) });
      this.elements.set(node.id, made);
      layer.append(made);
    }
  }

  // As high as the drawing asks for, at most as the window allows; it never shrinks under the pointer.
  makeRoom({ width, height }) {
    const svg = this.stage.svg;
    const top = this.element.getBoundingClientRect().top + window.scrollY;
    this.most ??= this.element.closest(".near") ? svg.clientHeight : Math.max(svg.clientHeight - 120, window.innerHeight - top - 24);
    const scale = Math.min(1, svg.clientWidth / (width + 24));
    this.room = Math.max(this.room ?? 0, Math.min(this.most, Math.max(280, height * scale + 110)));
    svg.style.height = `${this.room}px`;
  }

  // A group that opens stays where it was under the pointer.
  holdStill(before, after) {
    const k = this.stage.view.k;
    this.stage.pan((before.x - after.x) * k, (before.y - after.y) * k);
  }

  // Where the whole is too small to read: what has failed, else what runs, else the beginning.
  firstToSee() {
    const nodes = this.laid.nodes.filter((node) => node.kind !== "join");
    const wanted = this.address.get("focus");
    const urgent = ["failed", "awaiting_input", "up_for_retry", "running"].map((state) => nodes.find((node) => !this.open.has(node.id) && this.model.stateOf(node.id) === state));
    const chosen = nodes.find((node) => node.id === wanted || node.is_focus) ?? urgent.find(Boolean) ?? nodes[0];
    return chosen ? this.boxes.get(chosen.id) : null;
  }

  drawMap() {
    this.stage.drawMap(
      this.laid.nodes.filter((node) => node.kind !== "join").map((node) => ({
        box: this.boxes.get(node.id),
        family: (this.elements.get(node.id)?.getAttribute("class") ?? "").split(" ")[1] ?? "plain",
        isGroup: this.open.has(node.id),
      })),
    );
  }

  say(text) {
    this.status.textContent = text;
  }

  start() {
    const { element, stage } = this;
    element.addEventListener("click", (event) => this.onClick(event));
    element.addEventListener("keydown", (event) => this.onKey(event));
    element.addEventListener("focusin", (event) => this.onFocus(event));
    const acts = { in: () => stage.zoom(1.25), out: () => stage.zoom(0.8), fit: () => stage.fit(null, true), open: () => this.openAll(true), close: () => this.openAll(false), svg: () => this.download(asSvg), png: () => this.download(asPng) };
    document.querySelector("main").addEventListener("click", (event) => {
      acts[event.target.closest("[data-graph-act]")?.dataset.graphAct]?.();
      event.target.closest(".menu [data-graph-act]")?.closest("details").removeAttribute("open");
    });
    this.tools?.addEventListener("change", (event) => this.onTool(event));
    const search = this.tools?.querySelector("[data-graph-search]");
    search?.addEventListener("input", () => this.find(search.value, false));
    search?.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), this.find(search.value, true)));
    element.addEventListener("live", () => this.refresh());
    document.addEventListener("live:changes", (event) => this.take(event.detail.changes));
  }

  onClick(event) {
    const node = event.target.closest?.(".node");
    if (node) this.select(node.dataset.id);
    if (node?.hasAttribute("aria-expanded")) this.toggle(node.dataset.id);
    if (event.target === this.stage.svg || event.target.closest?.(".group")) this.select(null);
  }

  onKey(event) {
    const node = event.target.closest?.(".node");
    if (!node) return;
    const ways = { ArrowRight: "down", ArrowLeft: "up", ArrowDown: "down", ArrowUp: "up" };
    if ((event.key === "Enter" || event.key === " ") && node.hasAttribute("aria-expanded")) this.toggle(node.dataset.id);
    else if (event.key in ways) this.go(node.dataset.id, ways[event.key]);
    else if (event.key === "Escape") this.select(null);
    else return;
    event.preventDefault();
  }

  // Along the edges that are drawn, over joins.
  go(id, way) {
    const [from, to] = way === "up" ? ["target", "source"] : ["source", "target"];
    const next = (at) => this.laid.edges.filter((edge) => edge[from] === at).flatMap((edge) => (this.model.byId.get(edge[to]).kind === "join" ? next(edge[to]) : [edge[to]]));
    this.elements.get(next(id)[0])?.focus({ preventScroll: true });
  }

  onFocus(event) {
    const node = event.target.closest?.(".node");
    if (!node) return;
    const box = this.boxes.get(node.dataset.id);
    if (node.matches(":focus-visible")) this.stage.reveal(box);
    this.select(node.dataset.id);
  }

  onTool(event) {
    const { name, value } = event.target;
    if (name === "direction") {
      this.keep("direction", value === "TB" ? ["TB"] : []);
      this.draw();
    } else if (name === "state") {
      this.keep("state", value ? [value] : []);
      this.mark();
    }
  }

  toggle(id) {
    this.open.has(id) ? this.open.delete(id) : this.open.add(id);
    this.keepOpen();
    this.draw(id);
  }

  openAll(isOpen) {
    this.open = new Set(isOpen ? this.model.groups : []);
    this.keepOpen();
    this.draw();
  }

  keepOpen() {
    const isAll = this.open.size === this.model.groups.length;
    this.keep("open", isAll ? ["*"] : this.open.size ? [...this.open] : [""]);
  }

  // What is directly around the chosen node stands out; the bar below offers to draw nothing else.
  select(id) {
    this.chosen = id;
    for (const [name, element] of this.elements) element.classList.toggle("chosen", name === id);
    for (const edge of this.edges) edge.classList.toggle("near", id !== null && (edge.dataset.source === id || edge.dataset.target === id));
    const bar = this.element.querySelector(".graph-chosen");
    if (!bar) return;
    const node = id && this.model.byId.get(id);
    bar.hidden = !node;
    if (!node) return;
    bar.querySelector("[data-chosen-name]").textContent = fit(node.label, 260);
    for (const link of bar.querySelectorAll("[data-scope]")) {
      const address = this.address;
      for (const name of ["open", "depth"]) address.delete(name);
      address.set(bar.dataset.param ?? "focus", id);
      address.set("scope", link.dataset.scope);
      link.href = `?${address}`;
    }
  }

  mark() {
    const wanted = this.address.get("state");
    this.stage.svg.classList.toggle("filtered", Boolean(wanted));
    for (const [id, element] of this.elements) element.classList?.toggle("kept", Boolean(wanted) && Boolean(this.model.counts(id)?.[wanted]));
    if (this.chosen) this.select(this.elements.has(this.chosen) ? this.chosen : null);
  }

  async find(text, isNext) {
    const wanted = text.trim().toLowerCase();
    const found = wanted ? this.model.nodes.filter((node) => node.kind !== "join" && `${node.id} ${node.label}`.toLowerCase().includes(wanted)) : [];
    const shown = new Set(found.map((node) => this.model.shownFor(node.id, this.open)));
    for (const [id, element] of this.elements) element.classList?.toggle("found", shown.has(id));
    this.say(wanted ? `${found.length || "No"} match${found.length === 1 ? "" : "es"}` : "");
    if (!found.length) return;
    this.at = isNext ? ((this.at ?? -1) + 1) % found.length : 0;
    const node = found[this.at];
    if (isNext && this.model.shownFor(node.id, this.open) !== node.id) {
      this.model.around(node.id).forEach((group) => this.open.add(group));
      this.keepOpen();
      await this.draw(node.id);
      return this.find(text, true);
    }
    const id = this.model.shownFor(node.id, this.open);
    if (this.stage.view.k < 0.6) this.stage.view.k = 0.8;
    this.stage.centre(this.boxes.get(id));
    if (isNext) this.select(id);
  }

  download(write) {
    if (this.laid) Promise.resolve(write(this.stage.svg, this.laid, this.element.dataset.name)).catch(() => notice("This graph is too large for a picture; take the SVG.", "error"));
  }

  // A task with one instance changes at once; numbers of mapped tasks come with the next answer.
  take(changes) {
    const key = this.element.dataset.live?.slice(4);
    if (!this.model.states || !key) return;
    const touched = changes.filter((change) => change.task && `${change.dag}/${change.run}` === key && change.mapIndex < 0 && !this.model.indexes(change.task));
    for (const change of touched) this.model.states[change.task] = { [change.state ?? "none"]: 1 };
    if (touched.length) this.repaint(touched.map((change) => change.task));
  }

  async refresh() {
    if (!this.element.dataset.states) return;
    const answer = await fetch(this.element.dataset.states);
    if (!answer.ok) return;
    const { states } = await answer.json();
    const before = this.model.states;
    this.model.states = states;
    // A task that was mapped meanwhile needs more room for its name, one that is new a place.
    const isOther = Object.keys(states).some((id) => !before[id] || (states[id].mapped ?? 0) !== (before[id].mapped ?? 0));
    const changed = Object.keys(states).filter((id) => JSON.stringify(states[id]) !== JSON.stringify(before[id]));
    isOther ? this.draw(this.laid?.nodes[0]?.id) : this.repaint(changed);
  }

  repaint(ids) {
    const touched = new Set(ids.flatMap((id) => [id, ...this.model.around(id)]));
    for (const id of touched) {
      const element = this.elements.get(id);
      if (element) paint(element, this.model, this.model.byId.get(id));
    }
    if (touched.size && this.laid) {
      this.drawMap();
      this.mark();
    }
  }
}

