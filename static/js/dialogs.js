// Decides how links open dialogs and drawers, and how the forms within them answer; without scripts each is a page of its own.
import { csrfToken, notice } from "./requests.js";

const DIALOG = { "X-Dialog": "1" };

export async function openIn(id, url) {
  const dialog = document.getElementById(id);
  const answer = await fetch(url, { headers: DIALOG });
  if (answer.redirected && new URL(answer.url).pathname.startsWith("/auth/")) return location.assign(url);
  if (!answer.ok && answer.status !== 422 && answer.status !== 400) return location.assign(url);
  fill(dialog, await answer.text(), answer.redirected ? answer.url : url);
  if (!dialog.open) id === "drawer" ? dialog.show() : dialog.showModal();
}

function fill(dialog, html, url) {
  dialog.innerHTML = html;
  dialog.dataset.url = url;
  const head = dialog.querySelector(".dialog-head h2");
  if (head) dialog.setAttribute("aria-label", head.textContent.trim());
  window.htmx?.process(dialog);
  dialog.dispatchEvent(new CustomEvent("content", { bubbles: true }));
  dialog.querySelector("[autofocus]")?.focus();
}

async function submit(dialog, form, submitter) {
  const url = new URL(submitter?.getAttribute("formaction") || form.getAttribute("action") || dialog.dataset.url, location.href);
  const data = new FormData(form, submitter);
  const isGet = (submitter?.getAttribute("formmethod") || form.method).toLowerCase() === "get";
  if (isGet) {
    url.search = new URLSearchParams(data);
    return openIn(dialog.id, url);
  }
  const answer = await fetch(url, { method: "POST", body: data, headers: { ...DIALOG, "X-CSRFToken": csrfToken() } });
  const target = answer.headers.get("X-Location") ?? (answer.redirected ? answer.url : "");
  if (target) return leave(target);
  if (answer.status >= 500) return notice("The server failed; its log says why.", "error");
  fill(dialog, await answer.text(), dialog.contains(form) ? dialog.dataset.url : url.href);
  if (!dialog.open) dialog.showModal();
}

// The same address again, or one that differs only after #, would not load by itself.
function leave(target) {
  const url = new URL(target, location.href);
  const isHere = url.pathname + url.search === location.pathname + location.search;
  isHere ? location.reload() : location.assign(url);
}

// Another view of the page in the drawer (a try, a state) comes there too; what begins with ? is meant of it, not of the page behind.
function turnPage(event) {
  const link = event.target.closest('#drawer a[href*="?"]:not([data-go], [data-dialog], [data-drawer])');
  if (!link || event.defaultPrevented) return;
  const here = new URL(link.closest("dialog").dataset.url, location.href);
  if (link.getAttribute("href").startsWith("?")) link.href = new URL(link.getAttribute("href"), here);
  if (link.hasAttribute("download") || event.ctrlKey || event.metaKey || event.shiftKey || link.pathname !== here.pathname) return;
  event.preventDefault();
  openIn("drawer", link.href);
}

function onClick(event) {
  turnPage(event);
  const link = event.target.closest("a[data-dialog], a[data-drawer]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    openIn("drawer" in link.dataset ? "drawer" : "dialog", link.href.baseVal ?? link.href); // a link of an SVG has a baseVal
  }
  const closing = event.target.closest("[data-close]")?.closest("dialog");
  if (closing) {
    event.preventDefault();
    closing.close();
  }
  if (event.target instanceof HTMLDialogElement && event.target.id !== "drawer") event.target.close();
  // <button data-copy="text"> copies the text.
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => notice("Copied"));
}

// A form outside of a dialog with data-dialog, or one that such a button sends, opens its answer in one.
// <form data-confirm="What will happen"> asks before it is sent.
function onSubmit(event) {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (question && !window.confirm(question)) return event.preventDefault();
  const dialog = form.closest("dialog") ?? ("dialog" in form.dataset || "dialog" in (event.submitter?.dataset ?? {}) ? document.getElementById("dialog") : null);
  if (!dialog || form.method === "dialog" || event.defaultPrevented) return;
  event.preventDefault();
  submit(dialog, form, event.submitter);
}

export function startDialogs() {
  // What is closed does not go on: nothing of it is asked for, and no log in it is followed.
  for (const dialog of document.querySelectorAll("#dialog, #drawer")) dialog.addEventListener("close", () => dialog.replaceChildren());
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit);
  // A select or a field that changes the address at once: <select data-submit>.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
    if (event.target.matches("[data-select-all]")) selectAll(event.target);
  });
}

function selectAll(box) {
  for (const one of box.closest("table").querySelectorAll('input[name="selected"]')) one.checked = box.checked;
}
