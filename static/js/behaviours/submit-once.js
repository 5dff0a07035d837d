// Submit a form once: a second click does nothing, and its buttons are disabled until the answer comes.

export function submitOnce(form) {
  const release = () => {
    form.removeAttribute("aria-busy");
    form.querySelectorAll("[data-held]").forEach((button) => {
      button.disabled = false;
      delete button.dataset.held;
    });
  };
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
      const own = form.id ? document.querySelectorAll(`[type=submit][form="${CSS.escape(form.id)}"]`) : [];
      [...form.querySelectorAll("button:not([type=button], [type=reset]), [type=submit]"), ...own].forEach(
        (button) => {
          if (!button.disabled) {
            button.disabled = true;
            button.dataset.held = "";
          }
        },
      );
    });
  });
  window.addEventListener("pageshow", release);
  form.addEventListener("htmx:afterRequest", release);
}
