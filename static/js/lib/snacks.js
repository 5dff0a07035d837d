// Add a snack, the result of an action, that only the browser knows about. The server renders all others.

export function addSnack(text, kind = "ok") {
  const list = document.getElementById("snacks");
  if (!list || !text) return null;
  const snack = document.createElement("div");
  snack.className = "snack";
  snack.dataset.kind = kind;
  snack.dataset.behaviour = "snack";
  snack.setAttribute("role", kind === "error" ? "alert" : "status");
  const words = document.createElement("span");
  words.textContent = text;
  snack.append(words);
  list.append(snack);
  return snack;
}

// Why the server refused a request of a script with 401 or 403: `header` reads a header of its answer.
export function refusedText(header) {
  const texts = document.getElementById("snacks")?.dataset || {};
  return (header("Desk-Cookies-Blocked") ? texts.textCookies : texts.textExpired) || "";
}
