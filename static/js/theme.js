// Decides the colours before the first paint: what the person chose, else what the system says.
(() => {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
})();
