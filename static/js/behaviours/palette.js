// Open the palette (Ctrl K): type a folio or a word, choose with the arrows, open the choice with Enter. htmx loads the
// options. Without a choice, Enter submits the form, which shows a page of results.

export function palette(dialog) {
  const input = dialog.querySelector("input[role=combobox]");
  const list = dialog.querySelector("[role=listbox]");
  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  const choose = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    if (option) {
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    } else input.removeAttribute("aria-activedescendant");
  };
  const open = () => {
    if (!dialog.open) dialog.showModal();
    input.select();
    input.focus();
    if (!list.children.length) input.dispatchEvent(new Event("input", { bubbles: true }));
  };

  dialog.addEventListener("desk:open", open);
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open-palette]");
    if (!opener) return;
    event.preventDefault();
    open();
  });
  input.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(all[at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length]);
    }
    if (event.key === "Enter" && chosen()) {
      event.preventDefault();
      chosen().click();
    }
  });
  list.addEventListener("htmx:afterSettle", () => choose(input.value.trim() ? options()[0] : null));
}
