// Decides how long a change can be taken back from the corner of the page: some seconds, longer while somebody is on it.
const OFFERED = 8_000;
const LOOK_AGAIN = 1_000;

export function mount(line) {
  const leave = () => (line.matches(":hover, :focus-within") ? setTimeout(leave, LOOK_AGAIN) : line.remove());
  setTimeout(leave, OFFERED);
}
