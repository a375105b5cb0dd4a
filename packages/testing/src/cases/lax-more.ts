import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import * as r from "../reference.ts";
import { shapedRow, type ShapedRow } from "./rows.ts";

const float = { differentiable: true };
const near = { differentiable: true, tolerance: { ulp: 8, abs: 1e-6 } };
const places = { shape: [3], values: [0, -1, 4], dtype: "int32" } as const;
const sizes = { shape: [3], values: [2, 0, 2], dtype: "int32" } as const;
const part = (x: r.HostArray, from: number, count: number): r.HostArray =>
  r.build([x.shape[0] ?? 0, count], ([i = 0, j = 0]) => r.get(x, [i, from + j]));

/** Row i of x with the matrix of its group; rows 0, 1 have the first, 2, 3 the third, 4 has none. */
function grouped(x: r.HostArray, matrices: r.HostArray): r.HostArray {
  return r.build([5, 2], ([i = 0, j = 0]) => {
    const group = i < 2 ? 0 : 2;
    return i > 3 ? 0 : r.sum([0, 1, 2].map((k) => r.get(x, [i, k]) * r.get(matrices, [group, k, j])));
  });
}

/** The upper 32 of the 64 bits of a product. */
const upper = (x: number, y: number): number => Number((BigInt(x) * BigInt(y)) >> 32n);

/** The nearest of the floats with 4 bits of significand after the first, the even one of two; nothing below 2^-6, no end above. */
function coarse(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(x))) - 4);
  const [below, half] = [Math.floor(x / unit), x / unit - Math.floor(x / unit)];
  const rounded = (half > 0.5 || (half === 0.5 && below % 2 !== 0) ? below + 1 : below) * unit;
  return Math.abs(rounded) < 2 ** -6 ? 0 : Math.abs(rounded) >= 256 ? Math.sign(x) * Infinity : rounded;
}

const moving: readonly ShapedRow[] = [
  shapedRow(
    "laxSplit",
    "the second of three",
    [[2, 6]],
    (x) => at(t.laxSplit(x, [1, 3, 2], 1), 1),
    (x) => part(x, 1, 3),
    float,
  ),
  shapedRow(
    "laxStack",
    "along 1",
    [[2], [2]],
    (x, y) => t.laxStack([x, y], 1),
    (x, y) => r.build([2, 2], ([i = 0, j = 0]) => r.get(j === 0 ? x : y, [i])),
    float,
  ),
  shapedRow(
    "laxUnstack",
    "the second along 1",
    [[2, 3]],
    (x) => at(t.laxUnstack(x, 1), 1),
    (x) => r.build([2], ([i = 0]) => r.get(x, [i, 1])),
    float,
  ),
  shapedRow(
    "laxEmpty",
    "of [2]",
    [],
    () => t.laxEmpty([2], "int32"),
    () => ({ shape: [2], data: [0, 0] }),
    { dtypes: ["int32"] },
  ),
  shapedRow(
    "broadcastLike",
    "of a row",
    [[3], [2, 3]],
    t.broadcastLike,
    (x) => r.build([2, 3], ([, j = 0]) => r.get(x, [j])),
    float,
  ),
  shapedRow(
    "indexTake",
    "of one axis",
    [[2, 3], places],
    (x, i) => t.indexTake(x, [i], [1]),
    (x) => r.build([3, 2], ([i = 0, j = 0]) => r.get(x, [j, [0, 2, 1][i] ?? 0])),
    float,
  ),
];

