/** Rows → aligned text. */
import { printable } from "../core/printable.ts";
import { displayWidth, truncate } from "./display-width.ts";
import type { Color, Terminal } from "./terminal.ts";

export interface Cell {
  readonly text: string;
  readonly color?: Color;
}

export interface Column<Row> {
  readonly title: string;
  cell(row: Row): Cell | string | undefined;
}

const gap = 2;
/** A column is not made narrower than this to fit the terminal. */
const narrowest = 8;

/** Lines of a table: a head and a line for each row, cells made printable, empty ones shown as `-`. On a terminal the widest columns give way until a line fits. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], terminal: Terminal): string[] {
  const cells = rows.map((row) => columns.map((column) => toCell(column.cell(row))));
  const natural = columns.map(({ title }, index) =>
    Math.max(displayWidth(title), ...cells.map((line) => displayWidth(line[index]?.text ?? ""))),
  );
  const widths = terminal.columns === undefined ? natural : fit(natural, terminal.columns);
  const format = (line: readonly Cell[]): string =>
    line
      .map(({ text, color }, index) => {
        const width = widths[index] ?? 0;
        const shown = truncate(text, width);
        const padding = index === line.length - 1 ? "" : " ".repeat(width - displayWidth(shown) + gap);
        return (color === undefined ? shown : terminal.paint(color, shown)) + padding;
      })
      .join("");
  return [format(columns.map(({ title }) => ({ text: title, color: "bold" }))), ...cells.map(format)].map((line) => line.trimEnd());
}

function toCell(cell: Cell | string | undefined): Cell {
  const { text, color } = typeof cell === "object" ? cell : { text: cell ?? "" };
  const safe = printable(text);
  return { text: safe === "" ? "-" : safe, ...(color === undefined ? {} : { color }) };
}

function fit(natural: readonly number[], columns: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width + gap, -gap) - columns;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= narrowest) break;
    widths[widths.indexOf(widest)] = widest - 1;
    excess -= 1;
  }
  return widths;
}
