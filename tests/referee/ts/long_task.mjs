// What an application does with the official TypeScript SDK's tool runner in a long task, through its public API only.
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";

const client = new Anthropic();
const calls = [];
const tool = (name, description, apply) =>
  betaTool({
    name,
    description,
    inputSchema: {
      type: "object",
      properties: { a: { type: "integer" }, b: { type: "integer" } },
      required: ["a", "b"],
      additionalProperties: false,
    },
    run: ({ a, b }) => {
      calls.push([name, a, b]);
      return String(apply(a, b));
    },
  });
const add = tool("add", "Add two numbers.", (a, b) => a + b);
const multiply = tool("multiply", "Multiply two numbers.", (a, b) => a * b);
const request = { model: "claude-opus-4-8", max_tokens: 500 };
const long = [{ role: "user", content: "Please do the long task." }];
const told = (message) =>
  message.content.map((block) => (block.type === "text" ? block.text : block.type === "tool_use" ? block.name : block.type));
const outcome = (messages) => ({
  messages: messages.map(told),
  stops: messages.map((message) => message.stop_reason),
  calls: calls.splice(0),
});

async function compacting(stream) {
  const messages = [];
  const runner = client.beta.messages.toolRunner({
    ...request,
    tools: [add],
    betas: ["compact-2026-09-04"],
    messages: long,
    stream,
  });
  for await (const item of runner) {
    messages.push(stream ? await item.finalMessage() : item);
    // The task is long when two sums have been made.
    if (messages.length === 2) runner.compactBeforeNextTurn();
  }
  return outcome(messages);
}

const scenarios = {
  compacting_runner: () => compacting(false),
  compacting_streaming_runner: () => compacting(true),
  async changing_runner() {
    const messages = [];
    const runner = client.beta.messages.toolRunner({
      ...request,
      tools: [add],
      betas: ["inline-tools-2026-09-15"],
      messages: [{ role: "user", content: "What is 6 times 7?" }],
    });
    for await (const message of runner) {
      messages.push(message);
      if (messages.length === 1) {
        await runner.generateToolResponse();
        runner.removeTools("add");
        runner.addTools(multiply);
      }
    }
    return outcome(messages);
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