const computing: readonly ShapedRow[] = [
  shapedRow(
    "mulhi",
    "of large numbers",
    [
      { shape: [4], values: [2147483647, -5, 65536, -2147483648] },
      { shape: [4], values: [2147483647, 3, 65536, 2] },
    ],
    t.mulhi,
    (x, y) => r.map(upper, x, y),
    { dtypes: ["int32"] },
  ),
  shapedRow(
    "reducePrecision",
    "to 4 and 4 bits",
    [{ shape: [40], domain: [-400, 400] }],
    (x) => t.reducePrecision(x, 4, 4),
    (x) => r.map(coarse, x),
  ),
  shapedRow(
    "approxMaxK",
    "of 2",
    [[2, 5]],
    (x) => t.approxMaxK(x, 2)[0],
    (x) => r.build([2, 2], ([i = 0, j = 0]) => sorted(x, i)[4 - j] ?? 0),
    float,
  ),
  shapedRow(
    "approxMinK",
    "of 2",
    [[2, 5]],
    (x) => t.approxMinK(x, 2)[0],
    (x) => r.build([2, 2], ([i = 0, j = 0]) => sorted(x, i)[j] ?? 0),
    float,
  ),
  shapedRow(
    "raggedDot",
    "of three groups, one empty",
    [[5, 3], [3, 3, 2], sizes],
    (x, w, n) => t.raggedDot(x, w, n),
    grouped,
    near,
  ),
  shapedRow(
    "convGeneralDilatedLocal",
    "of a line",
    [
      [2, 1, 4],
      [2, 2, 3],
    ],
    (x, w) => t.convGeneralDilatedLocal(x, w, [1], "VALID", [2]),
    (x, w) =>
      r.build(
        [2, 2, 3],
        ([n = 0, o = 0, i = 0]) =>
          r.get(x, [n, 0, i]) * r.get(w, [o, 0, i]) + r.get(x, [n, 0, i + 1]) * r.get(w, [o, 1, i]),
      ),
    near,
  ),
];

const columns = (f: (xs: readonly number[]) => number) => (x: r.HostArray) => r.reduce(x, 0, false, f);

/** Written out, as users write them, and in an order that matters. */
const reducing: readonly ShapedRow[] = [
  shapedRow("reduce", "by add", [[5, 3]], (x) => t.reduce(x, 0, t.add, [0]), columns(r.sum), near),
  shapedRow(
    "reduce",
    "by add from 2",
    [[5, 3]],
    (x) => t.reduce(x, 2, (a, b) => t.add(a, b), [0]),
    columns((xs) => r.sum(xs) + 2),
    near,
  ),
  shapedRow(
    "reduce",
    "by maximum",
    [[5, 3]],
    (x) => t.reduce(x, -Infinity, (a, b) => t.maximum(b, a), [0]),
    columns(r.largest),
    float,
  ),
  shapedRow("reduce", "by and", [[5, 3]], (x) => t.reduce(x, true, t.logicalAnd, [0]), columns(r.smallest), {
    dtypes: ["bool"],
  }),
  shapedRow(
    "reduce",
    "by hypot",
    [[7, 3]],
    (x) => t.reduce(x, 0, t.hypot, [0]),
    columns((xs) => Math.hypot(...xs)),
    near,
  ),
  shapedRow(
    "reduce",
    "to the last",
    [[7, 3]],
    (x) => t.reduce(x, 0, (a, b) => t.add(t.mul(a, 0), b), [0]),
    columns((xs) => xs.at(-1) ?? 0),
    float,
  ),
  shapedRow(
    "reduce",
    "over two axes by hypot",
    [[2, 3, 3]],
    (x) => t.reduce(x, 0, t.hypot, [2, 0]),
    (x) => r.build([3], ([j = 0]) => Math.hypot(...[0, 1].flatMap((i) => [0, 1, 2].map((k) => r.get(x, [i, j, k]))))),
    near,
  ),
];

function at(list: readonly Tensor[], k: number): Tensor {
  return list[k] ?? t.zeros([]);
}

function sorted(x: r.HostArray, row: number): number[] {
  return [0, 1, 2, 3, 4].map((k) => r.get(x, [row, k])).sort((a, b) => a - b);
}

/** More functions of jax.lax. */
export const laxMore: readonly ShapedRow[] = [...moving, ...computing, ...reducing];
