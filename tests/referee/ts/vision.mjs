// What an application does with tools that give pictures and documents, through the official TypeScript SDK's public API.
//
//     node vision.mjs FOLDER SCENARIO...
//
// FOLDER holds picture.png and report.pdf.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";

const [folder, ...asked] = process.argv.slice(2);
const client = new Anthropic({ maxRetries: 0, timeout: 300_000 });
const encoded = (name) => readFileSync(join(folder, name)).toString("base64");
const picture = {
  type: "image",
  source: { type: "base64", media_type: "image/png", data: encoded("picture.png") },
};
const pdf = {
  type: "document",
  source: { type: "base64", media_type: "application/pdf", data: encoded("report.pdf") },
};
const nothing = { type: "object", properties: {}, additionalProperties: false };
const screen = betaTool({
  name: "screen",
  description: "Take a picture of the screen.",
  inputSchema: nothing,
  run: () => [picture],
});
const report = betaTool({
  name: "report",
  description: "Get the report.",
  inputSchema: nothing,
  run: async () => [{ type: "text", text: "Here it is." }, picture, pdf],
});
const request = {
  model: "claude-opus-4-5-20251101",
  max_tokens: 500,
  tools: [screen, report],
  messages: [{ role: "user", content: "Look at the screen and read the report." }],
};
const told = (message) => message.content.map((block) => (block.type === "text" ? block.text : block.name));

const scenarios = {
  async runner() {
    const messages = [];
    for await (const message of client.beta.messages.toolRunner(request)) messages.push(told(message));
    return messages;
  },
  async streaming_runner() {
    const messages = [];
    for await (const stream of client.beta.messages.toolRunner({ ...request, stream: true })) {
      messages.push(told(await stream.finalMessage()));
    }
    return messages;
  },
  async forced_runner() {
    const messages = [];
    const tool_choice = { type: "tool", name: "screen", disable_parallel_tool_use: true };
    const forced = { ...request, tools: [screen], tool_choice, max_tokens: 100, max_iterations: 2 };
    for await (const message of client.beta.messages.toolRunner(forced)) {
      const { input_tokens, cache_read_input_tokens } = message.usage;
      messages.push({
        stop: message.stop_reason,
        names: told(message),
        input: input_tokens + (cache_read_input_tokens ?? 0),
      });
    }
    return messages;
  },
};

const results = {};
for (const name of asked) {
  try {
    results[name] = await scenarios[name]();
  } catch (error) {
    results[name] = { raised: String(error.stack ?? error) };
  }
}
console.log(JSON.stringify(results));
