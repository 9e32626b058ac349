// Decides what moves on a page: the switch of colours, parts that refresh while a run is live, and logs that grow.
const SOON = 1000;
const LATER = 5000;

function switchTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}

// Calls `step` again and again until it says that nothing more comes; a hidden tab asks for nothing.
async function repeat(step) {
  for (let isLive = true; isLive; ) {
    await new Promise((wake) => setTimeout(wake, document.hidden ? LATER : SOON));
    if (document.hidden) continue;
    try {
      isLive = await step();
    } catch {
      await new Promise((wake) => setTimeout(wake, LATER));
    }
  }
}

async function refresh(block) {
  const answer = await fetch(block.dataset.url, { headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok) throw new Error(answer.status);
  const html = await answer.text();
  if (html !== block.dataset.last) block.innerHTML = html;
  block.dataset.last = html;
  return answer.headers.get("X-Live") === "yes";
}

async function grow(log) {
  const answer = await fetch(`${log.dataset.url}&position=${log.dataset.position}`);
  if (!answer.ok) throw new Error(answer.status);
  const more = await answer.json();
  log.dataset.position = more.position;
  log.insertAdjacentHTML("beforeend", more.html);
  if (document.querySelector("[data-follow]")?.checked) log.scrollTop = log.scrollHeight;
  return more.live;
}

document.querySelector("[data-theme-switch]")?.addEventListener("click", switchTheme);
document.querySelectorAll('[data-live="yes"]').forEach((block) => repeat(() => refresh(block)));
document.querySelectorAll("[data-log]").forEach((log) => {
  log.scrollTop = log.scrollHeight;
  if (log.dataset.log === "yes") repeat(() => grow(log));
});
document.querySelector("[data-level]")?.addEventListener("change", (event) => {
  document.querySelector(".log").dataset.least = event.target.value;
});
