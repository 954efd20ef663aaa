// What an application does with extended thinking and the official TypeScript SDK, through its public API only.
// Prints one JSON object, a key a scenario.
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";

const client = new Anthropic();
const OLD = "claude-opus-4-5-20251101";
const NEW = "claude-opus-4-8";
const BETWEEN = "claude-sonnet-4-6";
const REDACTED =
  "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB";
const budget = { type: "enabled", budget_tokens: 2000 };
const weather = {
  name: "get_weather",
  description: "The weather of a place.",
  input_schema: { type: "object", properties: { location: { type: "string" } }, required: ["location"] },
};
const sum = [{ role: "user", content: "2 + 2?" }];
const paris = [{ role: "user", content: "What's the weather in Paris?" }];
const requests = {
  budget: { model: OLD, thinking: budget, messages: sum },
  adaptive: { model: BETWEEN, thinking: { type: "adaptive" }, messages: sum },
  summarized: { model: NEW, thinking: { type: "adaptive", display: "summarized" }, messages: sum },
  omitted: { model: NEW, thinking: { type: "adaptive" }, messages: sum },
  redacted: { model: OLD, thinking: budget, messages: [{ role: "user", content: `2 + 2? ${REDACTED}` }] },
  tools: { model: OLD, thinking: budget, tools: [weather], messages: paris },
  omitted_tools: { model: NEW, thinking: { type: "adaptive" }, tools: [weather], messages: paris },
  interleaved: {
    model: BETWEEN,
    thinking: { type: "enabled", budget_tokens: 10000 },
    tools: [weather],
    messages: paris,
    betas: ["interleaved-thinking-2025-05-14"],
  },
};
const fields = { thinking: ["thinking"], redacted_thinking: [], text: ["text"], tool_use: ["name", "input"] };

// The blocks without what chance made of them, but with whether chance made anything.
const plain = (content) =>
  content.map((block) => ({
    type: block.type,
    ...Object.fromEntries(fields[block.type].map((name) => [name, block[name]])),
    ...Object.fromEntries(["signature", "data", "id"].filter((name) => name in block).map((name) => [name, !!block[name]])),
  }));
const told = (message) => ({
  content: plain(message.content),
  stop_reason: message.stop_reason,
  usage: [message.usage.input_tokens, message.usage.output_tokens],
});
const messagesOf = (request) => (request.betas ? client.beta.messages : client.messages);

// The reply as a whole, and as a stream adds it up.
async function replies(request) {
  const whole = await messagesOf(request).create({ max_tokens: 5000, ...request });
  const pieces = { thinking: "", text: "" };
  const stream = messagesOf(request).stream({ max_tokens: 5000, ...request });
  stream.on("thinking", (piece) => (pieces.thinking += piece));
  stream.on("text", (piece) => (pieces.text += piece));
  return [whole, await stream.finalMessage(), pieces];
}

// The request that goes on behind this content.
function nextTurn(request, content) {
  const results = content
    .filter((block) => block.type === "tool_use")
    .map((call) => ({ type: "tool_result", tool_use_id: call.id, content: "72" }));
  const user = { role: "user", content: results.length ? results : "Are you sure?" };
  return { ...request, messages: [...request.messages, { role: "assistant", content }, user] };
}

const number = { type: "integer" };
const numbers = { type: "object", properties: { a: number, b: number }, required: ["a", "b"] };
const add = betaTool({ name: "add", description: "Add.", inputSchema: numbers, run: ({ a, b }) => String(a + b) });
const divide = betaTool({
  name: "divide",
  description: "Divide.",
  inputSchema: numbers,
  run: ({ a, b }) => {
    if (b === 0) throw new Error("ZeroDivisionError");
    return String(a / b);
  },
});

const scenarios = {
  async rounds() {
    const found = {};
    for (const [name, request] of Object.entries(requests)) {
      const [whole, streamed, pieces] = await replies(request);
      const again = [];
      for (const message of [whole, streamed]) {
        const both = await replies(nextTurn(request, message.content));
        again.push(...both.slice(0, 2).map(told));
      }
      found[name] = { whole: told(whole), streamed: told(streamed), pieces, again };
    }
    return found;
  },
  async tampered() {
    const found = {};
    for (const name of ["budget", "omitted", "tools", "redacted"]) {
      const request = requests[name];
      const whole = await client.messages.create({ max_tokens: 5000, ...request });
      const field = whole.content[0].type === "redacted_thinking" ? "data" : "signature";
      const seal = whole.content[0][field];
      const at = seal.length >> 1;
      const changed = seal.slice(0, at) + (seal[at] === "A" ? "B" : "A") + seal.slice(at + 1);
      const content = [{ ...whole.content[0], [field]: changed }, ...whole.content.slice(1)];
      try {
        await client.messages.create({ max_tokens: 5000, ...nextTurn(request, content) });
        found[name] = "no error";
      } catch (error) {
        found[name] = error instanceof Anthropic.BadRequestError ? error.error.error.message : String(error);
      }
    }
    return found;
  },
  async runner() {
    const modes = {
      budget: { model: OLD, thinking: budget },
      interleaved: { model: BETWEEN, thinking: budget, betas: ["interleaved-thinking-2025-05-14"] },
      adaptive: { model: NEW, thinking: { type: "adaptive" } },
    };
    const found = {};
    for (const [name, mode] of Object.entries(modes)) {
      const messages = [{ role: "user", content: "Please add and divide." }];
      const request = { max_tokens: 5000, tools: [add, divide], messages, ...mode };
      const plainly = [];
      for await (const message of client.beta.messages.toolRunner(request)) plainly.push(plain(message.content));
      const streamed = [];
      for await (const stream of client.beta.messages.toolRunner({ ...request, stream: true })) {
        streamed.push(plain((await stream.finalMessage()).content));
      }
      found[name] = [plainly, streamed];
    }
    return found;
  },
};

const results = {};
for (const [name, scenario] of Object.entries(scenarios)) {
  try {
    results[name] = await scenario();
  } catch (error) {
    results[name] = { raised: String(error.stack ?? error) };
  }
}
console.log(JSON.stringify(results));
