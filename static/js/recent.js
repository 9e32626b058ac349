// Decides which pages count as recent: the last pages of DAGs, runs, tasks and assets that this browser has opened.
const KEY = "recent";
const MOST = 8;

function stored() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((item) => typeof item?.path === "string" && item.path.startsWith("/")) : [];
  } catch {
    return [];
  }
}

// Only what has a name of its own; the sidebar leads to the rest.
export function noteThisPage() {
  const path = location.pathname;
  if (!/\/(dags|assets)\/[^/]+/.test(path) || /\/(trigger|clear|mark|delete|backfill|note)$/.test(path) || document.querySelector("main h1") === null) return;
  const title = document.title.split(" · ").slice(0, -1).join(" · ");
  const rest = stored().filter((item) => item.path !== path);
  try {
    localStorage.setItem(KEY, JSON.stringify([{ path, title }, ...rest].slice(0, MOST)));
  } catch {
    // A browser that keeps nothing has no recent pages.
  }
}

// Rows for the palette, the page itself left out.
export function recentOptions() {
  return stored().filter((item) => item.path !== location.pathname).slice(0, 5).map((item, index) => {
    const option = document.createElement("a");
    option.setAttribute("role", "option");
    option.id = `recent-${index + 1}`;
    option.href = item.path;
    option.tabIndex = -1;
    const label = document.createElement("span");
    label.className = "cut";
    label.textContent = item.title || item.path;
    const kind = document.createElement("span");
    kind.className = "kind";
    kind.textContent = "Recent";
    option.append(label, kind);
    return option;
  });
}
