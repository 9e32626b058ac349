// Decides how ages and running durations go on counting between two answers of the server.
const SIZES = [[86400, "d"], [3600, "h"], [60, "m"]];

export function distance(seconds) {
  const whole = Math.floor(Math.abs(seconds));
  const [size, unit] = SIZES.find(([size]) => whole >= size) ?? [1, "s"];
  const text = `${Math.floor(whole / size)} ${unit}`;
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}

export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  const two = (number) => String(number).padStart(2, "0");
  return minutes < 60 ? `${minutes} m ${two(Math.floor(seconds % 60))} s` : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
}

function tick() {
  if (document.hidden) return;
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const text = distance((Date.parse(element.dateTime) - now) / 1000);
    if (element.textContent !== text) element.textContent = text;
  }
  // <span data-running-since="2026-…">: the duration of what has not ended.
  for (const element of document.querySelectorAll("[data-running-since]")) {
    element.textContent = duration(Math.max(0, (now - Date.parse(element.dataset.runningSince)) / 1000));
  }
}

export function startTimes() {
  setInterval(tick, 1000);
}
