/** Where a reader of the live events is: a place in one history. */

export interface Cursor {
  readonly historyId: string;
  /** The last entry dealt with; 0 before the first. */
  readonly sequence: number;
}

/** Where a reader wants to begin: after what it has, with what comes next, or with everything that is kept. */
export type Beginning = Cursor | "now" | "oldest";

/** A UUID, a dot, a number that is exact in JavaScript. The contract names the same pattern. */
const shape = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(0|[1-9][0-9]{0,15})$/;

/** What stands in `id:` of an event, opaque to whoever gets it. */
export function formatCursor({ historyId, sequence }: Cursor): string {
  return `${historyId}.${sequence}`;
}

/** The cursor that a text stands for; undefined for what `formatCursor` never made. */
export function parseCursor(text: string): Cursor | undefined {
  const [, historyId, digits] = shape.exec(text) ?? [];
  const sequence = Number(digits);
  if (historyId === undefined || !Number.isSafeInteger(sequence)) return undefined;
  return { historyId, sequence };
}

/** The same, or one of the two words for those who have no cursor. */
export function parseBeginning(text: string): Beginning | undefined {
  return text === "now" || text === "oldest" ? text : parseCursor(text);
}
