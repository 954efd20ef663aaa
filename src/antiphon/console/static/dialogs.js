// Two dialogs: the keys, and a question before what cannot be undone.

import { byId } from "./dom.js";
import { keep, key } from "./keys.js";

/** Let the keys be typed. */
export function askKeys() {
  const dialog = byId("keys");
  if (dialog.open) return;
  byId("key-api").value = key("api");
  byId("key-metrics").value = key("metrics");
  dialog.showModal();
}

/** Make both dialogs work. */
export function startDialogs() {
  byId("open-keys").addEventListener("click", askKeys);
  byId("keys-cancel").addEventListener("click", () => byId("keys").close());
  byId("keys-form").addEventListener("submit", (event) => {
    event.preventDefault();
    byId("keys").close();
    keep({ api: byId("key-api").value.trim(), metrics: byId("key-metrics").value.trim() });
  });
  byId("question-no").addEventListener("click", () => byId("question").close());
  byId("question-form").addEventListener("submit", (event) => {
    event.preventDefault();
    byId("question").close("yes");
  });
}

/** Whether a person says yes. Esc is no. */
export function sure(title, text, yes) {
  const dialog = byId("question");
  byId("question-title").textContent = title;
  byId("question-says").textContent = text;
  byId("question-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  byId("question-no").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
