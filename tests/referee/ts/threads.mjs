// What an application does with the official TypeScript SDK's message threads, through its public API only.
// FRONTS: servers that requests go to in turn. `restart` is told on standard output, and waits for a line.
import readline from "node:readline";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";

const fronts = process.env.FRONTS.split(",");
const sent = [];
const restarts = [];
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const restarted = async () => {
  console.log("restart");
  await lines.next();
};
const client = new Anthropic({
  maxRetries: 0,
  fetch: async (url, init) => {
    const to = new URL(new URL(url).pathname, fronts[sent.length % fronts.length]);
    const response = await fetch(to, init);
    const body = JSON.parse(init.body);
    const once = ["system", "tools"].filter((key) => key in body);
    sent.push([response.status, body.thread?.type ?? null, body.messages.length, once]);
    return response;
  },
});
const numbers = {
  type: "object",
  properties: { a: { type: "integer" }, b: { type: "integer" } },
  required: ["a", "b"],
  additionalProperties: false,
};
const add = betaTool({
  name: "add",
  description: "Add two numbers.",
  inputSchema: numbers,
  run: async ({ a, b }) => {
    if (restarts.pop()) await restarted();
    return String(a + b);
  },
});
const multiply = betaTool({
  name: "multiply",
  description: "Multiply two numbers.",
  inputSchema: numbers,
  run: ({ a, b }) => String(a * b),
});
const request = {
  model: "claude-opus-4-8",
  max_tokens: 500,
  system: "Work step by step.",
  tools: [add, multiply],
  messages: [{ role: "user", content: "Please add and double." }],
};
const ask = (content) => ({ role: "user", content });
const told = (message) => message.content.map((block) => (block.type === "text" ? block.text : block.name));
const outcome = (messages, inputs = []) => ({ messages, sent: sent.splice(0), input_tokens: inputs });

const run = async (more = {}) => {
  const messages = [];
  const inputs = [];
  for await (const message of client.beta.messages.toolRunner({ ...request, ...more })) {
    messages.push(told(message));
    inputs.push(message.usage.input_tokens);
  }
  return outcome(messages, inputs);
};

const scenarios = {
  runner: () => run(),
  async streaming_runner() {
    const messages = [];
    for await (const stream of client.beta.messages.toolRunner({ ...request, stream: true })) {
      messages.push(told(await stream.finalMessage()));
    }
    return outcome(messages);
  },
  without_a_thread: () => run({ thread: false }),
  async helper() {
    const thread = client.beta.messages.thread({ model: request.model, max_tokens: 100, system: "Be brief." });
    const replies = [told(await thread.send(ask("My name is Ada.")))];
    const fork = thread.fork();
    replies.push(told(await thread.stream(ask("What is my name?")).finalMessage()));
    replies.push(told(await fork.send(ask("What is my name?"))));
    return outcome(replies);
  },
};
const restartScenarios = {
  restarted_runner: () => {
    restarts.push(true);
    return run();
  },
  async restarted_helper() {
    const thread = client.beta.messages.thread({ model: request.model, max_tokens: 100 });
    const replies = [told(await thread.send(ask("My name is Ada.")))];
    await restarted();
    replies.push(told(await thread.send(ask("What is my name?"))));
    return outcome(replies);
  },
};

const results = {};
for (const [name, scenario] of Object.entries(process.argv.includes("restarts") ? restartScenarios : scenarios)) {
  try {
    results[name] = await scenario();
  } catch (error) {
    results[name] = { raised: String(error.stack ?? error), sent: sent.splice(0) };
  }
}
console.log(JSON.stringify(results));
process.exit(0);
