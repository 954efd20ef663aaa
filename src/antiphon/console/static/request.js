// The request that the playground's settings and conversation amount to.

import { byId } from "./dom.js";

/** What somebody typed cannot be sent. `field`: the id of where it was typed. */
export class Mistake extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/** The body and the header fields of a request with these messages. Raises `Mistake`. */
export function requestOf(messages) {
  const body = { model: byId("model").value, max_tokens: Number(byId("max-tokens").value) || 1 };
  const system = byId("system").value;
  if (system.trim()) body.system = system;
  const thinking = thinkingOf();
  if (thinking) body.thinking = thinking;
  const tools = jsonOf("tools");
  if (tools !== undefined) body.tools = checked(tools);
  const further = jsonOf("further") ?? {};
  if (Array.isArray(further) || typeof further !== "object") {
    throw new Mistake("further", 'This has to be an object, such as {"temperature": 0.5}.');
  }
  const betas = byId("betas").value.trim();
  return { body: { ...body, messages, ...further }, headers: betas ? { "anthropic-beta": betas } : {} };
}

/** Take away what was said of fields, and say this of one. */
export function say(mistake) {
  for (const field of ["tools", "further"]) {
    const wrong = mistake?.field === field;
    byId(`${field}-wrong`).textContent = wrong ? mistake.message : "";
    byId(field).setAttribute("aria-invalid", String(wrong));
    if (wrong) {
      byId("settings-fold").open = true;
      byId(field).focus();
    }
  }
}

function thinkingOf() {
  switch (byId("thinking").value) {
    case "adaptive":
      return { type: "adaptive", display: "summarized" };
    case "enabled":
      return { type: "enabled", budget_tokens: Number(byId("budget").value) || 0, display: "summarized" };
    case "between_tools":
      return { type: "between_tools" };
    case "disabled":
      return { type: "disabled" };
    default:
      return null;
  }
}

function jsonOf(field) {
  const text = byId(field).value.trim();
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch (problem) {
    throw new Mistake(field, `This is no JSON: ${problem.message}`);
  }
}

function checked(tools) {
  if (!Array.isArray(tools)) throw new Mistake("tools", "This has to be a list of tools: [ … ].");
  tools.forEach((tool, at) => {
    const plain = tool !== null && typeof tool === "object" && !Array.isArray(tool);
    if (!plain) throw new Mistake("tools", `Tool ${at + 1} has to be an object.`);
    if (typeof tool.name !== "string" && typeof tool.type !== "string") {
      throw new Mistake("tools", `Tool ${at + 1} has neither a name nor a type.`);
    }
  });
  return tools;
}
