// Decides what the form of a connection does in a browser: it shows the fields of the type, keeps them and the JSON of
// `extra` in step, and has a worker test what the form says. The JSON text is the truth; without scripts it is edited itself.
// The form is that of a page (data-module), or that of the Django admin, which names itself by a script element.

const MASK = "***";
const ACTIVE = ["pending", "queued", "running"];
const STANDARD = ["description", "host", "schema", "login", "password", "port", "extra"];

function documentOf(text) {
  try {
    const found = text.trim() ? JSON.parse(text) : {};
    return found && typeof found === "object" && !Array.isArray(found) ? found : null;
  } catch {
    return null;
  }
}

function kindsOf(field) {
  return [field.schema.type ?? "string"].flat();
}

function valueOf(field, input) {
  if (input.value === "") return undefined;
  if (input.tagName === "SELECT") return JSON.parse(input.value);
  if (input.type === "number") return Number(input.value);
  if (input.tagName !== "TEXTAREA") return input.value;
  try {
    return JSON.parse(input.value);
  } catch {
    if (kindsOf(field).includes("string")) return input.value;
    throw new Error("no JSON");
  }
}

function emptyInput(field) {
  const kinds = kindsOf(field);
  const preset = field.schema.default;
  let input;
  if (field.schema.enum || kinds.includes("boolean")) {
    input = document.createElement("select");
    const choices = field.schema.enum ? field.schema.enum.map((item) => [item, String(item)]) : [[true, "yes"], [false, "no"]];
    const unset = preset == null ? "" : `default: ${choices.find(([value]) => value === preset)?.[1] ?? preset}`;
    input.append(new Option(unset, ""), ...choices.map(([value, text]) => new Option(text, JSON.stringify(value))));
  } else if (kinds.includes("object") || kinds.includes("array")) {
    input = document.createElement("textarea");
    input.rows = 3;
  } else {
    input = document.createElement("input");
    input.className = "vTextField";
    input.type = field.secret ? "password" : kinds.some((kind) => kind === "integer" || kind === "number") ? "number" : "text";
    if (field.secret) input.autocomplete = "new-password";
    if (kinds.includes("number")) input.step = "any";
  }
  input.id = `extra-${field.name}`;
  if (input.tagName !== "SELECT") input.placeholder = field.placeholder ?? (preset == null ? "" : `default: ${preset}`);
  return input;
}

// How the two forms look: where the note and the fields of a type go, and what a row is.
const IN_ADMIN = {
  row: (form, name) => form.querySelector(`.form-row.field-${name}`),
  title: (row) => row.querySelector("label"),
  end: ":",
  places(form) {
    const fields = document.createElement("div");
    fields.className = "connection-fields";
    form.elements.extra.closest(".form-row").before(fields);
    const note = document.createElement("p");
    form.elements.conn_type.closest(".flex-container").after(note);
    return { fields, note };
  },
  wrap(field, input) {
    const row = document.createElement("div");
    row.className = "form-row";
    const box = row.appendChild(document.createElement("div")).appendChild(document.createElement("div"));
    box.className = "flex-container";
    const label = document.createElement("label");
    label.htmlFor = input.id;
    label.textContent = `${field.title}:`;
    box.append(label, input);
    return [row, box.parentElement, "div"];
  },
};
const ON_PAGE = {
  row: (form, name) => form.querySelector(`[data-row="${name}"]`),
  title: (row) => row.querySelector("[data-title]"),
  end: "",
  places: (form) => ({ fields: form.querySelector("[data-extra-fields]"), note: form.querySelector("[data-note]") }),
  wrap(field, input) {
    const label = document.createElement("label");
    const title = label.appendChild(document.createElement("span"));
    title.textContent = field.title;
    label.append(input);
    return [label, label, "span"];
  },
};

