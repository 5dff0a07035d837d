// Bind the page's behaviours: data-behaviour="name" on an element, one file each. Everything works without them.
import { bindAll } from "./lib/behaviours.js";
import { forgetOthers, hideFromOthers } from "./lib/person.js";
import { addSnack, refusedText } from "./lib/snacks.js";
import { addressHint } from "./behaviours/address-hint.js";
import { autosize } from "./behaviours/autosize.js";
import { centreHere } from "./behaviours/centre-here.js";
import { charCounter } from "./behaviours/char-counter.js";
import { composerModes } from "./behaviours/composer-modes.js";
import { copyLink } from "./behaviours/copy-link.js";
import { ctrlEnter } from "./behaviours/ctrl-enter.js";
import { dialogOpener, dialogs } from "./behaviours/dialog.js";
import { dirtyGuard } from "./behaviours/dirty-guard.js";
import { draft } from "./behaviours/draft.js";
import { errorSummary } from "./behaviours/error-summary.js";
import { fillsForm } from "./behaviours/fills-form.js";
import { framed } from "./behaviours/framed.js";
import { goBack } from "./behaviours/go-back.js";
import { inPlace } from "./behaviours/in-place.js";
import { inView } from "./behaviours/in-view.js";
import { inlineEdits } from "./behaviours/inline-edit.js";
import { insertText } from "./behaviours/insert-text.js";
import { keepPlace } from "./behaviours/keep-place.js";
import { keys } from "./behaviours/keys.js";
import { markdownTools } from "./behaviours/markdown-tools.js";
import { mentions } from "./behaviours/mentions.js";
import { menuBehaviour } from "./behaviours/menu.js";
import { palette } from "./behaviours/palette.js";
import { passwordEye } from "./behaviours/password-eye.js";
import { poll, scrollToEnd } from "./behaviours/poll.js";
import { print } from "./behaviours/print.js";
import { proposal } from "./behaviours/proposal.js";
import { queueKeys } from "./behaviours/queue-keys.js";
import { relativeTime } from "./behaviours/relative-time.js";
import { sendNow } from "./behaviours/send-now.js";
import { shownWhen } from "./behaviours/shown-when.js";
import { slashOpens } from "./behaviours/slash-opens.js";
import { snackBehaviour } from "./behaviours/snack.js";
import { submitOnce } from "./behaviours/submit-once.js";
import { suggestions } from "./behaviours/suggestions.js";
import { themeToggle } from "./behaviours/theme-toggle.js";
import { toc } from "./behaviours/toc.js";
import { typedWins } from "./behaviours/typed-wins.js";
import { unfold } from "./behaviours/unfold.js";
import { upload } from "./behaviours/upload.js";
import { writing } from "./behaviours/writing.js";

const behaviours = {
  "address-hint": addressHint,
  autosize,
  "centre-here": centreHere,
  "char-counter": charCounter,
  "composer-modes": composerModes,
  "copy-link": copyLink,
  "ctrl-enter": ctrlEnter,
  dialog: dialogOpener,
  "dirty-guard": dirtyGuard,
  draft,
  "error-summary": errorSummary,
  "fills-form": fillsForm,
  framed,
  "go-back": goBack,
  "in-place": inPlace,
  "in-view": inView,
  "insert-text": insertText,
  "keep-place": keepPlace,
  keys,
  "markdown-tools": markdownTools,
  mentions,
  menu: menuBehaviour,
  palette,
  "password-eye": passwordEye,
  poll,
  print,
  proposal,
  "queue-keys": queueKeys,
  "relative-time": relativeTime,
  "scroll-end": scrollToEnd,
  "send-now": sendNow,
  "shown-when": shownWhen,
  "slash-opens": slashOpens,
  snack: snackBehaviour,
  "submit-once": submitOnce,
  suggestions,
  "theme-toggle": themeToggle,
  toc,
  "typed-wins": typedWins,
  unfold,
  upload,
  writing,
};

const bind = () => bindAll(behaviours, document.documentElement);

document.documentElement.dataset.js = "";
forgetOthers();
hideFromOthers();
dialogs();
inlineEdits();
bind();
document.addEventListener("desk:bind", bind);
document.addEventListener("htmx:afterSettle", bind);
document.addEventListener("htmx:oobAfterSwap", bind);

// Show an error text when a request failed, unless it is shown already. The page stays as it is, with everything that
// was typed.
function complain(text) {
  const shown = [...document.querySelectorAll("#snacks .snack > span")].some(
    (snack) => snack.textContent.trim() === text,
  );
  if (!shown) addSnack(text, "error");
  bind();
}

// A failed poll shows no error, because the next one may succeed. An ended session is always shown, because nothing
// typed can be saved any more.
const texts = () => document.getElementById("snacks")?.dataset || {};
const background = (event) => event.target.matches?.("[data-behaviour~=poll]");
document.addEventListener("desk:expired", (event) => complain(event.detail.text));
document.addEventListener("htmx:sendError", (event) => background(event) || complain(texts().textOffline));
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if ([401, 403].includes(xhr.status)) complain(refusedText((name) => xhr.getResponseHeader(name)));
  else if (!background(event)) complain(xhr.status === 503 ? texts().textAway : texts().textError);
});
