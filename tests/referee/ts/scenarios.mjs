// What an application does with the official TypeScript SDK, through its public API only.
// Prints one JSON object, a key a scenario.
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic();
const model = "claude-opus-4-5-20251101";
const hello = [{ role: "user", content: "Say hello to the world." }];
const colors = [{ role: "user", content: "Name three primary colors." }];
const textOf = (message) =>
  message.content.filter((block) => block.type === "text").map((block) => block.text).join("");

const rules = "Answer in one word, whatever you are asked, and never explain what you mean by it. ".repeat(6);
const numbers = (usage) => [usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens];

const scenarios = {
  async basic() {
    const message = await client.messages.create({ model, max_tokens: 12, messages: colors });
    return {
      text: textOf(message),
      type: message.type,
      role: message.role,
      model: message.model,
      stop_reason: message.stop_reason,
      usage: [message.usage.input_tokens, message.usage.output_tokens],
      request_id: message._request_id,
    };
  },
  async multi_turn() {
    const messages = [
      { role: "user", content: "My name is Ada." },
      { role: "assistant", content: "Nice to meet you, Ada!" },
      { role: "user", content: [{ type: "text", text: "What is my name?" }] },
    ];
    const first = await client.messages.create({ model, max_tokens: 10, system: "Answer briefly.", messages });
    const again = [...messages, { role: "assistant", content: first.content }, { role: "user", content: "Thanks!" }];
    const second = await client.messages.create({ model, max_tokens: 10, messages: again });
    return { texts: [textOf(first), textOf(second)], grew: second.usage.input_tokens > first.usage.input_tokens };
  },
  async prefill() {
    const message = await client.messages.create({
      model: "claude-sonnet-4-5",
      max_tokens: 1,
      messages: [
        { role: "user", content: "What is latin for Ant? (A) Apoidea, (B) Rhopalocera, (C) Formicidae" },
        { role: "assistant", content: "The answer is (" },
      ],
    });
    return { text: textOf(message), stop_reason: message.stop_reason, output: message.usage.output_tokens };
  },
  async stream() {
    const pieces = [];
    const stream = client.messages.stream({ model, max_tokens: 5, messages: colors });
    stream.on("text", (text) => pieces.push(text));
    const final = await stream.finalMessage();
    const whole = await client.messages.create({ model, max_tokens: 5, messages: colors });
    return {
      joined: pieces.join("") === textOf(final),
      pieces: pieces.length,
      same_as_whole: textOf(final) === textOf(whole),
      usage: [
        [final.usage.input_tokens, final.usage.output_tokens],
        [whole.usage.input_tokens, whole.usage.output_tokens],
      ],
    };
  },
  async raw_events() {
    const types = [];
    for await (const event of await client.messages.create({ model, max_tokens: 10, messages: hello, stream: true })) {
      types.push(event.type);
    }
    return { types };
  },
  async count_tokens() {
    const conversation = { model, system: "You are terse.", messages: hello };
    const counted = await client.messages.countTokens(conversation);
    const message = await client.messages.create({ ...conversation, max_tokens: 1 });
    return { counted: counted.input_tokens, used: message.usage.input_tokens };
  },
  async models() {
    const ids = [];
    for await (const info of client.models.list({ limit: 4 })) ids.push(info.id);
    const one = await client.models.retrieve("claude-opus-4-5");
    return { ids, unique: new Set(ids).size === ids.length, resolved: one.id };
  },
  async errors() {
    const seen = {};
    const attempts = {
      "unknown model": () => client.messages.create({ model: "no-such-model", max_tokens: 5, messages: hello }),
      "empty text": () =>
        client.messages.create({ model, max_tokens: 5, messages: [{ role: "user", content: "" }] }),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      try {
        await attempt();
        seen[name] = "no error";
      } catch (error) {
        seen[name] = [error.constructor.name, error.status, error.error.error.message];
      }
    }
    return seen;
  },
  async caching() {
    const found = {};
    for (const kind of ["explicit", "automatic"]) {
      const mark = { cache_control: { type: "ephemeral" } };
      const [inside, atTop] = kind === "explicit" ? [mark, {}] : [{}, mark];
      const asked = {
        model: "smollm2-135m-instruct",
        system: [{ type: "text", text: `ts ${kind}. ${rules}`, ...inside }],
        messages: hello,
      };
      const call = { ...asked, ...atTop, max_tokens: 3 };
      const first = await client.messages.create(call);
      const second = await client.messages.create(call);
      let opened, ended;
      const stream = client.messages.stream(call);
      stream.on("streamEvent", (event) => {
        if (event.type === "message_start") opened = numbers(event.message.usage);
        if (event.type === "message_delta") ended = numbers(event.usage);
      });
      const final = await stream.finalMessage();
      const kept = first.usage.cache_creation;
      found[kind] = {
        first: numbers(first.usage),
        split: [kept.ephemeral_5m_input_tokens, kept.ephemeral_1h_input_tokens],
        second: numbers(second.usage),
        opened,
        ended,
        final: numbers(final.usage),
        counted: (await client.messages.countTokens(asked)).input_tokens,
      };
    }
    return found;
  },
  async abort() {
    const stream = client.messages.stream({ model, max_tokens: 120, messages: hello });
    stream.once("text", () => stream.abort());
    try {
      await stream.finalMessage();
      return { aborted: false };
    } catch (error) {
      return { aborted: error instanceof Anthropic.APIUserAbortError };
    }
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
