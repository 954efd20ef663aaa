// Server-sent events out of a body that comes in pieces of any size.

const FIELD = /^([^:]*):? ?(.*)$/s;

/** Each event of a body's stream as `{ event, data }`, when all of it is there. */
export async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      // A return at the end may be half of a line's end.
      const held = rest.endsWith("\r") ? "\r" : "";
      const frames = rest.slice(0, rest.length - held.length).replaceAll(/\r\n?/g, "\n").split("\n\n");
      rest = frames.pop() + held;
      for (const frame of frames) {
        const read = eventOf(frame);
        if (read !== null) yield read;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function eventOf(frame) {
  const data = [];
  let event = "message";
  for (const line of frame.split("\n")) {
    const [, name, value] = FIELD.exec(line);
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
  }
  return data.length ? { event, data: data.join("\n") } : null;
}
