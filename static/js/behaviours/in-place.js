// A form that htmx posts into the page's content: a refused one replaces the content and adds no step to «Back».
// If the server answers with another page (the form expired, too many requests, an error), the browser posts the form
// itself and shows that page. A page that «Back» restores after its form was accepted is loaded again.

export function inPlace(form) {
  let accepted = false;

  form.addEventListener("htmx:beforeOnLoad", (event) => {
    const next = event.detail.xhr.getResponseHeader("HX-Redirect");
    if (event.target !== form || !next) return;
    accepted = true;
    const url = new URL(next, location.href);
    if (url.pathname + url.search !== location.pathname + location.search) return; // htmx goes there
    // The same page at another place, such as the new message: going there alone would not load it again.
    event.preventDefault();
    history.replaceState(null, "", url);
    location.reload();
  });
  form.addEventListener("htmx:responseError", (event) => {
    if (event.target !== form) return;
    const pressed = event.detail.requestConfig.triggeringEvent?.submitter;
    if (pressed?.name) {
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = pressed.name;
      field.value = pressed.value;
      form.append(field);
    }
    form.submit();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && accepted) location.reload();
  });
}
