// Close a <details> used as a popover on an outside click, on Esc and when the focus leaves. Arrows move in its list.

export function menuBehaviour(menu) {
  const summary = menu.querySelector("summary");
  const close = (refocus) => {
    if (!menu.open) return;
    menu.open = false;
    if (refocus) summary.focus();
  };
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) close(false);
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) close(false);
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      event.stopPropagation();
      close(true);
    }
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && menu.open) {
      event.preventDefault();
      const items = [...menu.querySelectorAll(".menu__list :is(a, button)")].filter(
        (item) => item.getClientRects().length,
      );
      const step = event.key === "ArrowDown" ? 1 : -1;
      const at = items.indexOf(document.activeElement);
      items[(at + step + items.length) % items.length]?.focus();
    }
  });
}
