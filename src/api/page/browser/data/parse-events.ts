/** Server-sent events out of a stream of text (HTML Living Standard §9.2.6). */

export interface ServerEvent {
  /** `message` where the stream does not say. */
  readonly type: string;
  readonly data: string;
  /** As the stream has said it last, here or before; empty until then. */
  readonly lastId: string;
}

export interface EventParser {
  /** Takes the next piece, cut anywhere; gives the events it completes. */
  push(text: string): readonly ServerEvent[];
  /** What `retry` has asked for, in milliseconds. */
  readonly retryMs: number | undefined;
}

/** Longer lines than this are no stream of ours. */
const longestLine = 1_048_576;

export function createEventParser(): EventParser {
  let rest = "";
  let lastId = "";
  let type = "";
  let data: string[] = [];
  let retryMs: number | undefined;

  const take = (line: string): ServerEvent | undefined => {
    if (line === "") {
      const event = data.length === 0 ? undefined : { type: type === "" ? "message" : type, data: data.join("\n"), lastId };
      type = "";
      data = [];
      return event;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "data") data.push(value);
    else if (field === "event") type = value;
    else if (field === "id" && !value.includes("\0")) lastId = value;
    else if (field === "retry" && /^\d{1,9}$/.test(value)) retryMs = Number(value);
    return undefined;
  };

  return {
    push(text) {
      const events: ServerEvent[] = [];
      // A carriage return at the end may be half of a line end.
      const all = rest + text;
      const end = all.endsWith("\r") ? all.length - 1 : all.length;
      let start = 0;
      for (const { 0: mark, index } of all.slice(0, end).matchAll(/\r\n|\n|\r/g)) {
        const event = take(all.slice(start, index));
        if (event !== undefined) events.push(event);
        start = index + mark.length;
      }
      rest = all.slice(start);
      if (rest.length > longestLine) rest = "";
      return events;
    },
    get retryMs() {
      return retryMs;
    },
  };
}
