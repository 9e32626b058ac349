// Decides what of a graph is visible while some groups are closed, and in which state a node is; knows no drawing.
const WITH_STATE = new Set(["task", "dag"]);
const DONE = new Set(["success", "failed", "upstream_failed", "skipped", "removed"]);

export class Model {
  constructor(document) {
    this.nodes = document.nodes;
    this.edges = document.edges;
    this.order = document.order ?? [];
    this.states = document.states ?? null;
    this.byId = new Map(this.nodes.map((node) => [node.id, node]));
    this.children = new Map();
    for (const node of this.nodes) {
      if (node.kind === "group" && !this.children.has(node.id)) this.children.set(node.id, []);
      if (node.parent) this.children.get(node.parent)?.push(node.id);
    }
  }

  get groups() {
    return [...this.children.keys()];
  }

  // The tasks of a group and of those inside it; a node itself where it is no group.
  leaves(id) {
    const inside = this.children.get(id);
    if (!inside) return this.byId.get(id)?.kind === "join" ? [] : [id];
    return inside.flatMap((child) => this.leaves(child));
  }

  // The groups around a node, innermost first.
  around(id) {
    const found = [];
    for (let node = this.byId.get(id); node?.parent; node = this.byId.get(node.parent)) found.push(node.parent);
    return found;
  }

  // The node that stands for another one: the outermost closed group around it, or itself.
  shownFor(id, open) {
    return this.around(id).findLast((group) => !open.has(group)) ?? id;
  }

  visible(open) {
    const nodes = this.nodes.filter((node) => this.shownFor(node.id, open) === node.id);
    const edges = new Map();
    for (const edge of this.edges) {
      const [source, target] = [this.shownFor(edge.s, open), this.shownFor(edge.t, open)];
      // A join of the group at the other end leads to where the group itself is.
      if (source === target || !this.byId.has(source) || !this.byId.has(target)) continue;
      const key = JSON.stringify([source, target]);
      const known = edges.get(key);
      edges.set(key, known ? { ...known, label: known.label === edge.label ? known.label : "" } : { id: key, source, target, label: edge.label, scope: edge.scope });
    }
    return { nodes, edges: [...edges.values()] };
  }

  // How many instances are in each state; null where nobody asked for states, or where there can be none.
  counts(id) {
    const leaves = this.states ? this.leaves(id).filter((leaf) => WITH_STATE.has(this.byId.get(leaf).kind)) : [];
    if (!leaves.length) return null;
    const sum = {};
    for (const leaf of leaves) {
      for (const [state, number] of Object.entries(this.states[leaf] ?? { none: 1 })) {
        if (state !== "mapped") sum[state] = (sum[state] ?? 0) + number;
      }
    }
    return sum;
  }

  indexes(id) {
    return this.states?.[id]?.mapped ?? 0;
  }

  stateOf(id) {
    const counts = this.counts(id);
    return counts && (this.order.find((state) => counts[state]) ?? "none");
  }

  progress(id) {
    const counts = this.counts(id) ?? {};
    const total = Object.values(counts).reduce((sum, number) => sum + number, 0);
    const done = Object.entries(counts).reduce((sum, [state, number]) => sum + (DONE.has(state) ? number : 0), 0);
    return { total, done, parts: this.order.filter((state) => counts[state]).map((state) => [state, counts[state]]) };
  }

  // What is directly before and after a node, through joins.
  beside(id, way) {
    const [from, to] = way === "up" ? ["t", "s"] : ["s", "t"];
    const found = this.edges.filter((edge) => edge[from] === id).map((edge) => edge[to]);
    return found.flatMap((other) => (this.byId.get(other)?.kind === "join" ? this.beside(other, way) : [other]));
  }
}
