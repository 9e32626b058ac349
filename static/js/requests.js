// Decides how scripts ask the server: with the token against forged requests, and with errors that say something.
// The address of a path of this server, which may live below a prefix.
export function at(path) {
  return document.body.dataset.root + path;
}

export function csrfToken() {
  return JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] ?? "";
}

export async function getText(url, headers = {}) {
  const answer = await fetch(url, { headers });
  if (!answer.ok) throw new Error(`${answer.status} for ${url}`);
  return answer.text();
}

export function post(url, body, headers = {}) {
  const isForm = body instanceof FormData;
  return fetch(url, {
    method: "POST",
    keepalive: !isForm, // A choice is kept even if the page is left at once.
    body: isForm ? body : JSON.stringify(body),
    headers: { "X-CSRFToken": csrfToken(), ...(isForm ? {} : { "Content-Type": "application/json" }), ...headers },
  });
}

// Says something in the corner for some seconds; screen readers hear it.
export function notice(text, kind = "info") {
  const line = document.createElement("p");
  line.className = `banner ${kind}`;
  line.textContent = text;
  document.getElementById("notices")?.append(line);
  setTimeout(() => line.remove(), 6000);
}
