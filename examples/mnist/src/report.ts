// What the reader sees afterwards: the loss curve as SVG, the confusion matrix and the digits in the terminal.
import { styleText } from "node:util";
import Table from "cli-table3";
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { side } from "./data.ts";

export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

/** The training loss over the steps as an SVG picture: the readings, and their moving average. */
export async function lossCurve(points: readonly LossPoint[], title: string): Promise<string> {
  const x = { field: "step", type: "quantitative", title: "training step" } as const;
  const y = { type: "quantitative", title: "cross entropy", scale: { type: "log" } } as const;
  const spec: TopLevelSpec = {
    title,
    width: 640,
    height: 360,
    background: "white",
    data: { values: points.map((point) => ({ ...point })) },
    transform: [{ window: [{ op: "mean", field: "loss", as: "average" }], frame: [-4, 4] }],
    layer: [
      {
        mark: { type: "point", opacity: 0.35, filled: true, size: 18 },
        encoding: { x, y: { ...y, field: "loss" } },
      },
      { mark: { type: "line", strokeWidth: 2 }, encoding: { x, y: { ...y, field: "average" } } },
    ],
  };
  return new View(parse(compile(spec).spec), { renderer: "none" }).toSVG();
}

/** counts[truth][predicted] over all images. */
export function confusion(labels: ArrayLike<number>, predicted: ArrayLike<number>): number[][] {
  const counts = Array.from({ length: 10 }, () => new Array<number>(10).fill(0));
  for (let i = 0; i < labels.length; i++) {
    const row = counts[labels[i] ?? 0];
    const digit = predicted[i] ?? 0;
    if (row) row[digit] = (row[digit] ?? 0) + 1;
  }
  return counts;
}

/** The confusion matrix as a table: a row per true digit, a column per prediction, and how many of the row were right. */
export function confusionTable(counts: readonly (readonly number[])[], colour: boolean): string {
  const paint = painter(colour);
  const style = { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 0 };
  const digits = counts.map((_, digit) => String(digit));
  const table = new Table({
    head: ["true\\seen", ...digits, "right"],
    style,
    colWidths: [9, ...digits.map(() => 5), 7],
    colAligns: ["right", ...digits.map(() => "right" as const), "right"],
  });
  for (const [digit, row] of counts.entries()) {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, seen) =>
      seen === digit
        ? paint("green", String(count))
        : count === 0
          ? paint("gray", "·")
          : paint("yellow", String(count)),
    );
    table.push([String(digit), ...cells, total === 0 ? "–" : `${((100 * (row[digit] ?? 0)) / total).toFixed(1)}%`]);
  }
  return table.toString();
}

export interface Guess {
  readonly image: Uint8Array;
  readonly label: number;
  readonly predicted: number;
}

/** Digits side by side, five to a row of 80 columns: each character is two pixels, one above the other, and what the network says below. */
export function drawDigits(guesses: readonly Guess[], colour: boolean): string {
  const lines: string[] = [];
  for (let from = 0; from < guesses.length; from += 5) {
    const row = guesses.slice(from, from + 5);
    const drawn = row.map(({ image }) => drawDigit(image, colour));
    for (let line = 0; line < side / 4; line++) lines.push(drawn.map((digit) => digit[line] ?? "").join("  "));
    lines.push(row.map((guess) => caption(guess, colour)).join("  "), "");
  }
  return lines.join("\n");
}

/** Images side by side, five to a row of 80 columns. */
export function drawImages(images: readonly Uint8Array[], colour: boolean): string {
  const lines: string[] = [];
  for (let from = 0; from < images.length; from += 5) {
    const drawn = images.slice(from, from + 5).map((image) => drawDigit(image, colour));
    for (let line = 0; line < side / 4; line++) lines.push(drawn.map((digit) => digit[line] ?? "").join("  "));
    lines.push("");
  }
  return lines.join("\n");
}

// ---------------------------------------------------------------------------------------------------------------------

const width = side / 2; // each drawn pixel is the brightest of 2 x 2: thin strokes survive

function drawDigit(image: Uint8Array, colour: boolean): string[] {
  const at = (row: number, column: number) => {
    const corner = 2 * row * side + 2 * column;
    return Math.max(...[0, 1, side, side + 1].map((offset) => image[corner + offset] ?? 0));
  };
  return Array.from({ length: width / 2 }, (_, line) =>
    Array.from({ length: width }, (_, column) =>
      halfBlock(at(2 * line, column), at(2 * line + 1, column), colour),
    ).join(""),
  );
}

function halfBlock(top: number, bottom: number, colour: boolean): string {
  if (!colour) return top > 127 ? (bottom > 127 ? "█" : "▀") : bottom > 127 ? "▄" : " ";
  const grey = (level: number) => `${level};${level};${level}`;
  return `\u001b[38;2;${grey(top)};48;2;${grey(bottom)}m▀\u001b[0m`;
}

function caption({ label, predicted }: Guess, colour: boolean): string {
  const text = predicted === label ? `it is a ${predicted}` : `${predicted}? it is ${label}`;
  return painter(colour)(predicted === label ? "green" : "red", text.padEnd(width));
}

function painter(colour: boolean) {
  return (style: "green" | "yellow" | "red" | "gray", text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text;
}
