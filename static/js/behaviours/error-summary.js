// After a refused form: the focus goes to the first field at fault, or to the summary when the fault is the form's.

export function errorSummary(alert) {
  const form = alert.closest("form") || document;
  const field = form.querySelector("[aria-invalid=true]:not([type=hidden])");
  if (field) field.focus();
  else {
    alert.tabIndex = -1;
    alert.focus();
  }
}
