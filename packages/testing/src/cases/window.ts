import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { reduceWindow, type WindowReference } from "../convolution.ts";
import { NUMBERS, shapedRow, type ShapedRow } from "./rows.ts";

interface Case extends WindowReference {
  readonly label: string;
  readonly shape: readonly number[];
}

const none = (axes: number): (readonly [number, number])[] => Array.from({ length: axes }, () => [0, 0] as const);

const cases: readonly Case[] = [
  { label: "one axis", shape: [9], window: [3], strides: [2], padding: [[0, 0]] },
  {
    label: "one axis, overlapping and padded",
    shape: [3, 8],
    window: [1, 3],
    strides: [1, 1],
    padding: [
      [0, 0],
      [1, 2],
    ],
  },
  { label: "NHWC, 2 x 2", shape: [2, 6, 4, 8], window: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: none(4) },
  {
    label: "NHWC, 3 x 3 by 2, padded",
    shape: [2, 7, 6, 3],
    window: [1, 3, 3, 1],
    strides: [1, 2, 2, 1],
    padding: [
      [0, 0],
      [1, 1],
      [0, 1],
      [0, 0],
    ],
  },
  {
    label: "NHWC, cropped and dilated",
    shape: [1, 9, 9, 4],
    window: [1, 2, 3, 1],
    strides: [1, 1, 2, 1],
    padding: [
      [0, 0],
      [-1, 2],
      [1, -2],
      [0, 0],
    ],
    windowDilation: [1, 3, 2, 1],
  },
  { label: "NCHW", shape: [2, 3, 5, 6], window: [1, 1, 2, 3], strides: [1, 1, 2, 3], padding: none(4) },
  { label: "three axes", shape: [1, 4, 5, 4, 2], window: [1, 2, 2, 3, 1], strides: [1, 2, 1, 1, 1], padding: none(5) },
  {
    label: "axes far apart, and the base dilated",
    shape: [4, 2, 3, 2, 5],
    window: [2, 1, 1, 1, 3],
    strides: [1, 1, 1, 1, 2],
    padding: [
      [1, 0],
      [0, 0],
      [0, 0],
      [0, 0],
      [1, 1],
    ],
    baseDilation: [1, 1, 1, 1, 2],
  },
  { label: "a window that does not fit", shape: [2, 2], window: [1, 3], strides: [1, 1], padding: none(2) },
];

const largest = (a: number, b: number): number => (Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.max(a, b));
const smallest = (a: number, b: number): number => (Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.min(a, b));
const plus = (a: number, b: number): number => a + b;

function row(name: string, one: Case, init: number, run: t.WindowComputation, fold: typeof plus): ShapedRow {
  const { label: _label, shape, window, strides, padding, ...dilations } = one;
  return shapedRow(
    "reduceWindow",
    `${name}, ${one.label}`,
    [shape],
    (x) => t.reduceWindow(x, init, run, window, strides, padding, dilations),
    (x) => reduceWindow(x, init, fold, one),
    {
      tolerance: { ulp: 4, abs: 1e-6 },
      differentiable: !one.label.startsWith("a window"),
    },
  );
}

const special = [1, NaN, Infinity, -Infinity, -Infinity, -Infinity, NaN, NaN, -0, 0, 1e38, 3e38];

function specialRow(name: string, init: number, run: t.WindowComputation, fold: typeof plus): ShapedRow {
  const how = { window: [2], strides: [2], padding: [[0, 0]] as const };
  return shapedRow(
    "reduceWindow",
    `${name} of special values`,
    [{ shape: [12], values: special }],
    (x) => t.reduceWindow(x, init, run, [2], [2]),
    (x) => reduceWindow(x, init, fold, how),
  );
}

const wholeRow = (name: string, init: (x: Tensor) => number, run: t.WindowComputation, fold: typeof plus): ShapedRow =>
  shapedRow(
    "reduceWindow",
    `${name} of numbers`,
    [[4, 6, 4]],
    (x) => t.reduceWindow(x, init(x), run, [2, 2, 1], [2, 1, 1], "SAME"),
    (x) =>
      reduceWindow(x, fold === plus ? 0 : fold === largest ? -Infinity : Infinity, fold, {
        window: [2, 2, 1],
        strides: [2, 1, 1],
        padding: [
          [0, 0],
          [0, 1],
          [0, 0],
        ],
      }),
    { dtypes: NUMBERS, tolerance: { ulp: 2, abs: 1e-6 } },
  );

const LOWEST: Readonly<Record<string, number>> = { float32: -Infinity, int32: -(2 ** 31), uint32: 0, bool: 0 };
const HIGHEST: Readonly<Record<string, number>> = {
  float32: Infinity,
  int32: 2 ** 31 - 1,
  uint32: 2 ** 32 - 1,
  bool: 1,
};
const lowest = (x: Tensor): number => LOWEST[x.dtype] ?? NaN;
const highest = (x: Tensor): number => HIGHEST[x.dtype] ?? NaN;

export const window: readonly ShapedRow[] = [
  ...cases.flatMap((one) => [
    row("sum", one, 0, t.add, plus),
    row("max", one, -Infinity, t.maximum, largest),
    row("min", one, Infinity, t.minimum, smallest),
  ]),
  row(
    "sum",
    {
      label: "from 0.5",
      shape: [7, 6],
      window: [3, 2],
      strides: [2, 2],
      padding: [
        [1, 1],
        [0, 1],
      ],
    },
    0.5,
    t.add,
    plus,
  ),
  shapedRow(
    "reduceWindow",
    "product",
    [[3, 6]],
    (x) =>
      t.reduceWindow(
        x,
        1,
        t.mul,
        [2, 2],
        [1, 2],
        [
          [1, 0],
          [0, 0],
        ],
      ),
    (x) =>
      reduceWindow(x, 1, (a, b) => a * b, {
        window: [2, 2],
        strides: [1, 2],
        padding: [
          [1, 0],
          [0, 0],
        ],
      }),
    { tolerance: { ulp: 4 }, differentiable: true },
  ),
  specialRow("max", -Infinity, t.maximum, largest),
  specialRow("min", Infinity, t.minimum, smallest),
  specialRow("sum", 0, t.add, plus),
  wholeRow("max", lowest, t.maximum, largest),
  wholeRow("min", highest, t.minimum, smallest),
  wholeRow("sum", () => 0, t.add, plus),
];
