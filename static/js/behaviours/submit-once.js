// Submit a form once: a second click does nothing, and its buttons are disabled until the answer comes.

export function submitOnce(form) {
  const release = () => {
    form.removeAttribute("aria-busy");
    buttons("[data-held]").forEach((button) => {
      button.disabled = false;
      delete button.dataset.held;
    });
  };
  // The form's buttons, also those outside it that name it in their attribute `form`.
  const buttons = (selector) =>
    [...document.querySelectorAll(selector)].filter((button) => button.form === form);
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented && !form.hasAttribute("hx-post")) return;
    if (form.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    form.setAttribute("aria-busy", "true");
    // Disable them later, not in this event: a disabled button would not send its own name and value.
    setTimeout(() => {
      buttons("button:not([type=button], [type=reset]), [type=submit]").forEach((button) => {
        if (!button.disabled) {
          button.disabled = true;
          button.dataset.held = "";
        }
      });
    });
  });
  window.addEventListener("pageshow", release);
  form.addEventListener("htmx:afterRequest", release);
}
