// Results of tool calls, given by hand.

import { byId, el } from "./dom.js";

/** A field for the result of each call. */
export class Answers {
  #calls = [];

  /** Ask for the results of these calls; none: ask for nothing. */
  wantFor(calls) {
    this.#calls = calls;
    byId("answers").replaceChildren(...calls.map(fieldOf));
    if (calls.length) byId(`result-${calls[0].id}`).focus();
  }

  /** Whether results are asked for. */
  get wanted() {
    return this.#calls.length > 0;
  }

  /** The blocks with what was typed. */
  get blocks() {
    return this.#calls.map(({ id }) => ({
      type: "tool_result",
      tool_use_id: id,
      content: byId(`result-${id}`).value,
      ...(byId(`error-${id}`).checked && { is_error: true }),
    }));
  }
}

function fieldOf({ id, name, input }) {
  return el(
    "fieldset",
    {},
    el("legend", {}, "Result of ", el("code", {}, name)),
    el("label", { for: `result-${id}` }, `What ${name} answers to ${shortened(JSON.stringify(input))}`),
    el("textarea", { id: `result-${id}`, rows: "2", class: "code" }),
    el("div", { class: "tick" }, el("input", { type: "checkbox", id: `error-${id}` }), el("label", { for: `error-${id}` }, "It is an error")),
  );
}

function shortened(text) {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
