// Decides how the fields of a run's configuration and the JSON beside them follow each other: the server says what either means.
import { post } from "./requests.js";

export function mount(form) {
  const place = form.querySelector("[data-fields]");
  const text = form.elements.conf;
  let turn = 0;

  async function check(source) {
    form.elements.source.value = source;
    const asked = ++turn;
    const answer = await post(form.dataset.check, new FormData(form));
    if (!answer.ok || asked !== turn) return;
    const said = await answer.json();
    if (source === "fields" && !said.error) text.value = said.conf;
    if (said.fields !== undefined && place) place.innerHTML = said.fields;
    show(said);
  }

  function show(said) {
    const problems = { ...said.problems, conf: said.error };
    for (const line of form.querySelectorAll("[data-problem-of]")) {
      const problem = problems[line.dataset.problemOf] ?? "";
      line.textContent = problem;
      line.closest(".param")?.classList.toggle("wrong", Boolean(problem));
      for (const field of fieldsOf(line)) problem ? field.setAttribute("aria-invalid", "true") : field.removeAttribute("aria-invalid");
    }
    // What is wrong with a value that has no field, such as a constant, is said below the JSON.
    const shown = new Set([...form.querySelectorAll("[data-problem-of]")].map((line) => line.dataset.problemOf));
    const others = Object.entries(said.problems).filter(([name]) => !shown.has(name)).map(([name, problem]) => `${name}: ${problem}`);
    if (!said.error && others.length) form.querySelector('[data-problem-of="conf"]').textContent = others.join(" ");
  }

  function fieldsOf(line) {
    const param = line.closest(".param");
    return param ? param.querySelectorAll("input:not([type=checkbox]), select, textarea") : [text];
  }

  form.addEventListener("change", (event) => {
    if (event.target === text) check("json");
    else if (event.target.name?.startsWith("param.")) check("fields");
  });
  form.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-conf]");
    if (!chosen) return;
    event.preventDefault();
    text.value = chosen.dataset.conf;
    chosen.closest("details").open = false;
    check("json");
  });
  // Enter in a text of several lines writes a line; with Ctrl it starts the run.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}
