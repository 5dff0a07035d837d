// Whose page this is, and what this browser keeps for that person. Several people may use one browser: what one of them
// typed must not be left for the next.

const MARK = "desk-person"; // whose page was loaded last in this browser
const PREFIX = "desk-draft:";

// A mark that tells nobody who it is; «-» on pages of visitors who are not signed in, and "" if the page does not know.
function person() {
  return document.body.dataset.person || "";
}

export function draftKey(name) {
  return `${PREFIX}${person()}:${name}`;
}

// Whether nobody else has opened a page in this browser since this one was loaded.
export function isStillOurs() {
  if (!person()) return true;
  try {
    return localStorage.getItem(MARK) === person();
  } catch {
    return false;
  }
}

// Delete the drafts of everybody else: after signing out, when a session has ended, and when another person signs in.
export function forgetOthers() {
  if (!person()) return;
  try {
    localStorage.setItem(MARK, person());
    for (const storage of [localStorage, sessionStorage])
      for (const key of Object.keys(storage))
        if (key.startsWith(PREFIX) && !key.startsWith(draftKey(""))) storage.removeItem(key);
  } catch {
    // Without storage there are no drafts.
  }
}

// «Back» may show a page from memory without asking the server. If it is somebody else's, hide it and load it again.
export function hideFromOthers() {
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted || isStillOurs()) return;
    document.documentElement.hidden = true;
    location.reload();
  });
}
