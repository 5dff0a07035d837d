// Results of actions. The server draws them; this adds those that only the browser knows about.

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
