/** Streams of JSON, a value a line. */

/** Heartbeats come every 15 s; a stream that is silent for longer has broken. */
const silenceMs = 45_000;

/** The lines, until the stream ends. To stop reading ends it. */
export async function* readLines<Line>(open: () => Promise<Response>): AsyncGenerator<Line, void, undefined> {
  let rest = "";
  for await (const piece of readText(await open())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield JSON.parse(line) as Line;
  }
}

/** The body as text, in pieces. Rejects when nothing comes for `silenceMs`. */
export async function* readText(response: Response): AsyncGenerator<string, void, undefined> {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    for (;;) {
      timer = setTimeout(() => void reader.cancel(), silenceMs);
      const { done, value } = await reader.read();
      clearTimeout(timer);
      if (done) return;
      yield value;
    }
  } finally {
    clearTimeout(timer);
    // Whoever stops reading in the middle leaves no connection behind.
    await reader.cancel().catch(() => undefined);
  }
}
