// The turns of a conversation, as a list that grows.

import { contentOf, LiveBlock } from "./blocks.js";
import { byId, count, el } from "./dom.js";

/** The list. */
export class Turns {
  #list = byId("turns");

  /** A whole message. */
  add({ role, content }) {
    this.#append(el("li", { class: role }, el("h4", {}, role === "user" ? "You" : "Model"), contentOf(content)));
  }

  /** A reply that comes now. */
  begin() {
    const turn = new LiveTurn(this);
    this.#append(turn.element);
    return turn;
  }

  /** All of these, and nothing else. */
  show(messages) {
    this.#list.replaceChildren();
    for (const message of messages) this.add(message);
  }

  /** Whether its end is seen, so that it should stay to be seen. */
  get atEnd() {
    return this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 60;
  }

  /** Show its end. */
  follow() {
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  #append(item) {
    this.#list.append(item);
    this.follow();
  }
}

/** A reply while it comes. */
class LiveTurn {
  #blocks = new Map();
  #list;

  constructor(list) {
    this.#list = list;
    this.end = el("p", { class: "hint" }, "Waiting for the model…");
    this.element = el("li", { class: "assistant coming" }, el("h4", {}, "Model"), this.end);
  }

  /** What an event changes of it. */
  show(event, fold) {
    const follows = this.#list.atEnd;
    if (event.type === "content_block_start") {
      const live = new LiveBlock(event.content_block);
      this.#blocks.set(event.index, live);
      this.end.before(live.element);
      this.end.textContent = "";
    } else if (event.type === "content_block_delta") {
      this.#blocks.get(event.index).grow(event.delta, fold.jsonOf(event.index));
    } else if (event.type === "content_block_stop") {
      const block = fold.message.content[event.index];
      this.#blocks.get(event.index).close(block, fold.cut.has(block));
    }
    if (follows) this.#list.follow();
  }

  /** It has ended: how, and what it came to. */
  close(how, usage) {
    this.element.classList.remove("coming");
    this.end.textContent = [how, ...(usage ? spent(usage) : [])].join(" · ");
  }

  /** It was no reply. */
  remove() {
    this.element.remove();
  }
}

function spent(usage) {
  const read = usage.cache_read_input_tokens ?? 0;
  const written = usage.cache_creation_input_tokens ?? 0;
  const thought = usage.output_tokens_details?.thinking_tokens ?? 0;
  return [
    `${count(usage.input_tokens + read + written)} tokens in`,
    read && `${count(read)} of them from the cache`,
    written && `${count(written)} written to the cache`,
    `${count(usage.output_tokens)} tokens out`,
    thought && `${count(thought)} of them thought`,
  ].filter(Boolean);
}
