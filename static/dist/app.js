const bound = new WeakMap();
function bindAll(behaviours, root) {
  const elements = [...root.querySelectorAll("[data-behaviour]")];
  if (root instanceof Element && root.dataset.behaviour) elements.unshift(root);
  for (const element of elements) {
    const done = bound.get(element) || new Set();
    bound.set(element, done);
    for (const name of element.dataset.behaviour.split(/\s+/)) {
      if (!done.has(name) && behaviours[name]) {
        done.add(name);
        behaviours[name](element);
      }
    }
  }
}
function addSnack(text, kind = "ok") {
  const list = document.getElementById("snacks");
  if (!list || !text) return null;
  const snack = document.createElement("div");
  snack.className = "snack";
  snack.dataset.kind = kind;
  snack.dataset.behaviour = "snack";
  snack.setAttribute("role", kind === "error" ? "alert" : "status");
  const words = document.createElement("span");
  words.textContent = text;
  snack.append(words);
  list.append(snack);
  return snack;
}
function autosize(area) {
  if (CSS.supports("field-sizing", "content")) {
    area.classList.add("grows");
    return;
  }
  const fit = () => {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, window.innerHeight / 2)}px`;
  };
  area.addEventListener("input", fit);
  fit();
}
function csrfToken() {
  try {
    return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  } catch {
    return "";
  }
}
function post(url, body) {
  return fetch(url, {
    method: "POST",
    body,
    credentials: "same-origin",
    headers: { "X-CSRFToken": csrfToken(), "X-Requested-With": "XMLHttpRequest" },
  });
}
function debounce(wait, action) {
  let timer;
  const later = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(action, wait, ...args);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}
function language() {
  return document.documentElement.lang || "es";
}
function isTyping(element) {
  return Boolean(element && element.closest && element.closest("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable=true]"));
}
function visible(element) {
  return Boolean(element) && element.getClientRects().length > 0;
}
function charCounter(area) {
  const limit = area.maxLength;
  if (limit <= 0 || !area.dataset.textLeft) return;
  const note = document.createElement("div");
  note.className = "form-text text-end";
  note.setAttribute("role", "status");
  area.after(note);
  const count = () => {
    const left = limit - area.value.length;
    note.textContent = left <= limit / 5 ? fill(area.dataset.textLeft, { n: left }) : "";
  };
  area.addEventListener("input", count);
  count();
}
function composerModes(form) {
  const area = form.querySelector("textarea");
  const steps = form.querySelector("textarea[name=steps]");
  const label = form.querySelector("[data-submit-label]");
  let current = form.querySelector("[data-modo]:checked");
  const apply = () => {
    if (!current) return;
    if (current.dataset.hint) area.placeholder = current.dataset.hint;
    const submit = (current.dataset.modo === "publica" && form.elements.version?.dataset.followUp) || current.dataset.submit;
    if (label && submit) label.textContent = submit;
  };
  const swap = (from, to) => {
    if (!from || from === to || !("body" in to.dataset)) return;
    const moves = [from, to].every((mode) => mode.dataset.modo !== "nota") && !to.dataset.body;
    from.dataset.body = moves ? "" : area.value;
    if (steps) from.dataset.steps = steps.value;
    if (!moves) area.value = to.dataset.body;
    if (steps) steps.value = to.dataset.steps || "";
    if (!moves || !area.value) return;
    form.dispatchEvent(new CustomEvent("desk:forget", { detail: { [from.name]: from.value, [area.name]: "" } }));
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  form.addEventListener("change", (event) => {
    if (!event.target.matches("[data-modo]")) return;
    swap(current, event.target);
    current = event.target;
    apply();
    form.dispatchEvent(new CustomEvent("desk:mode", { bubbles: true }));
  });
  document.addEventListener("htmx:oobAfterSwap", () => form.isConnected && apply());
  form.addEventListener("desk:write", () => area.focus());
  form.addEventListener("keydown", (event) => {
    if (event.target.matches("textarea") && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  apply();
}
function copyLink(button) {
  if (!navigator.clipboard) {
    button.hidden = true;
    return;
  }
  button.hidden = false;
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    await navigator.clipboard.writeText(new URL(button.dataset.copy || button.getAttribute("href") || "", location.href).href);
    addSnack(button.dataset.textCopied);
    document.dispatchEvent(new CustomEvent("desk:bind"));
  });
}
function ctrlEnter(form) {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented || event.isComposing) return;
    if (!form.isConnected || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    form.requestSubmit();
  });
}
function dialogOpener(opener) {
  opener.addEventListener("click", (event) => {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (!dialog) return;
    event.preventDefault();
    opener.closest("details.menu")?.removeAttribute("open");
    if (!dialog.open) dialog.showModal();
  });
}
function dialogs() {
  document.addEventListener("htmx:afterSettle", (event) => {
    const dialog = event.target.closest?.("dialog[open]");
    if (dialog && document.activeElement.matches("dialog, [data-close]") && matchMedia("(pointer: fine)").matches) firstField(dialog)?.focus();
  });
  document.addEventListener("click", (event) => {
    const dialog = event.target.closest("dialog[open]");
    if (!dialog) return;
    const outside = event.target === dialog && !inBox(dialog, event);
    if (outside || event.target.closest("[data-close]")) dialog.close();
  });
}
function firstField(dialog) {
  return dialog.querySelector("[autofocus]") || dialog.querySelector("input:not([type=hidden]), select, textarea");
}
function inBox(dialog, event) {
  const box = dialog.getBoundingClientRect();
  return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
}
const OURS = new Set(["csrfmiddlewaretoken", "version"]); // the page renews these by itself
function dirtyGuard(form) {
  const state = () => new URLSearchParams([...new FormData(form)].filter(([name, value]) => typeof value === "string" && !OURS.has(name))).toString();
  let clean = state();
  const settle = () => {
    clean = state();
  };
  form.addEventListener("submit", settle);
  form.addEventListener("desk:kept", settle);
  window.addEventListener("beforeunload", (event) => {
    if (form.isConnected && state() !== clean) event.preventDefault();
  });
}
const WEEK = 7 * 24 * 3600 * 1000;
const PREFIX = "desk-draft:";
function draft(form) {
  const key = form.dataset.draftKey ? PREFIX + form.dataset.draftKey : "";
  const url = form.dataset.draftUrl;
  const status = form.querySelector("[data-draft-status]");
  const say = (text) => {
    if (status) status.textContent = text || "";
  };
  const fields = () => [...form.querySelectorAll("textarea[name], input[name]:is([type=text], [type=search], [type=tel], :not([type]))")].filter((field) => !field.readOnly && !field.disabled);
  const mode = (value) => form.querySelector(value ? `[data-modo][value="${CSS.escape(value)}"]` : "[data-modo]:checked");
  const keepHere = (sent = false) => {
    if (!key) return false;
    const values = Object.fromEntries(fields().map((field) => [field.name, field.value]));
    try {
      if (Object.values(values).some((value) => value.trim())) localStorage.setItem(key, JSON.stringify({ at: Date.now(), sent, values, mode: mode()?.value }));
      else localStorage.removeItem(key);
      return true;
    } catch {
      return false;
    }
  };
  const kept = () => {
    const time = new Intl.DateTimeFormat(language(), { hour: "numeric", minute: "2-digit", hour12: false, timeZone: form.dataset.timeZone || undefined }).format(new Date());
    say(fill(form.dataset.textSaved || "", { time }));
    form.dispatchEvent(new CustomEvent("desk:kept"));
  };
  const save = debounce(800, async () => {
    let saved = false;
    if (url) {
      const body = new FormData(form);
      [...body].forEach(([name, value]) => value instanceof File && body.delete(name));
      try {
        const { status } = await post(url, body);
        saved = status < 300;
        if ([401, 403].includes(status)) document.dispatchEvent(new CustomEvent("desk:expired"));
      } catch {
        saved = false;
      }
    }
    if (saved && key) localStorage.removeItem(key);
    if (saved || keepHere()) kept();
  });
  if (key) restore();
  form.addEventListener("desk:forget", (event) => {
    const body = new FormData();
    Object.entries(event.detail).forEach(([name, value]) => body.append(name, value));
    if (url) post(url, body).catch(() => {});
  });
  form.addEventListener("input", save);
  form.addEventListener("submit", () => {
    save.cancel();
    keepHere(true); // stays until the text is seen on the page: a session may have ended meanwhile
  });
  function restore() {
    let stored;
    try {
      stored = JSON.parse(localStorage.getItem(key));
    } catch {
      stored = null;
    }
    if (!stored) return;
    const page = letters(document.getElementById("contenido")?.textContent || "");
    const longest = Object.values(stored.values).map(letters).reduce((one, other) => (other.length > one.length ? other : one), "");
    const seen = longest.length > 3 && page.includes(longest.slice(0, 200));
    const arrived = stored.sent && (seen || location.hash.startsWith("#mensaje-"));
    if (arrived || Date.now() - stored.at > WEEK) {
      localStorage.removeItem(key);
      return;
    }
    const kind = stored.mode && mode(stored.mode);
    if (kind && !kind.checked) kind.click();
    let restored = false;
    for (const field of fields()) {
      const value = joined(field, stored.values[field.name] || "");
      if (value !== field.value) {
        field.value = value;
        field.dispatchEvent(new Event("input", { bubbles: false }));
        restored = true;
      }
    }
    if (restored) say(form.dataset.textRestored);
  }
}
function joined(field, kept) {
  const here = field.value;
  if (!kept.trim() || here.includes(kept.trim())) return here;
  if (!here.trim() || kept.startsWith(here.trim())) return kept;
  return field.matches("textarea") ? `${here.trimEnd()}\n\n${kept}` : here;
}
function letters(text) {
  return text.replace(/[^\p{L}]+/gu, "");
}
function errorSummary(alert) {
  const form = alert.closest("form") || document;
  const field = form.querySelector("[aria-invalid=true]:not([type=hidden])");
  if (field) field.focus();
  else {
    alert.tabIndex = -1;
    alert.focus();
  }
}
function goBack(button) {
  button.hidden = history.length < 2;
  button.addEventListener("click", () => history.back());
}
function inView(element) {
  element.scrollIntoView({ block: "nearest" });
}
function inlineEdits() {
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("form.inline-edit");
    if (!form) return;
    if (event.key === "Enter" && event.target.matches("select")) form.requestSubmit();
    else if (event.key === "Escape") form.querySelector("[data-cancel]").click();
    else return;
    event.preventDefault();
  });
}
function insertText(button) {
  button.addEventListener("click", (event) => {
    const area = document.getElementById(button.dataset.target || "composer-body");
    if (!area) return;
    event.preventDefault();
    button.closest("details.menu")?.removeAttribute("open");
    const mode = button.dataset.mode && area.form.querySelector(`[data-modo][value="${CSS.escape(button.dataset.mode)}"]`);
    if (mode && !mode.checked) mode.click();
    const gap = area.value && !area.value.endsWith("\n") ? "\n\n" : "";
    area.setRangeText(gap + button.dataset.insert, area.value.length, area.value.length, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  });
}
const PAUSE = 1200;
function keys(body) {
  let first = "";
  let timer;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      const palette = document.getElementById("palette");
      if (palette) {
        event.preventDefault();
        palette.dispatchEvent(new CustomEvent("desk:open"));
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || body.dataset.shortcuts === "off") return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const pair = first && `${first} ${key}`;
    const holder = (pair && holderOf(pair)) || holderOf(key);
    clearTimeout(timer);
    first = holder || key.length > 1 ? "" : key;
    timer = setTimeout(() => {
      first = "";
    }, PAUSE);
    if (holder) {
      event.preventDefault();
      press(holder);
    }
  });
}
function holderOf(key) {
  return [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((element) => !element.disabled && (visible(element) || element.type === "radio" || element.closest("details.menu")));
}
function press(element) {
  if (element.matches("input:not([type=radio], [type=checkbox]), textarea, select")) {
    element.focus();
    element.select?.();
    return;
  }
  element.click();
  if (element.type === "radio") element.form?.dispatchEvent(new CustomEvent("desk:write"));
}
const BEFORE = /(?:^|[\s(])@([^\s@]{0,40})$/;
function mentions(box) {
  const form = box.closest("form");
  const area = form?.querySelector("textarea");
  if (!area) return;
  const list = document.createElement("div");
  list.className = "mentions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", box.dataset.label);
  list.id = "mentions";
  list.hidden = true;
  box.append(list);
  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");
  const typed = () => (form.querySelector("[data-modo=nota]:checked") ? BEFORE.exec(area.value.slice(0, area.selectionStart)) : null);
  const choose = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    if (option) area.setAttribute("aria-activedescendant", option.id);
    else area.removeAttribute("aria-activedescendant");
  };
  const close = () => {
    list.hidden = true;
    area.removeAttribute("aria-activedescendant");
  };
  const write = (option) => {
    const found = typed();
    if (!found || !option) return;
    const from = area.selectionStart - found[1].length;
    area.setRangeText(`${option.dataset.email} `, from, area.selectionStart, "end");
    close();
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  };
  const look = debounce(150, async () => {
    const found = typed();
    if (!found) return close();
    const answer = await fetch(`${box.dataset.mentions.split("?")[0]}?q=${encodeURIComponent(found[1])}`, { credentials: "same-origin", headers: { "X-Requested-With": "XMLHttpRequest" } }).catch(() => null);
    if (!answer?.ok || !typed()) return close();
    list.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.children);
    options().forEach((option, index) => {
      option.id = `mention-${index}`;
    });
    list.hidden = !list.children.length;
    choose(options()[0]);
  });
  area.addEventListener("input", () => (typed() ? look() : close()));
  area.addEventListener("blur", () => setTimeout(close, 200));
  area.addEventListener("keydown", (event) => {
    const all = options();
    if (list.hidden || !all.length) return;
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") choose(all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey) write(chosen());
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    write(event.target.closest("[role=option]"));
  });
}
function menuBehaviour(menu) {
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
      const items = [...menu.querySelectorAll(".menu__list :is(a, button)")].filter((item) => item.getClientRects().length);
      const step = event.key === "ArrowDown" ? 1 : -1;
      const at = items.indexOf(document.activeElement);
      items[(at + step + items.length) % items.length]?.focus();
    }
  });
}
function palette(dialog) {
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
function passwordEye(button) {
  const field = document.getElementById(button.dataset.target);
  if (!field) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });
}
function poll(region) {
  let memory = null;
  region.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt === region && document.hidden && !event.detail.requestConfig?.triggeringEvent?.isTrusted) event.preventDefault();
  });
  region.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.requestConfig.elt !== region || event.detail.xhr.status === 204) return;
    if (busy(region)) {
      event.detail.shouldSwap = false;
      return;
    }
    const scroller = region.closest("[data-keep-scroll]") || region.querySelector("[data-keep-scroll]");
    memory = {
      focus: placeOf(region),
      open: [...region.querySelectorAll("details[open][id]")].map((item) => item.id),
      scroller: scroller?.id,
      top: scroller?.scrollTop,
      atEnd: scroller ? scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40 : false,
    };
  });
  region.addEventListener("htmx:afterSettle", () => {
    if (!memory) return;
    memory.open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    const scroller = memory.scroller && document.getElementById(memory.scroller);
    if (memory.focus && document.activeElement === document.body) region.querySelector(memory.focus)?.focus({ preventScroll: true });
    if (scroller) scroller.scrollTop = memory.atEnd ? scroller.scrollHeight : memory.top;
    memory = null;
  });
}
function busy(region) {
  const focused = document.activeElement;
  if (focused && focused !== region && region.contains(focused) && focused.matches("input, textarea, select, [contenteditable=true]")) return true;
  if (region.querySelector("details.menu[open], dialog[open], .inline-edit")) return true;
  if ([...region.querySelectorAll("textarea, input:is([type=text], [type=email], :not([type]))")].some((field) => field.value !== field.defaultValue)) return true;
  const selection = document.getSelection();
  return Boolean(selection && !selection.isCollapsed && region.contains(selection.anchorNode));
}
function placeOf(region) {
  const focused = document.activeElement;
  if (focused === region || !region.contains(focused)) return "";
  const name = ["id", "data-key", "href", "name", "aria-label"].find((one) => focused.getAttribute(one));
  return name ? `${focused.localName}[${name}="${CSS.escape(focused.getAttribute(name))}"]` : "";
}
function scrollToEnd(region) {
  region.scrollTop = region.scrollHeight;
}
function queueKeys(queue) {
  let at = "";
  let anchor = null;
  const rows = () => [...queue.querySelectorAll("[data-row]")];
  const boxOf = (row) => row.querySelector("input[type=checkbox]");
  const cursor = () => queue.querySelector("[data-cursor]");
  function move(row, quietly = false) {
    cursor()?.removeAttribute("data-cursor");
    if (!row) return;
    row.setAttribute("data-cursor", "");
    at = row.dataset.row;
    if (quietly) return;
    row.querySelector("[data-open]")?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
  function step(by) {
    const all = rows();
    const index = all.indexOf(cursor());
    move(all[index < 0 ? 0 : Math.min(Math.max(index + by, 0), all.length - 1)]);
  }
  function mark(row, on, range) {
    const all = rows();
    const from = range && anchor ? all.indexOf(all.find((item) => item.dataset.row === anchor)) : -1;
    const to = all.indexOf(row);
    const chosen = from >= 0 ? all.slice(Math.min(from, to), Math.max(from, to) + 1) : [row];
    chosen.map(boxOf).filter(Boolean).forEach((box) => {
      box.checked = on;
    });
    anchor = row.dataset.row;
    tell();
  }
  function tell() {
    const boxes = rows().map(boxOf).filter(Boolean);
    const chosen = boxes.filter((box) => box.checked);
    rows().forEach((row) => row.toggleAttribute("data-selected", Boolean(boxOf(row)?.checked)));
    const all = queue.querySelector("[data-select-all]");
    if (all) {
      all.checked = chosen.length > 0 && chosen.length === boxes.length;
      all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
    }
    const note = document.querySelector("[data-selected-count]");
    const words = chosen.length && (chosen.length === 1 ? note?.dataset.textOne : note?.dataset.textMany);
    if (note && words) note.textContent = words.replace("{n}", chosen.length);
    document.querySelectorAll(".bulkbar").forEach((bar) => bar.toggleAttribute("hidden", !chosen.length));
  }
  document.addEventListener("keydown", (event) => {
    if (!queue.isConnected || document.body.dataset.shortcuts === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && queue.querySelector("[data-row] input:checked")) clear();
    if (isTyping(event.target)) return;
    const row = cursor();
    switch (event.key.toLowerCase()) {
      case "j":
        step(1);
        break;
      case "k":
        step(-1);
        break;
      case "x":
        if (row) mark(row, !boxOf(row)?.checked || event.shiftKey, event.shiftKey);
        break;
      case "enter":
        if (!row || event.target.closest("a, button, summary, input")) return;
        row.querySelector("[data-open]")?.click();
        break;
      default:
        return;
    }
    event.preventDefault();
  });
  queue.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      rows().map(boxOf).filter(Boolean).forEach((box) => {
        box.checked = event.target.checked;
      });
    }
    tell();
  });
  queue.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (!row) return;
    move(row, true);
    if (event.target.matches("input[type=checkbox]")) mark(row, event.target.checked, event.shiftKey);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-clear]")) {
      event.preventDefault();
      clear();
    }
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!queue.isConnected) return;
    if (at && !cursor()) move(rows().find((row) => row.dataset.row === at), true);
    tell();
  });
  tell();
  function clear() {
    queue.querySelectorAll("input[type=checkbox]").forEach((box) => {
      box.checked = false;
    });
    tell();
  }
}
const clocks = new Set();
function relativeTime(element) {
  if (!clocks.size) setInterval(() => clocks.forEach(tellTime), 20000);
  clocks.add(element);
  tellTime(element);
}
function tellTime(element) {
  if (!element.isConnected) {
    clocks.delete(element);
    return;
  }
  const seconds = (Date.now() - Date.parse(element.dateTime)) / 1000;
  if (!(seconds >= 60 && seconds < 86400)) return;
  const words = new Intl.RelativeTimeFormat(language(), { numeric: "always", style: "short" });
  const text = seconds < 3600 ? words.format(-Math.floor(seconds / 60), "minute") : words.format(-Math.floor(seconds / 3600), "hour");
  if (element.textContent !== text) element.textContent = text;
}
function shownWhen(box) {
  const form = box.closest("form");
  const conditions = Object.entries(JSON.parse(box.dataset.shownWhen));
  const apply = () => {
    const given = new FormData(form);
    box.hidden = !conditions.every(([name, values]) => given.getAll(name).some((value) => values.includes(value)));
  };
  form.addEventListener("change", apply);
  apply();
}
function slashOpens(menu) {
  const area = menu.closest("form")?.querySelector("textarea");
  area?.addEventListener("keydown", (event) => {
    if (event.key !== "/" || area.value.trim() || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    menu.open = true;
    menu.querySelector(".menu__list :is(a, button)")?.focus();
  });
}
const STAY = 5000;
function snackBehaviour(snack) {
  const close = snack.querySelector("[data-close]");
  if (close) {
    close.hidden = false;
    close.addEventListener("click", () => snack.remove());
  }
  if (snack.dataset.kind === "error" || !snack.closest(".snacks")) return;
  let timer;
  const start = () => {
    timer = setTimeout(() => snack.remove(), STAY);
  };
  const hold = () => clearTimeout(timer);
  snack.addEventListener("pointerenter", hold);
  snack.addEventListener("pointerleave", start);
  snack.addEventListener("focusin", hold);
  snack.addEventListener("focusout", start);
  start();
}
function submitOnce(form) {
  const release = () => {
    form.removeAttribute("aria-busy");
    form.querySelectorAll("[data-held]").forEach((button) => {
      button.disabled = false;
      delete button.dataset.held;
    });
  };
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented && !form.hasAttribute("hx-post")) return;
    if (form.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    form.setAttribute("aria-busy", "true");
    setTimeout(() => {
      const own = form.id ? document.querySelectorAll(`[type=submit][form="${CSS.escape(form.id)}"]`) : [];
      [...form.querySelectorAll("button:not([type=button], [type=reset]), [type=submit]"), ...own].forEach((button) => {
        if (!button.disabled) {
          button.disabled = true;
          button.dataset.held = "";
        }
      });
    });
  });
  window.addEventListener("pageshow", release);
  form.addEventListener("htmx:afterRequest", release);
}
function themeToggle(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const root = document.documentElement;
    const dark = root.dataset.bsTheme === "dark" || (root.dataset.bsTheme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.bsTheme = dark ? "light" : "dark";
    const body = new FormData();
    body.append("theme", root.dataset.bsTheme);
    post(form.action, body).catch(() => {});
  });
}
function unfold(details) {
  details.querySelector("summary").addEventListener("click", () => {
    setTimeout(() => details.open && details.querySelector("textarea, select, input:not([type=hidden]), button")?.focus());
  });
}
function upload(box) {
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
  const good = () => [...list.querySelectorAll(".file")].filter((file) => file.dataset.state !== "error").length;
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
  box.closest("form")?.querySelectorAll("textarea").forEach((area) =>
    area.addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (!files.length) return;
      event.preventDefault();
      take(files);
    }),
  );
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove]");
    if (button) remove(button, event);
  });
  box.closest("form")?.addEventListener("submit", (event) => {
    if (!running.size && !queue.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if ("sendWhenDone" in box.dataset) return;
    box.dataset.sendWhenDone = "";
    addSnack(text("Waiting"), "info");
    document.dispatchEvent(new CustomEvent("desk:bind"));
  }, true);
  count();
  function take(files) {
    for (const file of files) {
      const row = newRow(file);
      if (file.size === 0) fail(row, text("Empty"));
      else if (file.size > maxBytes) fail(row, text("Size", { size: bytes(file.size), limit: bytes(maxBytes) }));
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
    use.setAttribute("href", `${known ? known.getAttribute("href").split("#")[0] : "/static/icons.svg"}#bi-x-lg`);
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
  function send(file, row) {
    const request = new XMLHttpRequest();
    const bar = row.querySelector("progress");
    const meta = row.querySelector(".file__meta").lastChild;
    running.set(row, request);
    request.upload.addEventListener("progress", (event) => {
      bar.value = (100 * event.loaded) / event.total;
      meta.textContent = text("Progress", { done: bytes(Math.min(event.loaded, file.size)), total: bytes(file.size) });
    });
    request.addEventListener("loadend", () => {
      running.delete(row);
      if (row.isConnected) settle(request, row, file);
      next();
    });
    const body = new FormData();
    body.append("file", file, file.name);
    request.open("POST", box.dataset.uploadUrl);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
    request.send(body);
  }
  function settle(request, row, file) {
    const answered = (request.status >= 200 && request.status < 300) || request.status === 422;
    const fragment = answered ? new DOMParser().parseFromString(request.responseText, "text/html").querySelector("li") : null;
    if (fragment) row.replaceWith(fragment);
    else fail(row, request.status === 413 ? text("Size", { size: bytes(file.size), limit: bytes(maxBytes) }) : text("Failed"));
    count();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function fail(row, message) {
    row.querySelector(".file").dataset.state = "error";
    row.querySelector("progress")?.remove();
    row.querySelector(".file__meta").textContent = message;
    row.querySelector("[data-remove]").setAttribute("aria-label", text("Remove", { name: row.querySelector(".file__name").textContent }));
    count();
  }
  function remove(button, event) {
    event.preventDefault();
    const row = button.closest("li");
    running.get(row)?.abort();
    running.delete(row);
    const at = queue.findIndex(([, waiting]) => waiting === row);
    if (at >= 0) queue.splice(at, 1);
    if (button.dataset.remove) post(button.dataset.remove, new FormData()).catch(() => {});
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
const WHILE = 8000;
function writing(field) {
  let timer;
  document.getElementById(field.dataset.form)?.addEventListener("input", () => {
    field.value = "1";
    clearTimeout(timer);
    timer = setTimeout(() => {
      field.value = "0";
    }, WHILE);
  });
}
const behaviours = {
  autosize,
  "char-counter": charCounter,
  "composer-modes": composerModes,
  "copy-link": copyLink,
  "ctrl-enter": ctrlEnter,
  dialog: dialogOpener,
  "dirty-guard": dirtyGuard,
  draft,
  "error-summary": errorSummary,
  "go-back": goBack,
  "in-view": inView,
  "insert-text": insertText,
  keys,
  mentions,
  menu: menuBehaviour,
  palette,
  "password-eye": passwordEye,
  poll,
  "queue-keys": queueKeys,
  "relative-time": relativeTime,
  "scroll-end": scrollToEnd,
  "shown-when": shownWhen,
  "slash-opens": slashOpens,
  snack: snackBehaviour,
  "submit-once": submitOnce,
  "theme-toggle": themeToggle,
  unfold,
  upload,
  writing,
};
const bind = () => bindAll(behaviours, document.documentElement);
document.documentElement.dataset.js = "";
dialogs();
inlineEdits();
bind();
document.addEventListener("desk:bind", bind);
document.addEventListener("htmx:afterSettle", bind);
document.addEventListener("htmx:oobAfterSwap", bind);
function complain(name) {
  const texts = document.getElementById("snacks")?.dataset || {};
  const text = texts[name];
  const shown = [...document.querySelectorAll("#snacks .snack > span")].some((snack) => snack.textContent.trim() === text);
  if (!shown) addSnack(text, "error");
  bind();
}
const background = (event) => event.target.matches?.("[data-behaviour~=poll]");
document.addEventListener("desk:expired", () => complain("textExpired"));
document.addEventListener("htmx:sendError", (event) => background(event) || complain("textOffline"));
document.addEventListener("htmx:responseError", (event) => {
  if ([401, 403].includes(event.detail.xhr.status)) complain("textExpired");
  else if (!background(event)) complain("textError");
});
