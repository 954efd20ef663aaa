// What a model wrote, as elements: paragraphs of text, and code where it fenced code. None of it becomes markup.

import { el } from "./dom.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)[^`\n]*$/;

/** The text as elements. A fence that is not closed reaches to the end. */
export function prose(text) {
  const made = [];
  let plain = [];
  let code = null;
  const flush = () => {
    const said = plain.join("\n").replace(/^\n+|\s+$/g, "");
    if (said) made.push(el("p", {}, said));
    plain = [];
  };
  for (const line of text.split("\n")) {
    const fence = FENCE.exec(line);
    if (code === null && fence) {
      flush();
      code = { mark: fence[1], name: fence[2], lines: [] };
    } else if (code !== null && closes(line, code.mark)) {
      made.push(block(code));
      code = null;
    } else if (code !== null) code.lines.push(line);
    else plain.push(line);
  }
  if (code !== null) made.push(block(code));
  flush();
  return made;
}

function closes(line, mark) {
  const said = line.trim();
  return said.length >= mark.length && said === mark[0].repeat(said.length);
}

function block({ name, lines }) {
  return el("pre", { tabindex: "0", "aria-label": name ? `Code, ${name}` : "Code" }, el("code", {}, lines.join("\n")));
}