function start(form, typeUrl, look, test) {
  const { extra, conn_type: type } = form.elements;
  const { fields, note } = look.places(form);
  note.id = "connection-note";
  type.setAttribute("aria-describedby", note.id);
  const titles = new Map();
  let shown = [];
  let asked = 0;

  function applyStandard(looks) {
    for (const name of STANDARD) {
      const facts = looks[name] ?? {};
      const row = look.row(form, name);
      const input = form.elements[name];
      const label = look.title(row);
      if (!titles.has(name)) titles.set(name, label.textContent);
      label.textContent = facts.title ? `${facts.title}${look.end}` : titles.get(name);
      input.placeholder = facts.placeholder ?? "";
      // What holds something is never hidden. The text of `extra` is, where nothing is in it but the fields above it.
      row.classList.toggle("is-unused", Boolean(facts.hidden) && !(name === "extra" ? hasMore() : input.value));
    }
  }

  function hasMore() {
    const found = documentOf(extra.value);
    return found === null || Object.keys(found).some((key) => !shown.some((field) => field.name === key));
  }

  function write(field, input) {
    const found = documentOf(extra.value);
    if (found === null) return;
    try {
      const value = valueOf(field, input);
      if (value === undefined) delete found[field.name];
      else found[field.name] = value;
      input.setCustomValidity("");
      input.removeAttribute("aria-invalid");
    } catch {
      input.setCustomValidity("This is no JSON.");
      input.setAttribute("aria-invalid", "true");
      return;
    }
    extra.value = Object.keys(found).length ? JSON.stringify(found, null, 2) : "";
  }

  function read(field) {
    const found = documentOf(extra.value);
    const input = document.getElementById(`extra-${field.name}`);
    if (input === document.activeElement) return;
    input.disabled = found === null;
    const value = found?.[field.name];
    if (field.secret && value === MASK) {
      input.value = "";
      input.placeholder = "stored; leave empty to keep it";
    } else if (value == null) {
      input.value = "";
    } else {
      const isPlain = input.tagName === "INPUT" || (input.tagName === "TEXTAREA" && typeof value === "string");
      input.value = isPlain ? String(value) : JSON.stringify(value, null, input.tagName === "TEXTAREA" ? 2 : 0);
    }
  }

  function rowFor(field) {
    const input = emptyInput(field);
    input.addEventListener("input", () => write(field, input));
    const [row, place, tag] = look.wrap(field, input);
    if (field.description) {
      const help = place.appendChild(document.createElement(tag));
      help.className = "help";
      help.textContent = field.description;
    }
    return row;
  }

  async function applyType() {
    const number = ++asked;
    const answer = await fetch(`${typeUrl}?name=${encodeURIComponent(type.value.trim())}`);
    if (!answer.ok || number !== asked) return;
    const found = await answer.json();
    note.textContent = found.note ?? "";
    shown = found.fields;
    fields.replaceChildren(...shown.map(rowFor));
    shown.forEach(read);
    applyStandard(found.standard);
  }

  type.addEventListener("change", applyType);
  extra.addEventListener("input", () => shown.forEach(read));
  if (type.value) applyType();
  if (test.button) startTest(form, test);
}

// The test: what the form says goes to the REST API; passwords that are not typed are those that are stored.
function startTest(form, { button, result, url }) {
  const { elements } = form;

  function order() {
    const body = { connection_id: elements.conn_id.value, conn_type: elements.conn_type.value.trim() };
    for (const name of ["host", "schema", "login"]) body[name] = elements[name].value || null;
    body.port = elements.port.value === "" ? null : Number(elements.port.value);
    body.extra = elements.extra.value.trim() || null;
    if (elements.password.value) body.password = elements.password.value;
    return body;
  }

  function tell(text, kind = "") {
    result.textContent = text;
    result.className = kind;
  }

  async function failure(answer) {
    const detail = (await answer.json().catch(() => ({}))).detail;
    return typeof detail === "string" ? detail : (detail?.map?.((item) => `${item.loc?.at(-1)}: ${item.msg}`).join("; ") ?? `${answer.status}`);
  }

  async function run() {
    button.disabled = true;
    tell("Waiting for a worker…");
    try {
      const headers = { "Content-Type": "application/json", "X-CSRFToken": elements.csrfmiddlewaretoken.value };
      let answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(order()) });
      if (!answer.ok) return tell(await failure(answer), "is-bad");
      let state = await answer.json();
      const token = { "Airflow-Connection-Test-Token": state.token };
      while (ACTIVE.includes(state.state) && form.isConnected) {
        await new Promise((done) => setTimeout(done, 700));
        answer = await fetch(url, { headers: token });
        if (!answer.ok) return tell(await failure(answer), "is-bad");
        state = await answer.json();
        tell(state.state === "running" ? "A worker tests the connection…" : "Waiting for a worker…");
      }
      tell(state.result_message ?? state.state, state.state === "success" ? "is-good" : "is-bad");
    } catch {
      tell("The server cannot be reached.", "is-bad");
    } finally {
      button.disabled = false;
    }
  }

  button.disabled = false;
  button.addEventListener("click", run);
}

export function mount(form) {
  const button = form.querySelector("[data-test]");
  start(form, form.dataset.typeUrl, ON_PAGE, { button, result: form.querySelector("[data-test-result]"), url: button?.dataset.test });
}

const inAdmin = document.getElementById("connection-form-script");
if (inAdmin) {
  const button = document.getElementById("connection-test");
  const test = { button, result: document.getElementById("connection-test-result"), url: button?.dataset.url };
  start(document.getElementById("connection_form"), inAdmin.dataset.typeUrl, IN_ADMIN, test);
}
