// The fold of a stream's events: the message that they amount to.

/** Takes events one after the other. `message`: what there is of it; `cut`: calls in it whose input broke off. */
export class Fold {
  message = null;
  cut = new Set();
  #json = new Map();

  /** One event more. Returns the index of the block that it is about, where it is about one. */
  feed(event) {
    switch (event.type) {
      case "message_start":
        this.message = { ...event.message, content: [...event.message.content] };
        return null;
      case "content_block_start":
        this.message.content[event.index] = structuredClone(event.content_block);
        return event.index;
      case "content_block_delta":
        this.#grow(event.index, event.delta);
        return event.index;
      case "content_block_stop":
        this.#close(event.index);
        return event.index;
      case "message_delta":
        Object.assign(this.message, event.delta, topOf(event));
        this.message.usage = { ...this.message.usage, ...event.usage };
        return null;
      default:
        return null;
    }
  }

  #grow(index, delta) {
    const block = this.message.content[index];
    switch (delta.type) {
      case "text_delta":
        block.text += delta.text;
        break;
      case "thinking_delta":
        block.thinking += delta.thinking;
        break;
      case "signature_delta":
        block.signature = delta.signature;
        break;
      case "input_json_delta":
        this.#json.set(index, (this.#json.get(index) ?? "") + delta.partial_json);
        break;
      case "citations_delta":
        (block.citations ??= []).push(delta.citation);
        break;
      case "compaction_delta":
        Object.assign(block, { ...delta, type: block.type });
        break;
    }
  }

  #close(index) {
    const json = this.#json.get(index);
    if (!json) return;
    try {
      this.message.content[index].input = JSON.parse(json);
    } catch {
      this.cut.add(this.message.content[index]);
    }
  }

  /** The JSON of a call's input, as far as it has come. */
  jsonOf(index) {
    return this.#json.get(index) ?? "";
  }
}

/** What stands beside the delta and the usage of a message's end. */
function topOf({ type, delta, usage, ...rest }) {
  return rest;
}
