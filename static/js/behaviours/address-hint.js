// Offer the address that was probably meant when the form's e-mail address has a known misspelling of a domain
// (data-misspelt). The hidden field address_ok tells the server that the person has seen it: without script, the server
// asks once. The hint comes with the last letter and not when the field is left: it moves what is below, and a press of the
// button that leaves the field would miss it.

import { debounce } from "../lib/dom.js";

export function addressHint(box) {
  const input = box.closest("form").elements.email;
  const hint = box.querySelector("[role=status]");
  const button = hint.querySelector("button");
  const seen = box.querySelector("[name=address_ok]");
  const misspelt = JSON.parse(box.dataset.misspelt);

  const found = () => {
    const typed = input.value.trim();
    const at = typed.lastIndexOf("@");
    const given = at > 0 ? typed.slice(at + 1).toLowerCase() : "";
    return { typed, at, given, domain: Object.hasOwn(misspelt, given) ? misspelt[given] : undefined };
  };
  const check = () => {
    const { typed, at, domain } = found();
    button.textContent = domain ? `${typed.slice(0, at)}@${domain}` : "";
    hint.hidden = !domain;
    seen.value = domain ? typed : "";
  };
  const later = debounce(700, check);
  input.addEventListener("input", () => {
    const { given, domain } = found();
    // The rest may be on its way: «hotmail.co»
    if (domain?.startsWith(given)) later();
    else {
      later.cancel();
      check();
    }
  });
  input.addEventListener("change", check);
  check();
  button.addEventListener("click", () => {
    input.value = button.textContent;
    hint.hidden = true;
    seen.value = "";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
  });
}
