// Helpers that several behaviours use.

export function csrfToken() {
  try {
    return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  } catch {
    return "";
  }
}

export function post(url, body) {
  return fetch(url, {
    method: "POST",
    body,
    credentials: "same-origin",
    keepalive: document.hidden, // the page may be closing
    headers: { "X-CSRFToken": csrfToken(), "X-Requested-With": "XMLHttpRequest" },
  });
}

export function debounce(wait, action) {
  let timer;
  const later = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      action(...args);
    }, wait);
  };
  later.cancel = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  later.flush = () => {
    if (timer === undefined) return;
    later.cancel();
    action();
  };
  return later;
}

// Replace {name} in `text` with values[name]: «Quedan {n} caracteres». Templates pass translated texts in data-text-…
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

export function language() {
  return document.documentElement.lang || "es";
}

export function isTyping(element) {
  const field =
    "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable=true]";
  return Boolean(element?.closest?.(field));
}

export function visible(element) {
  return Boolean(element) && element.getClientRects().length > 0;
}
