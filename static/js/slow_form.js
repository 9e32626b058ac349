// Decides what a button says while its form waits for an answer that takes seconds.
export function mount(form) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button");
    button.textContent = "Waiting…";
    setTimeout(() => (button.disabled = true));
  });
}
