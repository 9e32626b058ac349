// Decides what the form of a connection does in a browser: it shows the fields of the type, keeps them and the JSON of
// `extra` in step, and has a worker test what the form says. The JSON text is the truth; without scripts it is edited itself.

const script = document.getElementById("connection-form-script");
const form = document.getElementById("connection_form");
const extra = document.getElementById("id_extra");
const type = document.getElementById("id_conn_type");
const MASK = "***";
const ACTIVE = ["pending", "queued", "running"];
const TITLES = new Map();

const fields = document.createElement("div");
fields.className = "connection-fields";
extra.closest(".form-row").before(fields);
const note = document.createElement("p");
note.id = "connection-note";
type.closest(".flex-container").after(note);
type.setAttribute("aria-describedby", note.id);

let shown = [];
let asked = 0;

function rowOf(name) {
  return form.querySelector(`.form-row.field-${name}`);
}

function documentOf(text) {
  try {
    const found = text.trim() ? JSON.parse(text) : {};
    return found && typeof found === "object" && !Array.isArray(found) ? found : null;
  } catch {
    return null;
  }
}

function applyStandard(looks) {
  for (const name of ["description", "host", "schema", "login", "password", "port", "extra"]) {
    const look = looks[name] ?? {};
    const row = rowOf(name);
    const input = document.getElementById(`id_${name}`);
    const label = row.querySelector("label");
    if (!TITLES.has(name)) TITLES.set(name, label.textContent);
    label.textContent = look.title ? `${look.title}:` : TITLES.get(name);
    input.placeholder = look.placeholder ?? "";
    // What holds something is never hidden. The text of `extra` is, where nothing is in it but the fields above it.
    row.classList.toggle("is-unused", Boolean(look.hidden) && !(name === "extra" ? hasMore() : input.value));
  }
}

function hasMore() {
  const found = documentOf(extra.value);
  return found === null || Object.keys(found).some((key) => !shown.some((field) => field.name === key));
}

function inputOf(field) {
  const kinds = [field.schema.type ?? "string"].flat();
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
  input.addEventListener("input", () => write(field, input));
  return input;
}

function valueOf(field, input) {
  const kinds = [field.schema.type ?? "string"].flat();
  if (input.value === "") return undefined;
  if (input.tagName === "SELECT") return JSON.parse(input.value);
  if (input.type === "number") return Number(input.value);
  if (input.tagName !== "TEXTAREA") return input.value;
  try {
    return JSON.parse(input.value);
  } catch {
    if (kinds.includes("string")) return input.value;
    throw new Error("no JSON");
  }
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
  const row = document.createElement("div");
  row.className = "form-row";
  const box = row.appendChild(document.createElement("div")).appendChild(document.createElement("div"));
  box.className = "flex-container";
  const label = document.createElement("label");
  label.htmlFor = `extra-${field.name}`;
  label.textContent = `${field.title}:`;
  box.append(label, inputOf(field));
  if (field.description) {
    const help = box.parentElement.appendChild(document.createElement("div"));
    help.className = "help";
    help.textContent = field.description;
  }
  return row;
}

async function applyType() {
  const number = ++asked;
  const answer = await fetch(`${script.dataset.typeUrl}?name=${encodeURIComponent(type.value.trim())}`);
  if (!answer.ok || number !== asked) return;
  const found = await answer.json();
  note.textContent = found.note ?? "";
  shown = found.fields;
  fields.replaceChildren(...shown.map(rowFor));
  shown.forEach(read);
  applyStandard(found.standard);
}

// The test: what the form says goes to the REST API; passwords that are not typed are those that are stored.
const button = document.getElementById("connection-test");
const result = document.getElementById("connection-test-result");

function order() {
  const body = { connection_id: document.getElementById("id_conn_id").value, conn_type: type.value.trim() };
  for (const name of ["host", "schema", "login"]) body[name] = document.getElementById(`id_${name}`).value || null;
  const port = document.getElementById("id_port").value;
  body.port = port === "" ? null : Number(port);
  body.extra = extra.value.trim() || null;
  const password = document.getElementById("id_password").value;
  if (password) body.password = password;
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

async function test() {
  button.disabled = true;
  tell("Waiting for a worker…");
  try {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
    let answer = await fetch(button.dataset.url, { method: "POST", headers, body: JSON.stringify(order()) });
    if (!answer.ok) return tell(await failure(answer), "is-bad");
    let state = await answer.json();
    const token = { "Airflow-Connection-Test-Token": state.token };
    while (ACTIVE.includes(state.state)) {
      await new Promise((done) => setTimeout(done, 700));
      answer = await fetch(button.dataset.url, { headers: token });
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

type.addEventListener("change", applyType);
extra.addEventListener("input", () => shown.forEach(read));
if (button) {
  button.disabled = false;
  button.addEventListener("click", test);
}
if (type.value) applyType();
