// Decides which lines of a log are on the page: one part of the file without gaps, which grows at both ends.
const MOST_LINES = 20_000;

export class Lines {
  constructor(viewer) {
    const { url, start, end, size, live } = viewer.dataset;
    Object.assign(this, { viewer, url, start: Number(start), end: Number(end), size: Number(size), isLive: live === "yes" });
    this.list = viewer.querySelector(".log");
    this.pane = viewer.querySelector("[data-lines]");
    this.number = viewer.dataset.number ? Number(viewer.dataset.number) + Number(viewer.dataset.count) : 0;
    this.listeners = [];
    this.busy = Promise.resolve();
    this.earlierButton = viewer.querySelector("[data-earlier]");
    this.laterButton = viewer.querySelector("[data-later]");
    this.earlierButton.addEventListener("click", (event) => this.#press(event, () => this.earlier()));
    this.laterButton.addEventListener("click", (event) => this.#press(event, () => this.later()));
    const sight = new IntersectionObserver((seen) => seen.forEach((entry) => entry.isIntersecting && this.#sight(entry.target)), { root: this.pane });
    [this.earlierButton, this.laterButton].forEach((element) => sight.observe(element));
    this.#buttons();
  }

  get isAtEnd() {
    return this.end >= this.size;
  }

  get isAtBottom() {
    return this.pane.scrollHeight - this.pane.scrollTop - this.pane.clientHeight < 24;
  }

  get isWhole() {
    return this.start === 0 && this.isAtEnd;
  }

  onChange(act) {
    this.listeners.push(act);
    act([...this.list.children]);
  }

  items() {
    return [...this.list.children];
  }

  shown() {
    return this.items().filter((line) => line.offsetParent !== null);
  }

  async ask(query) {
    const answer = await fetch(`${this.url}&${new URLSearchParams(query)}`, { headers: { "X-Requested-With": "fetch" } });
    if (answer.redirected || !answer.ok) throw new Error(answer.status);
    return answer.json();
  }

  // One change of the list at a time, in the order in which they were asked for.
  #alone(act) {
    const made = this.busy.then(act);
    this.busy = made.catch(() => {});
    return made;
  }

  later() {
    return this.#alone(async () => {
      const part = await this.ask({ fragment: "after", position: this.end, number: this.number || "" });
      this.list.insertAdjacentHTML("beforeend", part.html);
      Object.assign(this, { end: part.end, size: Math.max(part.size, part.end), isLive: part.live });
      if (this.number) this.number += part.count;
      this.#cut();
      this.#changed(part.count);
      return part.count;
    });
  }

  earlier() {
    return this.#alone(async () => {
      if (this.start === 0) return;
      const part = await this.ask({ fragment: "before", position: this.start });
      const { scrollHeight, scrollTop } = this.pane;
      this.list.insertAdjacentHTML("afterbegin", part.html);
      this.start = part.start;
      this.#changed(part.count);
      this.pane.scrollTop = scrollTop + this.pane.scrollHeight - scrollHeight;
    });
  }

  tail() {
    return this.#alone(async () => this.#replace(await this.ask({ fragment: "tail" })));
  }

  // Brings a line into sight, loading its part of the file where it is not here.
  async go(position) {
    let line = document.getElementById(`B${position}`);
    if (!line) {
      await this.#alone(async () => this.#replace(await this.ask({ fragment: "around", position })));
      line = document.getElementById(`B${position}`) ?? this.items().find((item) => Number(item.id.slice(1)) >= position);
    }
    this.mark(line);
    line?.scrollIntoView({ block: "center" });
    return line;
  }

  mark(line) {
    this.list.querySelector(".target")?.classList.remove("target");
    if (!line) return;
    line.hidden = false;
    line.classList.remove("out"); // What one asked for is shown, whatever the filters say.
    line.classList.add("target");
    line.dispatchEvent(new CustomEvent("log:reveal", { bubbles: true }));
  }

  async toTop() {
    if (this.start > 0) await this.#alone(async () => this.#replace(await this.ask({ fragment: "around", position: 0 })));
    this.pane.scrollTop = 0;
  }

  toBottom() {
    this.pane.scrollTop = this.pane.scrollHeight;
  }

  #replace(part) {
    this.list.innerHTML = part.html;
    Object.assign(this, { start: part.start, end: part.end, size: part.size, number: part.number ? part.number + part.count : 0 });
    this.#changed(part.count);
  }

  // What runs for days does not fill the memory of the browser.
  #cut() {
    const much = this.list.children.length - MOST_LINES;
    if (much <= 0) return;
    for (let left = much; left > 0; left -= 1) this.list.firstElementChild.remove();
    this.start = Number(this.list.firstElementChild.id.slice(1));
  }

  #changed(count) {
    this.#buttons();
    if (!count) return;
    this.viewer.querySelector("[data-absent]")?.remove();
    this.listeners.forEach((act) => act(this.items()));
  }

  #buttons() {
    this.earlierButton.hidden = this.start === 0;
    this.laterButton.hidden = this.isAtEnd;
  }

  #press(event, act) {
    event.preventDefault();
    act();
  }

  #sight(button) {
    if (button === this.earlierButton) this.pane.scrollTop < 200 && this.hasScrolled && this.earlier();
    else this.later();
    this.hasScrolled = true;
  }
}
