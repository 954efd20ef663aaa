// How blocks of content look: those that are there, and those that are coming.

import { el } from "./dom.js";
import { prose } from "./prose.js";

const CALLS = new Set(["tool_use", "server_tool_use", "mcp_tool_use"]);

/** A block as an element. */
export function blockOf(block) {
  const live = new LiveBlock(block);
  live.close(block);
  return live.element;
}

/** A block that grows while it comes. */
export class LiveBlock {
  constructor(block) {
    this.kind = CALLS.has(block.type) ? "call" : block.type;
    this.text = document.createTextNode("");
    this.element = this.#begin(block);
    this.text.data = block.text ?? block.thinking ?? "";
  }

  #begin(block) {
    switch (this.kind) {
      case "text":
        return el("div", { class: "prose" }, el("p", {}, this.text));
      case "thinking":
        this.summary = el("summary", {}, "Thinking…");
        return el("details", { class: "thinking" }, this.summary, el("pre", { tabindex: "0" }, this.text));
      case "call":
        return el(
          "div",
          { class: "call" },
          el("p", {}, block.type === "tool_use" ? "Calls " : "The server calls ", el("code", {}, block.name)),
          el("pre", { tabindex: "0", "aria-label": `Input of ${block.name}` }, el("code", {}, this.text)),
        );
      case "image":
        return pictureOf(block);
      case "tool_result":
        return el("div", { class: "call" }, el("p", {}, block.is_error ? "An error of " : "Result of ", el("code", {}, block.tool_use_id)), ...contentOf(block.content));
      default:
        return folded(block);
    }
  }

  /** More of it. `json`: what has come of a call's input. */
  grow(delta, json) {
    if (delta.type === "text_delta") this.text.appendData(delta.text);
    else if (delta.type === "thinking_delta") this.text.appendData(delta.thinking);
    else if (delta.type === "input_json_delta") this.text.data = json;
  }

  /** All of it has come. `cut`: of a call's input not all, so that it stays as it came. */
  close(block, cut = false) {
    if (this.kind === "text") {
      this.element.replaceChildren(...prose(block.text), ...sourcesOf(block.citations ?? []));
    } else if (this.kind === "thinking") {
      const words = block.thinking.trim() ? block.thinking.trim().split(/\s+/).length : 0;
      this.summary.textContent = words ? `Thinking, ${words} ${words === 1 ? "word" : "words"}` : "Thinking, which is not shown";
    } else if (this.kind === "call") {
      if (!cut) this.text.data = JSON.stringify(block.input, null, 2);
    } else if (!["image", "tool_result"].includes(this.kind)) {
      this.element.replaceWith((this.element = folded(block)));
    }
  }
}

/** Content that may be a text alone. */
export function contentOf(content) {
  return typeof content === "string" ? [blockOf({ type: "text", text: content })] : (content ?? []).map(blockOf);
}

function pictureOf({ source }) {
  if (source.type !== "base64") return folded({ type: "image", source });
  return el("img", { src: `data:${source.media_type};base64,${source.data}`, alt: "Picture of the message" });
}

function folded(block) {
  const name = block.type.replaceAll("_", " ");
  return el(
    "details",
    { class: "other" },
    el("summary", {}, name[0].toUpperCase() + name.slice(1)),
    el("pre", { tabindex: "0", "aria-label": name }, el("code", {}, JSON.stringify(block, null, 2))),
  );
}

function sourcesOf(citations) {
  if (!citations.length) return [];
  const lines = citations.map((each) => el("li", {}, `“${each.cited_text ?? ""}” — ${each.title ?? each.document_title ?? each.url ?? each.source ?? "source"}`));
  return [el("ul", { class: "citations", "aria-label": "Sources" }, lines)];
}
