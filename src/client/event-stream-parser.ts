/** Reads server-sent events: WHATWG HTML §9.2.5 and §9.2.6. Runs in browsers and in Node. */

interface ServerSentEvent {
  /** `message` where the stream names none. */
  readonly event: string;
  readonly data: string;
  /** The last id the stream has given, with this event or before it; empty when there was none. */
  readonly lastEventId: string;
}

export interface EventStreamParser {
  /** Takes the next piece of the stream, cut wherever it was, and gives the events that are whole now. */
  push(piece: string): readonly ServerSentEvent[];
  /** What to come back with. Also set by an id without data. */
  readonly lastEventId: string;
  /** Milliseconds to wait before coming back, where the stream says so. */
  readonly retryMs: number | undefined;
}

/** `lastEventId` is what the stream was asked to go on after. */
export function createEventStreamParser(lastEventId = ""): EventStreamParser {
  let rest = "";
  let begun = false;
  let afterReturn = false;
  let event = "";
  let data: string[] = [];
  let id = lastEventId;
  let known = lastEventId;
  let retryMs: number | undefined;

  /** A carriage return at the end of a piece may have its line feed in the next. */
  function takeLines(piece: string): readonly string[] {
    let text = piece;
    if (!begun && text !== "") {
      begun = true;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    if (afterReturn && text !== "") {
      afterReturn = false;
      if (text.startsWith("\n")) text = text.slice(1);
    }
    afterReturn ||= text.endsWith("\r");
    const lines = (rest + text).split(/\r\n|\r|\n/);
    rest = lines.pop() ?? "";
    return lines;
  }

  function takeField(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
    else if (name === "id" && !value.includes("\0")) id = value;
    else if (name === "retry" && /^[0-9]+$/.test(value)) retryMs = Number(value);
  }

  function endEvent(): ServerSentEvent | undefined {
    known = id;
    const whole = data.length === 0 ? undefined : { event: event === "" ? "message" : event, data: data.join("\n"), lastEventId: id };
    event = "";
    data = [];
    return whole;
  }

  return {
    push(piece) {
      const events: ServerSentEvent[] = [];
      for (const line of takeLines(piece)) {
        if (line !== "") takeField(line);
        else {
          const whole = endEvent();
          if (whole !== undefined) events.push(whole);
        }
      }
      return events;
    },
    get lastEventId() {
      return known;
    },
    get retryMs() {
      return retryMs;
    },
  };
}
