// The playground: a conversation with a model, streamed, with all that the API sends beside it.

import { Answers } from "./answers.js";
import { ask, Problem } from "./api.js";
import { models } from "./catalogue.js";
import { byId, count, el } from "./dom.js";
import { EventPane } from "./events.js";
import { Fold } from "./fold.js";
import { onKeys } from "./keys.js";
import { Pictures } from "./pictures.js";
import { Mistake, requestOf, say } from "./request.js";
import { Speaker } from "./speaking.js";
import { eventsOf } from "./sse.js";
import { Turns } from "./turns.js";
import { current } from "./views.js";

const THINKING = {
  adaptive: "Adaptive",
  enabled: "Budget",
  between_tools: "Between tools",
  disabled: "Off",
};

/** The view. */
export class Playground {
  #messages = [];
  #sending = null;
  #goesOn = false;
  #known = new Map();
  #turns = new Turns();
  #events = new EventPane();
  #answers = new Answers();
  #pictures = new Pictures((text) => this.#fail(text));
  #speaker = new Speaker(byId("spoken"));

  constructor() {
    // Where all stands below one another, the conversation is not to begin below the fold.
    byId("settings-fold").open = matchMedia("(width >= 64rem)").matches;
    byId("settings").addEventListener("submit", (event) => event.preventDefault());
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    byId("stop").addEventListener("click", () => this.stop());
    byId("clear").addEventListener("click", () => this.clear());
    byId("take-back").addEventListener("click", () => this.takeBack());
    byId("model").addEventListener("change", () => this.#choose());
    byId("thinking").addEventListener("change", () => this.#budget());
    byId("view-playground").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.send();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && current() === "playground" && !document.querySelector("dialog[open]")) this.stop();
    });
    onKeys(() => this.open());
  }

  /** Know the models. */
  async open() {
    try {
      const found = await models();
      const chosen = byId("model").value;
      if (!this.#known.size) this.#fail("");
      this.#known = new Map(found.map((model) => [model.id, model]));
      byId("model").replaceChildren(...found.map(({ id }) => el("option", { value: id }, id)));
      if (this.#known.has(chosen)) byId("model").value = chosen;
      this.#choose();
    } catch (problem) {
      this.#fail(problem);
    }
  }

  /** The request that would be sent now, or that was sent last. Raises `Mistake`; null where there is none. */
  request() {
    const next = this.#next();
    if (next !== null) return requestOf([...this.#messages, next]);
    const last = this.#messages.findLastIndex(({ role }) => role === "user");
    return last < 0 ? null : requestOf(this.#messages.slice(0, last + 1));
  }

  /** Send what is written, and show what comes. */
  async send() {
    if (this.#sending) return;
    const next = this.#next();
    if (next === null && !this.#goesOn) {
      byId("message").focus();
      return;
    }
    const messages = next === null ? this.#messages : [...this.#messages, next];
    let request;
    try {
      request = requestOf(messages);
      say(null);
    } catch (problem) {
      if (!(problem instanceof Mistake)) throw problem;
      say(problem);
      return;
    }
    this.#fail("");
    const typed = { text: byId("message").value, pictures: this.#pictures.blocks };
    if (next !== null) this.#turns.add(next);
    this.#sending = new AbortController();
    this.#buttons();
    const fold = new Fold();
    const turn = this.#turns.begin();
    byId("message").value = "";
    this.#pictures.put();
    try {
      await this.#read(request, fold, turn);
      this.#ended(messages, fold, turn);
    } catch (problem) {
      this.#broke(problem, messages, fold, turn, typed);
    } finally {
      this.#sending = null;
      this.#buttons();
    }
  }

  /** Stop what comes. */
  stop() {
    this.#sending?.abort();
  }

  /** Begin anew. */
  clear() {
    this.stop();
    this.#keep([]);
    byId("message").focus();
  }

  /** Take the last message of the person back, to be written again. */
  takeBack() {
    const last = this.#messages.findLastIndex(({ role }) => role === "user");
    if (last < 0) return;
    const { content } = this.#messages[last];
    const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
    this.#keep(this.#messages.slice(0, last));
    byId("message").value = blocks.filter(({ type }) => type === "text").map(({ text }) => text).join("\n");
    this.#pictures.put(blocks.filter(({ type }) => type === "image"));
    byId("message").focus();
  }

  /** The message that is written; null: nothing is. */
  #next() {
    const text = byId("message").value;
    const blocks = [...this.#answers.blocks, ...this.#pictures.blocks];
    if (text.trim()) blocks.push({ type: "text", text });
    if (!blocks.length) return null;
    const plain = blocks.length === 1 && blocks[0].type === "text";
    return { role: "user", content: plain ? text : blocks };
  }

  async #read({ body, headers }, fold, turn) {
    this.#events.begin();
    const signal = this.#sending.signal;
    const reply = await ask("POST", "/v1/messages", { json: { ...body, stream: true }, headers, signal });
    const id = reply.headers.get("request-id") ?? "";
    let over = false;
    for await (const { event, data } of eventsOf(reply.body)) {
      this.#events.add(event, data);
      const read = JSON.parse(data);
      if (read.type === "error") throw new Problem(reply.status, read.error.type, read.error.message, read.request_id ?? id);
      fold.feed(read);
      turn.show(read, fold);
      if (read.delta?.type === "text_delta") this.#speaker.feed(read.delta.text);
      over ||= read.type === "message_stop";
    }
    if (!over) throw new Problem(0, "connection_error", "The stream has ended before the reply did.", id);
  }

  #ended(messages, fold, turn) {
    const { stop_reason: reason, stop_sequence: sequence, stop_details: details, usage } = fold.message;
    // Nobody can answer a call that broke off, and without an answer it cannot be sent back.
    const content = fold.message.content.filter((block) => !fold.cut.has(block));
    const how = [reason, sequence && JSON.stringify(sequence), details?.explanation].filter(Boolean).join(": ");
    turn.close(how, usage);
    this.#events.end("ended");
    this.#speaker.end(`The reply has ended: ${how}, ${count(usage.output_tokens)} tokens.`);
    this.#messages = content.length ? [...messages, { role: "assistant", content }] : messages;
    const calls = content.filter(({ type }) => type === "tool_use");
    this.#goesOn = reason === "pause_turn";
    this.#answers.wantFor(calls);
    this.#turns.follow();
  }

  /** A reply that was stopped or failed: of what had come, the text stays in the conversation. */
  #broke(problem, messages, fold, turn, typed) {
    const stopped = this.#sending.signal.aborted;
    const text = (fold.message?.content ?? []).filter((block) => block?.type === "text" && block.text.trim());
    this.#events.end(stopped ? "stopped" : "failed");
    this.#speaker.end(stopped ? "Stopped." : "");
    if (!stopped) this.#fail(problem);
    if (text.length) {
      const content = text.map((block) => ({ type: "text", text: block.text.trimEnd() }));
      this.#messages = [...messages, { role: "assistant", content }];
      this.#answers.wantFor([]);
      turn.close(stopped ? "stopped; only the text stays in the conversation" : "broken off; only the text stays in the conversation");
      return;
    }
    turn.remove();
    this.#turns.show(this.#messages);
    byId("message").value = typed.text;
    this.#pictures.put(typed.pictures);
  }

  #keep(messages) {
    this.#messages = messages;
    this.#goesOn = false;
    this.#turns.show(messages);
    this.#answers.wantFor([]);
    this.#fail("");
    this.#buttons();
  }

  #choose() {
    const model = this.#known.get(byId("model").value);
    if (model === undefined) return;
    const { thinking, image_input: images } = model.capabilities;
    const before = byId("thinking").value;
    const kinds = Object.keys(THINKING).filter((kind) => thinking.types[kind]?.supported);
    byId("thinking").replaceChildren(
      el("option", { value: "" }, "Default"),
      ...kinds.map((kind) => el("option", { value: kind }, THINKING[kind])),
    );
    if (kinds.includes(before)) byId("thinking").value = before;
    this.#pictures.allowed = images.supported;
    byId("max-tokens").max = model.max_tokens;
    byId("model-says").textContent = `${model.display_name}. Reads ${count(model.max_input_tokens)} tokens, ${images.supported ? "takes pictures" : "takes no pictures"}.`;
    this.#budget();
  }

  #budget() {
    byId("budget-row").hidden = byId("thinking").value !== "enabled";
  }

  #buttons() {
    const busy = this.#sending !== null;
    const focus = document.activeElement;
    byId("send").disabled = busy;
    byId("send").textContent = this.#goesOn ? "Go on" : this.#answers.wanted ? "Send results" : "Send";
    byId("stop").disabled = !busy;
    byId("take-back").disabled = busy || !this.#messages.length;
    byId("clear").disabled = busy || !this.#messages.length;
    // Focus does not stay on a button that cannot be pressed, where no key is heard.
    if (busy && focus === byId("send")) byId("stop").focus();
    else if (!busy && focus === byId("stop") && !this.#answers.wanted) byId("message").focus();
  }

  #fail(problem) {
    byId("failed").textContent = problem instanceof Problem ? problem.line : String(problem?.message ?? problem);
  }
}
