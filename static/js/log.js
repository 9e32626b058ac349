// Decides how a log grows on the page while its try runs, and which levels are shown.
const SOON = 1000;
const LATER = 5000;

async function grow(log) {
  const answer = await fetch(`${log.dataset.url}&position=${log.dataset.position}`);
  if (!answer.ok) throw new Error(answer.status);
  const more = await answer.json();
  log.dataset.position = more.position;
  log.insertAdjacentHTML("beforeend", more.html);
  if (document.querySelector("[data-follow]")?.checked) log.scrollTop = log.scrollHeight;
  return more.live;
}

async function follow(log) {
  for (let isLive = log.dataset.log === "yes"; isLive && log.isConnected; ) {
    await new Promise((wake) => setTimeout(wake, document.hidden ? LATER : SOON));
    if (document.hidden) continue;
    try {
      isLive = await grow(log);
    } catch {
      await new Promise((wake) => setTimeout(wake, LATER));
    }
  }
}

export function mount(log) {
  const level = document.querySelector("[data-level]");
  const choose = () => (log.dataset.least = level.value);
  log.scrollTop = log.scrollHeight;
  level?.addEventListener("change", choose);
  if (level) choose();
  follow(log);
}
