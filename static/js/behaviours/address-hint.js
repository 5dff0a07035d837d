// Offer the address that was probably meant when the form's e-mail address has a known misspelling of a domain
// (data-misspelt). The hidden field address_ok tells the server that the person has seen it: without script, the server
// asks once.

export function addressHint(box) {
  const input = box.closest("form").elements.email;
  const hint = box.querySelector("[role=status]");
  const button = hint.querySelector("button");
  const seen = box.querySelector("[name=address_ok]");
  const misspelt = JSON.parse(box.dataset.misspelt);

  const check = () => {
    const typed = input.value.trim();
    const at = typed.lastIndexOf("@");
    const domain = at > 0 && misspelt[typed.slice(at + 1).toLowerCase()];
    button.textContent = domain ? `${typed.slice(0, at)}@${domain}` : "";
    hint.hidden = !domain;
    seen.value = domain ? typed : "";
  };
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
