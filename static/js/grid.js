// Decides how the grid of a DAG answers: one set of listeners for all cells, arrow keys, a card beside the cell, changes as they come.
//
// A cell is a bare <td class="state">; its row has the task (data-t) and the index of a mapped one (data-i, named data-l), the head of its
// column the run (data-r, data-run).
import { openIn } from "./dialogs.js";
import { STATES } from "./live.js";
import { at, getText, notice, post } from "./requests.js";

const HINT_AFTER = 120;
const MARKS = Object.keys(STATES);

export function mount(place) {
  const card = place.querySelector("#grid-card");
  const form = place.querySelector("#grid-form");
  const hints = new Map();
  let here = null; // {task, index, run} of the cell that can be reached, over all loads.
  let isChosen = false; // Whether a person has gone to it.
  let hintTimer = 0;
  let typeTimer = 0;
  let refreshTimer = 0;
  let asked = 0;
  let heading = ""; // The address that a person asked for, until its grid is there.

  const grid = () => place.querySelector("#grid");
  const table = () => place.querySelector("table.grid");
  const bodyRows = () => [...place.querySelectorAll("table.grid tbody tr")];
  const heads = () => table().tHead.rows[0].cells;
  const rowOf = (task, index) => place.querySelector(`tr[data-t="${CSS.escape(task)}"]${index === undefined ? ":not([data-k=index], [data-k=more])" : `[data-i="${index}"]`}`);
  const headOf = (cell) => heads()[cell.cellIndex];
  const stateOf = (cell) => MARKS.find((state) => cell.classList.contains(state));
  const wordOf = (cell) => (stateOf(cell) === "none" ? "no state" : stateOf(cell)?.replaceAll("_", " ") ?? "not in this run");
  const isSum = (cell) => cell.classList.contains("m");
  const isCell = (element) => element?.tagName === "TD";

  function nameOf(cell) {
    const { t: task, l: label } = cell.parentElement.dataset;
    return `${task}${label ? ` [${label}]` : ""}, ${headOf(cell).dataset.title.replace(/, [a-z ]+$/, "")}, ${wordOf(cell)}`;
  }

  function cellUrl(cell) {
    const { t: name, i: index } = cell.parentElement.dataset;
    const query = new URLSearchParams({ run: headOf(cell).dataset.r, name, ...(index && { index }) });
    return `${grid().dataset.base}/cell?${query}`;
  }

  function pageUrl(cell) {
    const { t: task, k: kind, i: index } = cell.parentElement.dataset;
    // The server's own address of the run: how it writes an id with a slash is its affair.
    const run = headOf(cell).querySelector("a").getAttribute("href");
    if (kind === "group") return `${run}/tasks/group/${encodeURIComponent(task)}`;
    return `${run}/tasks/${encodeURIComponent(task)}${isSum(cell) ? "/mapped" : index ? `/mapped/${index}` : ""}`;
  }

  // The drawer has the page of a task instance, or in short what a sum is made of.
  const drawerUrl = (cell) => (isSum(cell) ? cellUrl(cell) : pageUrl(cell));

  // The focus: one cell or head can be reached by the Tab key, arrows go on from there.
  function reach(cell, takeFocus = true) {
    for (const old of table().querySelectorAll('[data-reach]')) {
      old.removeAttribute("data-reach");
      old.tabIndex = -1;
    }
    const target = isCell(cell) ? cell : cell.querySelector("a:not(.toggle)") ?? cell;
    target.setAttribute("data-reach", "");
    target.tabIndex = 0;
    if (isCell(cell)) cell.setAttribute("aria-label", nameOf(cell));
    here = { task: cell.parentElement.dataset.t, index: cell.parentElement.dataset.i, run: headOf(cell)?.dataset.r };
    if (!takeFocus) return;
    target.focus({ preventScroll: true });
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function prepare() {
    if (!table()) return;
    for (const link of table().querySelectorAll("th a:not(.toggle)")) link.tabIndex = -1;
    const scroll = place.querySelector(".grid-scroll");
    const first = bodyRows()[0]?.cells;
    if (first?.length) reach(first[first.length - 1], false);
    if (!scroll.dataset.placed) scroll.scrollLeft = scroll.scrollWidth;
    scroll.dataset.placed = "yes";
    const cross = document.createElement("div");
    cross.className = "grid-cross";
    cross.hidden = true;
    scroll.append(cross);
  }

  // Loads the grid for an address, and puts the focus and the scrolling back where they were.
  async function load(url, { push = false } = {}) {
    const turn = ++asked;
    heading = push ? url : "";
    const target = new URL(url, location.href);
    target.searchParams.append("part", "grid");
    const html = await getText(target, { "X-Requested-With": "fetch" }).finally(() => {
      if (turn === asked) heading = "";
    });
    if (turn !== asked) return;
    // As it is now: one may have gone on while the answer was awaited.
    const kept = isChosen ? { ...here } : null;
    const hasFocus = Boolean(table()?.contains(document.activeElement));
    const scroll = place.querySelector(".grid-scroll");
    const [left, top] = [scroll?.scrollLeft, scroll?.scrollTop];
    const isAtEnd = scroll ? scroll.scrollLeft + scroll.clientWidth >= scroll.scrollWidth - 4 : true;
    const box = document.createElement("template");
    box.innerHTML = html;
    grid().replaceWith(box.content.querySelector("#grid"));
    if (push) history.pushState({}, "", url);
    const fresh = place.querySelector(".grid-scroll");
    if (fresh && !isAtEnd) {
      fresh.dataset.placed = "yes";
      [fresh.scrollLeft, fresh.scrollTop] = [left, top];
    } else if (fresh) fresh.scrollTop = top ?? 0;
    prepare();
    if (kept) again(kept, hasFocus);
    hints.clear();
  }

  function again({ task, index, run }, takeFocus) {
    // An index whose task was closed gives the focus to the task.
    const row = task === undefined ? table()?.tHead.rows[0] : (rowOf(task, index) ?? rowOf(task));
    const column = [...heads()].findIndex((head) => head.dataset.r === run);
    const cell = row?.cells[Math.max(0, column)];
    if (cell && (takeFocus || column >= 0)) reach(cell, takeFocus);
  }

  function cross(cell) {
    const strip = place.querySelector(".grid-cross");
    if (!strip) return;
    strip.hidden = !cell;
    if (!cell) return;
    strip.style.left = `${headOf(cell).offsetLeft}px`;
    strip.style.height = `${table().offsetHeight}px`;
  }

  function showCard(cell) {
    clearTimeout(hintTimer);
    card.textContent = "";
    const name = document.createElement("strong");
    name.textContent = nameOf(cell);
    card.append(name);
    const key = `${cellUrl(cell)} ${cell.className}`;
    if (hints.has(key)) card.insertAdjacentHTML("beforeend", hints.get(key));
    else hintTimer = setTimeout(() => fillCard(cell, key), HINT_AFTER);
    card.hidden = false;
    beside(cell);
    cross(cell);
  }

  async function fillCard(cell, key) {
    const html = await getText(`${cellUrl(cell)}&hint`).catch(() => "");
    hints.set(key, html);
    if (card.hidden || !cell.isConnected || !card.firstChild || card.firstChild.textContent !== nameOf(cell)) return;
    card.insertAdjacentHTML("beforeend", html);
    beside(cell);
  }

  // Beside the cell and below its row, so that the row can still be read.
  function beside(cell) {
    const box = cell.getBoundingClientRect();
    const below = box.bottom + 10 + card.offsetHeight < innerHeight;
    card.style.left = `${Math.max(8, Math.min(innerWidth - card.offsetWidth - 8, box.left - card.offsetWidth / 2))}px`;
    card.style.top = `${below ? box.bottom + 10 : box.top - card.offsetHeight - 10}px`;
  }

  function hideCard() {
    clearTimeout(hintTimer);
    card.hidden = true;
    cross(null);
  }

  function step(cell, key) {
    const row = cell.parentElement;
    const index = cell.cellIndex;
    const rows = [table().tHead.rows[0], ...bodyRows()];
    const y = rows.indexOf(row);
    if (key === "ArrowLeft" || key === "ArrowRight") return row.cells[index + (key === "ArrowLeft" ? -1 : 1)];
    if (key === "Home") return row.cells[0];
    if (key === "End") return row.cells[row.cells.length - 1];
    const next = { ArrowUp: y - 1, ArrowDown: y + 1, PageUp: Math.max(1, y - 10), PageDown: Math.min(rows.length - 1, y + 10) }[key];
    return rows[next]?.cells[index];
  }

  function onKey(event) {
    if (event.key === "Escape") hideCard();
    const cell = event.target.closest?.("table.grid td, table.grid th");
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = /^(Arrow|Home|End|Page)/.test(event.key) && step(cell, event.key);
    if (next) {
      event.preventDefault();
      reach(next);
    } else if (isCell(cell) && cell.className && event.key === "Enter") {
      event.preventDefault();
      location.assign(pageUrl(cell));
    } else if (event.key === " " && isCell(cell) && cell.className) {
      event.preventDefault();
      openIn("drawer", drawerUrl(cell));
    } else if (event.key === " " && cell.querySelector(".toggle")) {
      event.preventDefault();
      cell.querySelector(".toggle").click();
    }
  }

  // Two heads pressed with the shift key: the later run is compared with the earlier one.
  function pick(head) {
    const other = place.querySelector("th.picked");
    if (!other || other === head) {
      head.classList.toggle("picked");
      return other || notice("Press the head of another run with Shift: the two are compared.");
    }
    const [one, two] = other.cellIndex > head.cellIndex ? [other, head] : [head, other];
    location.assign(`${grid().dataset.base}/compare?${new URLSearchParams({ a: one.dataset.run, b: two.dataset.run })}`);
  }

  function onClick(event) {
    const link = event.target.closest("a[data-grid-link]");
    const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    if (link && isPlain) {
      event.preventDefault();
      return load(link.getAttribute("href"), { push: true });
    }
    const head = event.target.closest("th[data-run]");
    if (head && event.shiftKey) {
      event.preventDefault();
      return pick(head);
    }
    const cell = event.target.closest("td");
    if (!isCell(cell) || !table().contains(cell) || !stateOf(cell)) return;
    reach(cell);
    if (!isPlain) return window.open(pageUrl(cell), "_blank", "noopener");
    hideCard();
    openIn("drawer", drawerUrl(cell));
  }

  function address() {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    return `?${query}`;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    load(address(), { push: true });
  });
  form.addEventListener("input", (event) => {
    clearTimeout(typeTimer);
    if (event.target.name === "runs") post(at("settings/preferences"), { runs: Number(event.target.value) });
    typeTimer = setTimeout(() => load(address(), { push: true }), event.target.type === "search" ? 200 : 0);
  });
  place.addEventListener("click", onClick);
  place.addEventListener("auxclick", (event) => event.button === 1 && onClick(event));
  place.addEventListener("keydown", onKey);
  place.addEventListener("mouseover", (event) => {
    const cell = event.target.closest("table.grid td[class]");
    cell ? showCard(cell) : hideCard();
  });
  place.addEventListener("mouseleave", hideCard);
  place.addEventListener("focusin", (event) => (isCell(event.target) && event.target.className && event.target.matches(":focus-visible") ? showCard(event.target) : hideCard()));
  place.addEventListener("focusin", (event) => (isChosen ||= Boolean(table()?.contains(event.target))));
  place.addEventListener("focusout", hideCard);
  // The browser gives the focus back to the cell that had it, but not where the grid has come anew meanwhile.
  document.getElementById("drawer").addEventListener("close", () => {
    if (isChosen && document.activeElement === document.body) table()?.querySelector("[data-reach]")?.focus({ preventScroll: true });
  });
  window.addEventListener("popstate", () => load(location.href));

  // A simple cell changes at once; sums, heads and new runs come with the next load of the grid, the larger the later.
  function take({ changes, complete }) {
    if (!place.isConnected) return;
    const columns = new Map([...(table() ? heads() : [])].map((head, index) => [head.dataset.r, index]));
    let isStale = !complete;
    for (const change of changes) {
      const [run] = change.key.split(":", 1);
      if (change.dag !== grid().dataset.dag) continue;
      const cell = change.task ? rowOf(change.task, change.mapIndex < 0 ? undefined : change.mapIndex)?.cells[columns.get(run)] : null;
      if (!cell || isSum(cell)) isStale = true;
      else cell.className = change.state ?? "none";
      if (cell && cell.hasAttribute("data-reach")) cell.setAttribute("aria-label", nameOf(cell));
      if (place.querySelector("td.m")) isStale = true;
    }
    if (!isStale || refreshTimer) return;
    const cells = bodyRows().length * columns.size;
    refreshTimer = setTimeout(() => {
      refreshTimer = 0;
      load(heading || location.href, { push: heading !== "" }).catch(() => {});
    }, Math.max(300, Math.min(5000, cells / 4)));
  }
  document.addEventListener("live:changes", (event) => take(event.detail));
  prepare();
}
