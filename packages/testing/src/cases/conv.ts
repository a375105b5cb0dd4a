import * as t from "@jnx/tensor";
import { conv as reference, type ConvReference } from "../convolution.ts";
import * as r from "../reference.ts";
import { convolve } from "./convolve.ts";
import { shapedRow, type ShapedRow } from "./rows.ts";

const tolerance = { ulp: 4, abs: 2e-5 };
const ones = (axes: number): number[] => new Array<number>(axes).fill(1);

/** Pairs that a word means, worked out by hand in each row. */
interface Case extends t.ConvOptions {
  readonly label: string;
  readonly lhs: readonly number[];
  readonly rhs: readonly number[];
  readonly pairs?: readonly (readonly [number, number])[];
  readonly differentiable?: boolean;
}

const NHWC = ["NHWC", "HWIO", "NHWC"] as const;
const NWC = ["NWC", "WIO", "NWC"] as const;

const cases: readonly Case[] = [
  { label: "1-D, NCW", lhs: [2, 3, 9], rhs: [4, 3, 3] },
  {
    label: "1-D, strided, padded",
    lhs: [2, 9, 3],
    rhs: [4, 3, 5],
    dimensionNumbers: NWC,
    windowStrides: [2],
    padding: [[3, 1]],
  },
  { label: "1-D, cropped", lhs: [1, 9, 2], rhs: [3, 2, 2], dimensionNumbers: NWC, padding: [[-2, -1]] },
  {
    label: "1-D, cropped and padded, dilated both ways",
    lhs: [1, 7, 2],
    rhs: [3, 2, 4],
    dimensionNumbers: NWC,
    windowStrides: [3],
    padding: [[-2, 5]],
    lhsDilation: [2],
    rhsDilation: [2],
  },
  {
    label: "2-D, SAME",
    lhs: [2, 5, 6, 3],
    rhs: [3, 3, 3, 4],
    dimensionNumbers: NHWC,
    padding: "SAME",
    pairs: [
      [1, 1],
      [1, 1],
    ],
  },
  {
    label: "2-D, SAME, strides, even window",
    lhs: [1, 7, 6, 2],
    rhs: [4, 2, 2, 3],
    dimensionNumbers: NHWC,
    windowStrides: [2, 3],
    padding: "SAME",
    pairs: [
      [1, 2],
      [0, 0],
    ],
  },
  {
    label: "2-D, SAME_LOWER",
    lhs: [1, 6, 5, 2],
    rhs: [4, 2, 2, 3],
    dimensionNumbers: NHWC,
    padding: "SAME_LOWER",
    pairs: [
      [2, 1],
      [1, 0],
    ],
  },
  {
    label: "2-D, NCHW OIHW",
    lhs: [2, 3, 6, 5],
    rhs: [4, 3, 3, 2],
    windowStrides: [2, 1],
    padding: [
      [1, 0],
      [0, 2],
    ],
  },
  {
    label: "2-D, mixed layouts",
    lhs: [6, 3, 5, 2],
    rhs: [2, 3, 4, 3],
    dimensionNumbers: ["HCWN", "WIOH", "WCNH"],
    rhsDilation: [1, 2],
    windowStrides: [2, 1],
  },
  {
    label: "2-D, batch inside",
    lhs: [6, 5, 4, 3],
    rhs: [3, 3, 3, 8],
    dimensionNumbers: ["HWNC", "HWIO", "HWNC"],
    padding: [
      [1, 1],
      [0, 0],
    ],
  },
  {
    label: "2-D, feature groups",
    lhs: [1, 5, 5, 6],
    rhs: [3, 3, 3, 8],
    dimensionNumbers: NHWC,
    featureGroupCount: 2,
    windowStrides: [2, 2],
  },
  {
    label: "2-D, depthwise, vec4",
    lhs: [2, 5, 5, 8],
    rhs: [3, 3, 1, 8],
    dimensionNumbers: NHWC,
    featureGroupCount: 8,
    padding: [
      [1, 1],
      [1, 1],
    ],
  },
  {
    label: "2-D, depthwise with multiplier",
    lhs: [1, 5, 4, 3],
    rhs: [2, 2, 1, 6],
    dimensionNumbers: NHWC,
    featureGroupCount: 3,
  },
  { label: "2-D, batch groups", lhs: [4, 4, 5, 3], rhs: [2, 2, 3, 6], dimensionNumbers: NHWC, batchGroupCount: 2 },
  {
    label: "2-D, batch groups of one",
    lhs: [3, 4, 5, 2],
    rhs: [2, 2, 2, 3],
    dimensionNumbers: NHWC,
    batchGroupCount: 3,
    lhsDilation: [2, 1],
    padding: [
      [1, 0],
      [0, 1],
    ],
  },
  { label: "2-D, window over all", lhs: [2, 3, 4, 2], rhs: [3, 4, 2, 5], dimensionNumbers: NHWC },
  {
    label: "3-D",
    lhs: [1, 4, 5, 3, 2],
    rhs: [2, 3, 2, 2, 3],
    dimensionNumbers: ["NDHWC", "DHWIO", "NDHWC"],
    windowStrides: [1, 2, 1],
    padding: [
      [1, 0],
      [1, 1],
      [0, 0],
    ],
  },
  {
    label: "3-D, dilated, NCDHW",
    lhs: [1, 2, 3, 4, 5],
    rhs: [3, 2, 2, 1, 2],
    lhsDilation: [2, 1, 1],
    rhsDilation: [1, 1, 2],
  },
  { label: "no spatial axes", lhs: [3, 5], rhs: [4, 5] },
  { label: "no channels", lhs: [2, 5, 0], rhs: [3, 0, 4], dimensionNumbers: NWC, differentiable: false },
  { label: "no images", lhs: [0, 5, 2], rhs: [3, 2, 4], dimensionNumbers: NWC, differentiable: false },
  { label: "a window that does not fit", lhs: [2, 2, 2], rhs: [3, 2, 4], dimensionNumbers: NWC, differentiable: false },
];

