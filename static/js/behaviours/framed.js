// The assistant in the frame of another site: Esc and the button close it there, and the conversation is found again when
// the site's page is loaded anew. Its address opens it, so this tab keeps it where the site cannot read it.

const KEY = "desk-chat";

export function framed(element) {
  if (window.parent === window) return;
  const leave = () => window.parent.postMessage("desk:close", "*");
  const button = element.querySelector("[data-close]");
  button.hidden = false;
  button.addEventListener("click", leave);
  document.addEventListener("keydown", (event) => event.key === "Escape" && leave());
  const { kept, start } = element.dataset;
  try {
    if (kept) sessionStorage.setItem(KEY, kept);
    if (!("resumes" in element.dataset)) return;
    const address = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY); // one that opens nothing any more leads back here
    if (address?.startsWith(start)) location.replace(address);
  } catch {
    // Without storage a new conversation begins.
  }
}
