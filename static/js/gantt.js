// Decides how the bars of what runs go on growing on the time axis of a Gantt chart, until the server draws it anew.
export function mount(chart) {
  const timer = setInterval(() => {
    if (!chart.isConnected) return clearInterval(timer);
    const [start, end] = [Number(chart.dataset.startMs), Number(chart.dataset.endMs)];
    const now = Math.min(100, (100 * (Date.now() - start)) / (end - start));
    for (const bar of chart.querySelectorAll("rect.grows")) {
      const width = now - parseFloat(bar.getAttribute("x"));
      if (width > parseFloat(bar.getAttribute("width"))) bar.setAttribute("width", `${width.toFixed(3)}%`);
    }
  }, 500);
}
