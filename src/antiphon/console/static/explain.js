// The explain view: the prompt of the playground's request, as its model would read it.

import { askJson } from "./api.js";
import { byId, count, el, table } from "./dom.js";
import { Mistake } from "./request.js";

const HEADER = { "antiphon-debug": "explain" };
const WORDS = { control: "control token", picture: "picture", template: "template" };

/** The view. `playground`: whose request is explained. */
export class Explain {
  constructor(playground) {
    this.playground = playground;
    byId("explain").addEventListener("click", () => this.explain());
  }

  /** Ask the server, and show what it says. */
  async explain() {
    byId("explain-failed").textContent = "";
    byId("explain-says").textContent = "";
    byId("explained").replaceChildren();
    byId("explain").disabled = true;
    try {
      const request = this.playground.request();
      if (request === null) throw new Error("There is no request yet: write a message in the playground.");
      const { body, headers } = request;
      const found = await askJson("POST", "/v1/messages", { json: body, headers: { ...headers, ...HEADER } });
      if (found.explanation === undefined) throw new Error("This server has answered the request instead of explaining it.");
      byId("explained").replaceChildren(...viewOf(found, body));
      byId("explain-says").textContent = "The explanation is below.";
    } catch (problem) {
      const where = problem instanceof Mistake ? `In the playground, ${problem.field}: ` : "";
      byId("explain-failed").textContent = where + (problem.line ?? problem.message);
    } finally {
      byId("explain").disabled = false;
    }
  }
}

function viewOf(found, body) {
  const { explanation } = found;
  const facts = [...told(found), ...(explanation ? factsOf(explanation) : [])];
  return [
    el("ul", {}, facts.map((line) => el("li", {}, line))),
    ...(explanation ? promptOf(explanation) : []),
    el("details", {}, el("summary", {}, "The request"), el("pre", { tabindex: "0" }, shortened(body))),
  ];
}

/** The request without the bytes of its pictures. */
function shortened(body) {
  const short = (name, value) => (name === "data" && value?.length > 100 ? `… ${count(value.length)} characters …` : value);
  return JSON.stringify(body, short, 2);
}

function* told({ error, error_at_the_api: there, warnings }) {
  if (error) yield `Not answered: ${error.status} ${error.type}: ${error.message}`;
  if (there) yield `Answered here; the API itself would refuse it: ${there.status} ${there.type}: ${there.message}`;
  for (const warning of warnings) yield `The server's log would say: ${warning}`;
}

function* factsOf(found) {
  yield `${found.model} is answered by ${found.name}, of the family ${found.family}.`;
  const room = Math.max(0, found.window - found.tokens);
  yield `The prompt has ${count(found.tokens)} of ${count(found.window)} tokens; the reply may have ${count(Math.min(found.max_tokens, room))}.`;
  yield found.budget ? `Thinking: at most ${count(found.budget)} tokens.` : "Thinking: none.";
  const drawn = Object.entries(found.sampling).filter(([, value]) => value !== null);
  yield `Sampling: ${drawn.map(([name, value]) => `${name} ${value}`).join(", ") || "as the engine does it by itself"}.`;
  if (found.stop_sequences.length) yield `The reply stops at: ${found.stop_sequences.map((each) => JSON.stringify(each)).join(", ")}.`;
  for (const { path, seconds, tokens } of found.marks) {
    const kept = tokens === null ? "nothing: it is too short, or has no place" : `${count(tokens)} tokens`;
    yield `Cache mark at ${path}, for ${seconds} s: ${kept}.`;
  }
  if (found.summary) yield `A summary is made ${found.summary === "alone" ? "instead of an answer" : "before the answer"}.`;
  if (!found.placed) yield "The model's template does not tell where in the prompt a text stands.";
}

function promptOf(found) {
  const blocks = Object.keys(found.by_block).filter(Boolean);
  const spans = found.stretches.map(({ kind, text, tokens, path }) => {
    const shade = kind === "block" ? `block${blocks.indexOf(path) % 2}` : kind;
    const title = `${path || WORDS[kind]}: ${tokens} ${tokens === 1 ? "token" : "tokens"}`;
    return el("span", { class: shade, title }, visible(text));
  });
  const rows = Object.entries(found.by_block).map(([path, tokens]) => [path || "template and control tokens", count(tokens)]);
  const grammar = found.grammar
    ? [el("h3", {}, "The grammar that bounds the reply"), el("pre", { tabindex: "0" }, found.grammar)]
    : [];
  return [
    el("h3", {}, "The prompt, as the model reads it"),
    el("p", { class: "legend" }, el("span", { class: "control" }, "control token"), " ", el("span", { class: "template" }, "template"), " ", el("span", { class: "block0" }, "blocks"), " ", el("span", { class: "block1" }, "by turns"), " ", el("span", { class: "picture" }, "picture")),
    el("pre", { class: "prompt", tabindex: "0", "aria-label": "The prompt" }, spans),
    el("h3", {}, "Tokens of each block"),
    table("Tokens of each block", ["Block", "Tokens"], rows),
    ...grammar,
  ];
}

/** The text with line ends and control characters to be seen. */
function visible(text) {
  const shown = text.replace(/[\p{Cc}\p{Cf}]/gu, (char) => (char === "\n" ? char : `\\u${char.codePointAt(0).toString(16).padStart(4, "0")}`));
  return shown.replaceAll("\n", "⏎\n");
}
