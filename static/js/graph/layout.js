// Decides where nodes and edges of a graph lie: elkjs in a worker computes it, so the page stays free meanwhile.
// Adr 0017 says why. Nodes without any edge are put in rows below, where a column of hundreds would help nobody.
export const NODE = { height: 44, least: 168, most: 264 };
const JOIN = 10;
const HEAD = 34;
const GAP = 14;
// Siblings in the order of the document. The engine fails for a few graphs with it, which are then laid out without.
const ORDERED = { "elk.layered.considerModelOrder.strategy": "PREFER_EDGES" };
const FREE = { "elk.layered.considerModelOrder.strategy": "NONE" };
const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.json.shapeCoords": "ROOT",
  "elk.json.edgeCoords": "ROOT",
  "elk.layered.mergeEdges": "true",
  ...ORDERED,
  "elk.layered.nodePlacement.bk.fixedAlignment": "BALANCED",
  "elk.layered.spacing.nodeNodeBetweenLayers": "30",
  "elk.layered.spacing.edgeNodeBetweenLayers": "10",
  "elk.spacing.nodeNode": String(GAP),
  "elk.spacing.edgeNode": "12",
  "elk.spacing.edgeEdge": "8",
};
let engine = null;

// Loaded when the first graph is drawn, and on no other page.
async function start(api, worker) {
  if (!window.ELK) {
    await new Promise((loaded, failed) => {
      const script = document.createElement("script");
      script.src = api;
      script.onload = loaded;
      script.onerror = () => failed(new Error("the layout engine could not be loaded"));
      document.head.append(script);
    });
  }
  return new window.ELK({ workerUrl: worker, algorithms: ["layered"] });
}

function size(node, width) {
  if (node.kind === "join") return { width: JOIN, height: JOIN };
  if (node.kind === "and-gate" || node.kind === "or-gate") return { width: 40, height: 24 };
  return { width, height: NODE.height };
}

function tree(model, seen, open, widths) {
  const shown = new Set(seen.nodes.map((node) => node.id));
  const build = (node) => {
    if (node.kind !== "group" || !open.has(node.id)) return { id: node.id, ...size(node, widths.get(node.id)) };
    const children = model.children.get(node.id).filter((id) => shown.has(id)).map((id) => build(model.byId.get(id)));
    const least = { "elk.padding": `[top=${HEAD},left=12,bottom=12,right=12]`, "elk.nodeSize.constraints": "MINIMUM_SIZE", "elk.nodeSize.minimum": `(${widths.get(node.id)},${NODE.height})` };
    return { id: node.id, children, layoutOptions: least };
  };
  return seen.nodes.filter((node) => !node.parent).map(build);
}

function label(edge, measure) {
  return edge.label ? [{ text: edge.label, width: measure(edge.label) + 8, height: 16 }] : [];
}

export async function lay(model, open, direction, { api, worker, widths, measure }) {
  engine ??= await start(api, worker);
  const seen = model.visible(open);
  const tied = new Set(seen.edges.flatMap((edge) => [edge.source, ...model.around(edge.source), edge.target, ...model.around(edge.target)]));
  const all = tree(model, seen, open, widths);
  const alone = all.filter((item) => !tied.has(item.id) && !item.children);
  const rest = alone.length > 3 ? all.filter((item) => !alone.includes(item)) : all;
  const graph = {
    id: "\u0000root", // No task can be called so.
    children: rest,
    edges: seen.edges.map((edge) => ({ id: edge.id, sources: [edge.source], targets: [edge.target], labels: label(edge, measure) })),
  };
  const laid = await compute(graph, { ...OPTIONS, "elk.direction": direction === "TB" ? "DOWN" : "RIGHT" });
  const boxes = new Map();
  const note = (item) => {
    boxes.set(item.id, { x: item.x, y: item.y, width: item.width, height: item.height });
    item.children?.forEach(note);
  };
  laid.children.forEach(note);
  const bottom = rest.length ? laid.height + GAP * 2 : 12;
  const width = alone.length > 3 ? Math.max(rest.length ? laid.width : 0, inRows(alone, bottom, boxes, laid.width)) : laid.width;
  const height = Math.max(...[...boxes.values()].map((box) => box.y + box.height)) + 12;
  return { boxes, edges: seen.edges.map((edge, at) => ({ ...edge, ...way(laid.edges[at]) })), nodes: seen.nodes, width, height };
}

// Given so, the options hold inside of groups too.
function compute(graph, layoutOptions) {
  return engine.layout(graph, { layoutOptions }).catch(() => engine.layout(graph, { layoutOptions: { ...layoutOptions, ...FREE } }));
}

function inRows(items, top, boxes, least) {
  const most = Math.max(least, Math.sqrt(items.length * 2.4 * NODE.least * (NODE.height + GAP)));
  let [x, y, right] = [12, top, 0];
  for (const item of items) {
    if (x > 12 && x + item.width > most) [x, y] = [12, y + NODE.height + GAP];
    boxes.set(item.id, { x, y, width: item.width, height: item.height });
    x += item.width + GAP;
    right = Math.max(right, x);
  }
  return right;
}

function way(edge) {
  const points = (edge.sections ?? []).flatMap((part) => [part.startPoint, ...(part.bendPoints ?? []), part.endPoint]);
  const place = edge.labels?.[0];
  return { points, at: place && { x: place.x + place.width / 2, y: place.y + place.height / 2 } };
}
