// The models view: engines and how they stand, and the names that requests may use.

import { askJson } from "./api.js";
import { models } from "./catalogue.js";
import { byId, count, el, table } from "./dom.js";
import { onKeys } from "./keys.js";
import { current } from "./views.js";

const PAUSE = 5000;

/** The view. `watch`: who knows how many wait. */
export class Models {
  #watch;
  #timer = null;

  constructor(watch) {
    this.#watch = watch;
    onKeys(() => {
      if (current() === "models") this.open();
    });
  }

  /** Show both lists; the engines are asked again while they are seen. */
  async open() {
    await Promise.all([this.#engines(), this.#names()]);
  }

  /** Ask no more. */
  close() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #engines() {
    this.close();
    try {
      byId("engines").replaceChildren(...enginesOf(await health(), this.#watch.newest));
      byId("models-failed").textContent = "";
    } catch (problem) {
      byId("models-failed").textContent = problem.line ?? problem.message;
    }
    if (current() === "models") this.#timer = setTimeout(() => document.hidden || this.#engines(), PAUSE);
  }

  async #names() {
    try {
      const rows = (await models()).map((model) => [
        el("code", {}, model.id),
        model.display_name,
        model.lifecycle,
        count(model.max_input_tokens),
        count(model.max_tokens),
        Object.entries(model.capabilities.thinking.types).filter(([, { supported }]) => supported).map(([kind]) => kind).join(", ") || "–",
        model.capabilities.image_input.supported ? "yes" : "no",
      ]);
      byId("model-list").replaceChildren(table("Names that requests may use", ["Name", "What it is", "Lifecycle", "Reads, tokens", "Writes, tokens", "Thinking", "Pictures"], rows));
    } catch (problem) {
      byId("models-failed").textContent = problem.line ?? problem.message;
    }
  }
}

/** What the server says of its health; a 503 says as much as a 200. */
export function health() {
  return askJson("GET", "/health", { takes: 503 });
}

function enginesOf({ status, models: states, engines = {} }, reading) {
  if (states === undefined) return [el("p", {}, `The server says: ${status}. What stands behind it is told to those with a good key.`)];
  const rows = Object.entries(states).map(([id, state]) => {
    const waiting = reading?.series("antiphon_engine_waiting", { model: id }) ?? [];
    const parts = Object.entries(engines[id] ?? {}).map(([place, said]) => el("li", {}, el("code", {}, place), ` ${said || "ready"}`));
    return [
      el("code", {}, id),
      el("span", { class: state === "ready" ? "good" : "bad" }, state),
      waiting.length ? count(waiting.reduce((sum, { value }) => sum + value, 0)) : "–",
      parts.length ? el("ul", { class: "plain" }, parts) : "on this machine",
    ];
  });
  return [table("Engines", ["Model", "State", "Waiting", "Where"], rows)];
}