/** Large enough for the tiled kernel: its wide and narrow loads, edges, and taps in parts. */
const tiled: readonly Case[] = [
  {
    label: "tiled, ragged",
    lhs: [3, 13, 11, 5],
    rhs: [3, 3, 5, 13],
    dimensionNumbers: NHWC,
    padding: [
      [1, 1],
      [2, 0],
    ],
  },
  {
    label: "tiled, vec4",
    lhs: [2, 14, 14, 16],
    rhs: [3, 3, 16, 32],
    dimensionNumbers: NHWC,
    padding: "SAME",
    pairs: [
      [1, 1],
      [1, 1],
    ],
  },
  {
    label: "tiled, strided",
    lhs: [2, 16, 15, 12],
    rhs: [3, 3, 12, 20],
    dimensionNumbers: NHWC,
    windowStrides: [2, 2],
    padding: [
      [1, 1],
      [1, 1],
    ],
  },
  {
    label: "tiled, dilated",
    lhs: [2, 9, 9, 12],
    rhs: [3, 3, 12, 16],
    dimensionNumbers: NHWC,
    lhsDilation: [2, 2],
    rhsDilation: [2, 2],
    padding: [
      [2, 2],
      [1, 3],
    ],
  },
  { label: "tiled, groups", lhs: [2, 12, 12, 8], rhs: [3, 3, 4, 24], dimensionNumbers: NHWC, featureGroupCount: 2 },
  { label: "tiled, batch groups", lhs: [4, 12, 12, 8], rhs: [3, 3, 8, 24], dimensionNumbers: NHWC, batchGroupCount: 2 },
  {
    label: "tiled, batch inside",
    lhs: [8, 8, 24, 6],
    rhs: [3, 3, 6, 12],
    dimensionNumbers: ["HWNC", "HWIO", "HWNC"],
    padding: [
      [1, 1],
      [1, 1],
    ],
  },
  {
    label: "tiled, batch inside and contiguous",
    lhs: [6, 10, 10, 16],
    rhs: [8, 8, 6, 8],
    dimensionNumbers: ["CHWN", "HWIO", "HWNC"],
    padding: [
      [1, 1],
      [1, 1],
    ],
  },
  {
    label: "tiled, taps in parts",
    lhs: [16, 20, 20, 16],
    rhs: [18, 18, 16, 8],
    dimensionNumbers: ["CHWN", "HWIO", "HWNC"],
  },
  {
    label: "tiled, NCHW",
    lhs: [2, 6, 14, 14],
    rhs: [12, 6, 3, 3],
    padding: [
      [1, 1],
      [1, 1],
    ],
  },
];

