// The keys that the page shows to the server: kept until the tab is closed, and nowhere else.

const NAMES = { api: "antiphon.key", metrics: "antiphon.metrics-key" };
const listeners = new Set();

/** The key for the API (`api`), or for the metrics alone (`metrics`); empty where none was typed. */
export function key(which) {
  return sessionStorage.getItem(NAMES[which]) ?? "";
}

/** Keep these, and tell who asked to hear of it. */
export function keep(typed) {
  for (const [which, value] of Object.entries(typed)) {
    if (value) sessionStorage.setItem(NAMES[which], value);
    else sessionStorage.removeItem(NAMES[which]);
  }
  for (const listener of listeners) listener();
}

/** Call this whenever there are other keys. */
export function onKeys(listener) {
  listeners.add(listener);
}
