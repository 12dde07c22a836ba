/** Where a command writes. */

export type Color = "bold" | "dim" | "red" | "green" | "yellow";

export interface Terminal {
  /** Writes a line to standard output. Whatever comes from outside must have gone through `printable`. */
  line(text: string): void;
  /** Writes to standard output as it is. */
  write(text: string): void;
  /** Writes a line to standard error. */
  errorLine(text: string): void;
  /** Columns of the terminal on standard output; undefined when it is none, and then nothing is shortened. */
  readonly columns: number | undefined;
  /** The text in a colour, or as it is where colours are not wanted. */
  paint(color: Color, text: string): string;
}

/** SGR parameters (ECMA-48 §8.3.117). */
const parameters: Readonly<Record<Color, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

interface Streams {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: { write(text: string): unknown };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Colours only on a terminal, and not where NO_COLOR (no-color.org) or TERM=dumb asks for none. */
export function createTerminal({ stdout, stderr, environment }: Streams): Terminal {
  const isTerminal = stdout.isTTY === true;
  const colored = isTerminal && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  return {
    write: (text) => void stdout.write(text),
    line: (text) => void stdout.write(`${text}\n`),
    errorLine: (text) => void stderr.write(`${text}\n`),
    columns: isTerminal ? stdout.columns || 80 : undefined,
    paint(color, text) {
      const [on, off] = parameters[color];
      return colored ? `\u001b[${on}m${text}\u001b[${off}m` : text;
    },
  };
}
