// Send the form as soon as the person sees the page: not while the browser draws it ahead, for a page that they may never
// open, nor when «Back» shows it again.

export function sendNow(form) {
  const send = () => document.visibilityState === "visible" && form.requestSubmit();
  const came = performance.getEntriesByType("navigation")[0]?.type;
  if (came === "back_forward") return;
  if (document.prerendering) document.addEventListener("prerenderingchange", send, { once: true });
  else if (document.visibilityState === "visible") send();
  else document.addEventListener("visibilitychange", send, { once: true });
}