function row({ label, lhs, rhs, pairs, differentiable, ...options }: Case, large: boolean): ShapedRow {
  const axes = lhs.length - 2;
  const padding =
    pairs ?? (typeof options.padding === "object" ? options.padding : lhs.slice(2).map(() => [0, 0] as const));
  const letters = ["", "W", "HW", "DHW"][axes] ?? "";
  const how: ConvReference = {
    strides: options.windowStrides ?? ones(axes),
    padding,
    lhsDilation: options.lhsDilation ?? ones(axes),
    rhsDilation: options.rhsDilation ?? ones(axes),
    numbers: options.dimensionNumbers ?? [`NC${letters}`, `OI${letters}`, `NC${letters}`],
    featureGroups: options.featureGroupCount ?? 1,
    batchGroups: options.batchGroupCount ?? 1,
  };
  const run = (x: t.Tensor, w: t.Tensor): t.Tensor => t.convGeneralDilated(x, w, options);
  return shapedRow("convGeneralDilated", label, [lhs, rhs], run, (x, w) => reference(x, w, how), {
    tolerance: large ? { ulp: 16, abs: 5e-4 } : tolerance,
    differentiable: differentiable ?? !large,
  });
}

const layout = (axes: string): ConvReference["numbers"] => [`NC${axes}`, `OI${axes}`, `NC${axes}`];
const plain = (axes: number): Omit<ConvReference, "numbers" | "padding"> => ({
  strides: ones(axes),
  lhsDilation: ones(axes),
  rhsDilation: ones(axes),
  featureGroups: 1,
  batchGroups: 1,
});

/** The same through the other doors. */
const others: readonly ShapedRow[] = [
  shapedRow(
    "convGeneralDilatedPatches",
    "of a window of two by two",
    [[2, 3, 4, 3]],
    (x) => t.convGeneralDilatedPatches(x, [2, 2], [2, 1], "VALID"),
    (x) =>
      r.build([2, 12, 2, 2], ([n = 0, c = 0, i = 0, j = 0]) =>
        r.get(x, [n, Math.floor(c / 4), 2 * i + (Math.floor(c / 2) % 2), j + (c % 2)]),
      ),
    { differentiable: true, tolerance },
  ),
  shapedRow(
    "conv",
    "2-D",
    [
      [2, 3, 5, 6],
      [4, 3, 3, 2],
    ],
    (x, w) => t.conv(x, w, [2, 1], "VALID"),
    (x, w) =>
      reference(x, w, {
        ...plain(2),
        strides: [2, 1],
        numbers: layout("HW"),
        padding: [
          [0, 0],
          [0, 0],
        ],
      }),
    { tolerance, differentiable: true },
  ),
  shapedRow(
    "convWithGeneralPadding",
    "1-D",
    [
      [1, 2, 5],
      [3, 2, 2],
    ],
    (x, w) => t.convWithGeneralPadding(x, w, [1], [[2, 1]], { lhsDilation: [2], rhsDilation: [3] }),
    (x, w) =>
      reference(x, w, { ...plain(1), lhsDilation: [2], rhsDilation: [3], numbers: layout("W"), padding: [[2, 1]] }),
    { tolerance, differentiable: true },
  ),
  ...(
    [
      ["SAME", 2, [2, 1]],
      ["VALID", 2, [2, 1]],
      ["VALID", 1, [2, 2]],
      ["SAME", 4, [2, 3]],
      ["VALID", 4, [2, 4]],
    ] as const
  ).map(([padding, stride, pair]) => {
    const window = 3;
    const pads: readonly (readonly [number, number])[] = [
      padding === "VALID" ? [2, stride - 1 + Math.max(window - stride, 0)] : pair,
    ];
    return shapedRow(
      "convTranspose",
      `${padding}, stride ${stride}`,
      [
        [2, 5, 3],
        [window, 3, 4],
      ],
      (x, w) => t.convTranspose(x, w, [stride], padding),
      (x, w) => reference(x, w, { ...plain(1), lhsDilation: [stride], numbers: NWC, padding: pads }),
      { tolerance, differentiable: true },
    );
  }),
];

const whole = shapedRow(
  "convGeneralDilated",
  "of whole numbers",
  [
    [1, 4, 4, 2],
    [3, 3, 2, 4],
  ],
  (x, w) => t.convGeneralDilated(x, w, { dimensionNumbers: NHWC }),
  (x, w) =>
    reference(x, w, {
      ...plain(2),
      numbers: NHWC,
      padding: [
        [0, 0],
        [0, 0],
      ],
    }),
  { dtypes: ["int32", "uint32"] },
);

export const conv: readonly ShapedRow[] = [
  ...cases.map((one) => row(one, false)),
  ...tiled.map((one) => row(one, true)),
  ...others,
  ...convolve,
  whole,
];
