/** Where the links of the relay's picture are, and how the lines between them go. Pure geometry, in the units of the picture. */

interface Point {
  readonly x: number;
  readonly y: number;
}

/** The upper left corner of a link's box. */
export interface Box extends Point {
  readonly name: string;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  /** Of an SVG path, from `from` to `to`. */
  readonly path: string;
  /** The same a little to one side: what goes forth. And to the other: what comes back. */
  readonly lanes: readonly [string, string];
  /** Where its words are. */
  readonly label: Point;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
}

/** Of a link's box. */
export const boxSize = { width: 210, height: 92 } as const;

interface Request {
  readonly names: readonly string[];
  /** Pairs of names; those of which one is not in `names` are left out. */
  readonly pairs: readonly (readonly [string, string])[];
  readonly narrow: boolean;
}

/** Links stand in two columns that face each other; on a narrow page in one, with arcs beside it. */
export function layOut({ names, pairs, narrow }: Request): Layout {
  const known = pairs.filter(([from, to]) => from !== to && names.includes(from) && names.includes(to));
  return narrow ? inOneColumn(names, known) : inTwoColumns(names, known);
}

const margin = 6;
const laneOffset = 4;

function inTwoColumns(names: readonly string[], pairs: Request["pairs"]): Layout {
  const { width: boxWidth, height: boxHeight } = boxSize;
  const width = 760;
  const gap = 56;
  const rows = Math.max(1, Math.ceil(names.length / 2));
  const height = rows * (boxHeight + gap) - gap + 2 * margin;
  const columns = [names.filter((_, index) => index % 2 === 0), names.filter((_, index) => index % 2 === 1)];
  const boxes = columns.flatMap((column, side) => {
    const top = (height - (column.length * (boxHeight + gap) - gap)) / 2;
    const x = names.length === 1 ? (width - boxWidth) / 2 : side === 0 ? margin : width - boxWidth - margin;
    return column.map((name, row) => ({ name, x, y: top + row * (boxHeight + gap), side, row }));
  });
  const edges = pairs.flatMap(([from, to]) => {
    const a = boxes.find(({ name }) => name === from);
    const b = boxes.find(({ name }) => name === to);
    if (a === undefined || b === undefined) return [];
    if (a.side === b.side) {
      const [upper, lower] = a.row < b.row ? [a, b] : [b, a];
      const steps = lower.row - upper.row;
      // Neighbours are joined straight down; what is further apart goes around, on the inner side.
      if (steps === 1) {
        const x = a.x + boxWidth / 2;
        const label = { x, y: upper.y + boxHeight + gap / 2 };
        return [{ ...line({ x, y: upper.y + boxHeight }, { x, y: lower.y }), from: upper.name, to: lower.name, label }];
      }
      const inner = a.side === 0 ? a.x + boxWidth : a.x;
      const reach = inner + (a.side === 0 ? 1 : -1) * 60 * steps;
      const [top, bottom] = [upper.y + boxHeight - 18, lower.y + 18];
      return [{ ...arc({ x: inner, top, bottom, reach }), from: upper.name, to: lower.name }];
    }
    const [left, right] = a.side === 0 ? [a, b] : [b, a];
    const start = { x: left.x + boxWidth, y: left.y + boxHeight / 2 };
    const end = { x: right.x, y: right.y + boxHeight / 2 };
    // Lines that cross do so in the middle: words keep away from there.
    const part = rows > 1 && start.y !== end.y ? 0.34 : 0.5;
    return [
      {
        ...line(start, end),
        from: left.name,
        to: right.name,
        label: { x: start.x + (end.x - start.x) * part, y: start.y + (end.y - start.y) * part },
      },
    ];
  });
  return { width, height, boxes: boxes.map(({ name, x, y }) => ({ name, x, y })), edges };
}

function inOneColumn(names: readonly string[], pairs: Request["pairs"]): Layout {
  const { width: boxWidth, height: boxHeight } = boxSize;
  const gap = 32;
  const boxes = names.map((name, row) => ({ name, x: 1, y: margin + row * (boxHeight + gap), row }));
  const edges = pairs.flatMap(([one, other]) => {
    const a = boxes.find(({ name }) => name === one);
    const b = boxes.find(({ name }) => name === other);
    if (a === undefined || b === undefined) return [];
    const [upper, lower] = a.row < b.row ? [a, b] : [b, a];
    const steps = Math.min(3, lower.row - upper.row);
    // The further apart, the nearer to the middle of the boxes they end: so they lie around each other and do not cross.
    const away = 50 - steps * 18;
    const [top, bottom] = [upper.y + boxHeight / 2 + away, lower.y + boxHeight / 2 - away];
    return [{ ...arc({ x: 1 + boxWidth, top, bottom, reach: boxWidth + 24 + steps * 34 }), from: upper.name, to: lower.name }];
  });
  return {
    width: 330,
    height: names.length * (boxHeight + gap) - gap + 2 * margin,
    boxes: boxes.map(({ name, x, y }) => ({ name, x, y })),
    edges,
  };
}

function line(start: Point, end: Point): Pick<Edge, "path" | "lanes"> {
  const length = Math.hypot(end.x - start.x, end.y - start.y) || 1;
  const aside = { x: (-(end.y - start.y) / length) * laneOffset, y: ((end.x - start.x) / length) * laneOffset };
  const draw = (by: number): string =>
    `M${round(start.x + by * aside.x)} ${round(start.y + by * aside.y)}L${round(end.x + by * aside.x)} ${round(end.y + by * aside.y)}`;
  return { path: draw(0), lanes: [draw(-1), draw(1)] };
}

/** Out of a side at `top`, and back into it at `bottom`; `reach` is how far its handles go. */
function arc({ x, top, bottom, reach }: { readonly x: number; readonly top: number; readonly bottom: number; readonly reach: number }) {
  const side = Math.sign(reach - x);
  const draw = (by: number): string => {
    const out = round(reach + side * by * laneOffset * 1.33);
    return `M${x} ${round(top - by * laneOffset)}C${out} ${round(top - by * laneOffset)} ${out} ${round(bottom + by * laneOffset)} ${x} ${round(bottom + by * laneOffset)}`;
  };
  // A cubic curve is at three quarters of the way to its handles.
  return { path: draw(0), lanes: [draw(1), draw(-1)] as const, label: { x: x + (reach - x) * 0.75, y: (top + bottom) / 2 } };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
