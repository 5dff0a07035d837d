// After a refused form, focus the first invalid field, or the summary if no field is invalid.

export function errorSummary(alert) {
  const form = alert.closest("form") || document;
  const field = form.querySelector("[aria-invalid=true]:not([type=hidden])");
  if (field) field.focus();
  else {
    alert.tabIndex = -1;
    alert.focus();
  }
}
