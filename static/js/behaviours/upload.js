// Upload files, two at a time, while the person goes on writing. The plain <input type=file multiple> stays: without
// script, or without data-upload-url, the files are sent with the form.
//
// The server's part: POST multipart with one `file` to data-upload-url answers
//   2xx  the file's row, components/_file.html: its hidden input carries the token that the form will send
//        if the row has data-insert, that is written in the textarea data-insert-into: the mark of a picture
//   422  the same row with state="error" and what is wrong in the reader's language
// If the form has a hidden field `carry`, each request sends it: it proves which draft the file belongs to. A row's [data-remove] may hold an address: POST there deletes the file on the server.
import { csrfToken, fill, language, post } from "../lib/dom.js";
import { addSnack, refusedText } from "../lib/snacks.js";

export function upload(box) {
  const input = box.querySelector("input[type=file]");
  const list = box.querySelector("[data-files]");
  const template = box.querySelector("template[data-row]");
  const used = box.querySelector("[data-used]");
  const zone = box.querySelector(".dropzone") || box.closest("form");
  const text = (name, values) => fill(box.dataset[`text${name}`] || "", values);
  const limit = Number(box.dataset.maxFiles) || Infinity;
  const maxBytes = (Number(box.dataset.maxMb) || Infinity) * 1e6;
  const running = new Map();
  const queue = [];

  const good = () =>
    [...list.querySelectorAll(".file")].filter((file) => file.dataset.state !== "error").length;
  const count = () => {
    if (used && limit < Infinity) used.textContent = good() ? text("Used", { n: good(), limit }) : "";
    box.classList.toggle("is-full", good() >= limit);
  };

  if (!box.dataset.uploadUrl) {
    input.classList.remove("visually-hidden");
    input.classList.add("form-control");
    box.classList.add("upload--plain"); // which hides the label that looks like a button
    input.setAttribute("aria-label", box.querySelector("legend, label")?.textContent.trim() || "");
    return;
  }

  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  if (zone) {
    const over = (on) => (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      zone.classList.toggle("is-over", on);
    };
    zone.addEventListener("dragenter", over(true));
    zone.addEventListener("dragover", over(true));
    zone.addEventListener("dragleave", (event) => zone.contains(event.relatedTarget) || over(false)(event));
    zone.addEventListener("drop", (event) => {
      over(false)(event);
      take([...event.dataTransfer.files]);
    });
  }
  for (const area of box.closest("form")?.querySelectorAll("textarea") || []) {
    area.addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (!files.length) return;
      event.preventDefault();
      take(files);
    });
  }
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove]");
    if (button) remove(button, event);
  });
  // Stop the form while files are uploading, because they would be missing; `next` submits it when all are done.
  box.closest("form")?.addEventListener(
    "submit",
    (event) => {
      if (!running.size && !queue.length) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if ("sendWhenDone" in box.dataset) return;
      box.dataset.sendWhenDone = "";
      addSnack(text("Waiting"), "info");
      document.dispatchEvent(new CustomEvent("desk:bind"));
    },
    true,
  );
  count();

  function take(files) {
    for (const file of files) {
      const row = newRow(file);
      if (file.size === 0) fail(row, text("Empty"));
      else if (file.size > maxBytes)
        fail(row, text("Size", { size: bytes(file.size), limit: bytes(maxBytes) }));
      else if (good() > limit) fail(row, text("Count", { limit }));
      else queue.push([file, row]);
    }
    next();
  }

  function newRow(file) {
    const row = template.content.firstElementChild.cloneNode(true);
    row.querySelector(".file__name").textContent = file.name;
    row.querySelector("progress").setAttribute("aria-label", text("Uploading", { name: file.name }));
    const meta = row.querySelector(".file__meta");
    meta.lastChild.textContent = text("Progress", { done: bytes(0), total: bytes(file.size) });
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-ghost btn-icon btn-sm file__act";
    button.dataset.remove = "";
    button.setAttribute("aria-label", text("Cancel", { name: file.name }));
    button.append(cross());
    row.querySelector(".file").append(button);
    list.append(row);
    count();
    return row;
  }

  function cross() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    const known = document.querySelector("use[href*='icons.svg#'], use[href*='icons.']");
    use.setAttribute(
      "href",
      `${known ? known.getAttribute("href").split("#")[0] : "/static/icons.svg"}#bi-x-lg`,
    );
    svg.append(use);
    return svg;
  }

  function next() {
    if (running.size >= 2) return;
    const waiting = queue.shift();
    if (!waiting) {
      if (!running.size && "sendWhenDone" in box.dataset) {
        delete box.dataset.sendWhenDone;
        if (!list.querySelector("[data-state=error]")) box.closest("form").requestSubmit();
      }
      return;
    }
    send(...waiting);
    next();
  }

  function proof() {
    const body = new FormData();
    const carry = box.closest("form")?.elements.carry;
    if (carry) body.append("carry", carry.value);
    return body;
  }

  function send(file, row) {
    const request = new XMLHttpRequest();
    const bar = row.querySelector("progress");
    const meta = row.querySelector(".file__meta").lastChild;
    running.set(row, request);
    request.upload.addEventListener("progress", (event) => {
      bar.value = (100 * event.loaded) / event.total;
      meta.textContent = text("Progress", {
        done: bytes(Math.min(event.loaded, file.size)),
        total: bytes(file.size),
      });
    });
    request.addEventListener("loadend", () => {
      running.delete(row);
      if (row.isConnected) settle(request, row, file);
      next();
    });
    const body = proof();
    body.append("file", file, file.name);
    request.open("POST", box.dataset.uploadUrl);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.send(body);
  }

  function settle(request, row, file) {
    const answered = (request.status >= 200 && request.status < 300) || request.status === 422;
    const fragment = answered
      ? new DOMParser().parseFromString(request.responseText, "text/html").querySelector("li")
      : null;
    if (fragment) row.replaceWith(fragment);
    if (fragment?.dataset.insert) insert(fragment.dataset.insert);
    else fail(row, whyNot(request, file));
    count();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function insert(mark) {
    const area = document.getElementById(box.dataset.insertInto);
    if (!area) return;
    const before = area.value.slice(0, area.selectionStart);
    const gap = before && !before.endsWith("\n") ? "\n\n" : "";
    area.setRangeText(`${gap}${mark}\n`, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function whyNot(request, file) {
    if (request.status === 413) return text("Size", { size: bytes(file.size), limit: bytes(maxBytes) });
    const refused = [401, 403].includes(request.status);
    return (refused && refusedText((name) => request.getResponseHeader(name))) || text("Failed");
  }

  function fail(row, message) {
    row.querySelector(".file").dataset.state = "error";
    row.querySelector("progress")?.remove();
    row.querySelector(".file__meta").textContent = message;
    row
      .querySelector("[data-remove]")
      .setAttribute("aria-label", text("Remove", { name: row.querySelector(".file__name").textContent }));
    count();
  }

  function remove(button, event) {
    event.preventDefault();
    const row = button.closest("li");
    running.get(row)?.abort();
    running.delete(row);
    const at = queue.findIndex(([, waiting]) => waiting === row);
    if (at >= 0) queue.splice(at, 1);
    if (button.dataset.remove) post(button.dataset.remove, proof()).catch(() => {});
    const neighbour = row.nextElementSibling || row.previousElementSibling;
    row.remove();
    (neighbour?.querySelector("[data-remove]") || input).focus();
    count();
    next();
  }
}

function bytes(size) {
  const [amount, unit] = size >= 999500 ? [size / 1e6, "MB"] : [size / 1e3, "kB"];
  const digits = unit === "MB" && amount < 99.95 ? 1 : 0;
  return `${new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(amount)}\u00a0${unit}`;
}
