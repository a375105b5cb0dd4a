import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import * as r from "../reference.ts";
import { EVERY, shapedRow, type ShapedRow } from "./rows.ts";

const product = (x: Tensor, y: Tensor): Tensor => t.matmul(x, y);

const tolerance = { ulp: 4, abs: 1e-5 };

/** Shapes of the two operands: vector widths, ragged edges, thin sides, batches, one axis, nothing. */
const shapes: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [8, 12],
    [12, 16],
  ],
  [
    [5, 7],
    [7, 3],
  ],
  [
    [1, 9],
    [9, 1],
  ],
  [
    [33, 20],
    [20, 41],
  ],
  [
    [3, 4, 5],
    [5, 6],
  ],
  [
    [5, 1, 2, 3],
    [4, 3, 2],
  ],
  [
    [2, 3],
    [4, 3, 2],
  ],
  [[3], [3]],
  [[3], [2, 3, 4]],
  [[2, 4, 3], [3]],
  [
    [1, 1],
    [1, 1],
  ],
  [
    [2, 0],
    [0, 3],
  ],
  [
    [0, 4],
    [4, 3],
  ],
  [
    [0, 2, 3],
    [3, 2],
  ],
];

const plain = shapes.map(([a, b]) =>
  shapedRow("matmul", `[${a.join(", ")}] x [${b.join(", ")}]`, [a, b], product, r.matmul, {
    tolerance,
    differentiable: r.count(a) * r.count(b) > 0,
  }),
);

const T = (x: r.HostArray): r.HostArray => r.transpose(x, [1, 0]);
const transposed = (x: Tensor): Tensor => t.transpose(x);

const views: readonly ShapedRow[] = [
  shapedRow(
    "matmul",
    "of large matrices",
    [
      [256, 1024],
      [1024, 256],
    ],
    product,
    r.matmul,
    { tolerance: { ulp: 4, abs: 2e-3 } },
  ),
  shapedRow(
    "matmul",
    "Aᵀ B",
    [
      [12, 8],
      [12, 16],
    ],
    (a, b) => t.matmul(transposed(a), b),
    (a, b) => r.matmul(T(a), b),
    { tolerance, differentiable: true },
  ),
  shapedRow(
    "matmul",
    "A Bᵀ",
    [
      [8, 12],
      [16, 12],
    ],
    (a, b) => t.matmul(a, transposed(b)),
    (a, b) => r.matmul(a, T(b)),
    { tolerance, differentiable: true },
  ),
  shapedRow(
    "matmul",
    "Aᵀ Bᵀ, ragged",
    [
      [7, 5],
      [3, 7],
    ],
    (a, b) => t.matmul(transposed(a), transposed(b)),
    (a, b) => r.matmul(T(a), T(b)),
    { tolerance },
  ),
  shapedRow(
    "matmul",
    "A Aᵀ",
    [[6, 4]],
    (a) => t.matmul(a, transposed(a)),
    (a) => r.matmul(a, T(a)),
    { tolerance, differentiable: true },
  ),
  shapedRow(
    "matmul",
    "of slices",
    [
      [9, 9],
      [9, 9],
    ],
    (a, b) => t.matmul(t.laxSlice(a, [1, 2], [6, 9]), t.laxSlice(b, [1, 3], [8, 9])),
    (a, b) => r.matmul(r.slice(a, [1, 2], [6, 9], [1, 1]), r.slice(b, [1, 3], [8, 9], [1, 1])),
    { tolerance, differentiable: true },
  ),
  shapedRow(
    "matmul",
    "of every other column, and flipped",
    [
      [5, 8],
      [4, 6],
    ],
    (a, b) => t.matmul(t.laxSlice(a, [0, 0], [5, 8], [1, 2]), t.flip(b)),
    (a, b) => r.matmul(r.slice(a, [0, 0], [5, 8], [1, 2]), r.flip(b)),
    { tolerance },
  ),
  shapedRow(
    "matmul",
    "of a broadcast row",
    [[6], [6, 4]],
    (a, b) => t.matmul(t.broadcastTo(a, [5, 6]), b),
    (a, b) =>
      r.matmul(
        r.build([5, 6], (at) => r.get(a, at)),
        b,
      ),
    {
      tolerance,
      differentiable: true,
    },
  ),
  shapedRow(
    "matmul",
    "of whole numbers",
    [
      [5, 7],
      [7, 3],
    ],
    product,
    wrappedProduct,
    { dtypes: EVERY.slice(1) },
  ),
  shapedRow(
    "matmul",
    "of NaN and infinities",
    [
      { shape: [3, 3], values: [NaN, 1, 2, Infinity, 1, 1, -Infinity, Infinity, 0] },
      { shape: [3, 2], values: [1, 0, 1, 1, 1, 2] },
    ],
    product,
    r.matmul,
  ),
];

/** bool sums are or; small whole numbers do not wrap. */
function wrappedProduct(a: r.HostArray, b: r.HostArray): r.HostArray {
  const product = r.matmul(a, b);
  const bools = [...a.data, ...b.data].every((x) => x === 0 || x === 1);
  return bools ? { ...product, data: product.data.map((x) => Math.min(1, x)) } : product;
}

export const matmul: readonly ShapedRow[] = [...plain, ...views];
