// Change the theme at once, and save it on the server for the next page.
import { post } from "../lib/dom.js";

export function themeToggle(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const root = document.documentElement;
    const dark =
      root.dataset.bsTheme === "dark" ||
      (root.dataset.bsTheme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.bsTheme = dark ? "light" : "dark";
    const body = new FormData();
    body.append("theme", root.dataset.bsTheme);
    post(form.action, body).catch(() => {});
  });
}
