// What an application does with an MCP server and the official TypeScript SDK, through its public API only.
// Takes the server's URL. Prints one JSON object.
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ maxRetries: 0 });
const request = {
  model: "claude-opus-4-8",
  max_tokens: 500,
  mcp_servers: [{ type: "url", name: "everything", url: process.argv[2] }],
  tools: [{ type: "mcp_toolset", mcp_server_name: "everything" }],
  betas: ["mcp-client-2025-11-20"],
};
const messages = [{ role: "user", content: "Add 2 and 3." }];
const first = await client.beta.messages.stream({ ...request, messages }).finalMessage();
const whole = await client.beta.messages.create({ ...request, messages });
messages.push({ role: "assistant", content: first.content }, { role: "user", content: "Show me a picture." });
const last = await client.beta.messages.create({ ...request, messages });
const [called, result] = first.content.slice(1, 3);
console.log(
  JSON.stringify({
    streamed: first.content.map((block) => block.type),
    whole: whole.content.map((block) => block.type),
    called: [called.name, called.server_name, called.input],
    result: [result.is_error, result.content.map((block) => block.text)],
    paired: called.id === result.tool_use_id,
    answer: first.content.at(-1).text,
    stopped: first.stop_reason,
    pictured: last.content[1].content.map((block) => block.text),
    last: last.content.at(-1).text,
  }),
);
