import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { bitcastConvertType } from "./bits.ts";
import { composite } from "./composite.ts";
import { array } from "./create.ts";
import { abs, add, div, greater, isfinite, mul, neg, sqrt, square, sub, where } from "./elementwise.ts";
import { lower, takeRows, transposed } from "./factorize.ts";
import { take, takeAlongAxis } from "./indexing.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { bitwiseAnd } from "./logic.ts";
import { identity, sizeOfLast } from "./matrices.ts";
import { matmul } from "./matmul.ts";
import { broadcastTo, expandDims, reshape } from "./movement.ts";
import { pad } from "./pad.ts";
import { max, sum } from "./reduce.ts";
import { argsort } from "./sorting.ts";

/**
 * Jacobi's method from one side for matrices that one workgroup would take too long for. Blocks of rows meet in pairs, all
 * pairs of a round at once: the products of their rows say how they are turned. A round is a handful of short dispatches
 * and nothing waits for the host, so sweeps are counted.
 */

/** Rows of a block. */
const BLOCK = 16;

/** Gives the orthogonal matrices whose columns make those of symmetric matrices diagonal, in ascending order of the diagonal. */
export type Turns = (products: Tensor) => Tensor;

/** Sweeps until rows are nearly at right angles: 5 for 96 of them, 7 or 8 for 256. */
function sweepsFor(rows: number): number {
  return Math.ceil(Math.log2(rows));
}
/** Sweeps after that, from rows made anew: with hardly anything to turn they add hardly any rounding errors. */
const LAST_SWEEPS = 2;

/** The rounds of a tournament of so many blocks, an even number: who meets whom, the lower of a pair first. */
function tournament(blocks: number): number[][] {
  const others = blocks - 1;
  return Array.from({ length: others }, (_, round) => {
    const pairs = [[round, others]];
    for (let k = 1; k < blocks / 2; k++) pairs.push([(round + k) % others, (round + others - k) % others]);
    return pairs.flatMap((pair) => pair.sort((a, b) => a - b));
  });
}

/** x with rows of zeros after its own, as many as whole pairs of blocks need. */
function inBlocks(x: Tensor): Tensor {
  const rows = at(x.shape, x.ndim - 2);
  const missing = Math.ceil(rows / BLOCK / 2) * 2 * BLOCK - rows;
  return pad(x, 0, [...x.shape.slice(0, -2).map(() => [0, 0, 0] as const), [0, missing, 0], [0, 0, 0]]);
}

/** Rows of x, turned among each other in so many sweeps to bring their first `length` entries to right angles. */
function turnedRows(x: Tensor, length: number, sweeps: number, turns: Turns): Tensor {
  const lead = x.shape.slice(0, -2);
  const [rows, width] = [at(x.shape, x.ndim - 2), sizeOfLast(x)];
  const blocks = rows / BLOCK;
  const first = Array.from({ length: blocks }, (_, k) => k);
  const orders = tournament(blocks);
  let y = x;
  const move = (from: readonly number[], to: readonly number[]): Tensor => {
    const seats = array(to.map((block) => from.indexOf(block)));
    return take(reshape(y, [...lead, blocks, BLOCK * width]), seats, { axis: lead.length });
  };
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (const [round, order] of orders.entries()) {
      // Each round gives its memory back.
      y = composite("round", () => {
        const moved = move(orders[round - 1] ?? first, order);
        const pairs = reshape(moved, [...lead, blocks / 2, 2 * BLOCK, width]);
        const seen = sliceAlong(pairs, pairs.ndim - 1, 0, length);
        return matmul(transposed(turns(matmul(seen, transposed(seen)))), pairs);
      });
    }
    y = move(orders.at(-1) ?? first, first);
  }
  return reshape(y, [...lead, rows, width]);
}

/** Rows at right angles and of length 1 but for some rounding errors, without most of those: a step of Newton's and Schulz'. */
function polished(v: Tensor): Tensor {
  return sub(mul(v, 1.5), mul(matmul(matmul(v, transposed(v)), v), 0.5));
}

/** The largest magnitude in each matrix, [..., 1, 1], and the power of two below it, by which nothing is rounded. */
function magnitude(x: Tensor): { readonly largest: Tensor; readonly unit: Tensor } {
  const largest = max(abs(x), { axis: [-2, -1], keepdims: true });
  const power = bitcastConvertType(bitwiseAnd(bitcastConvertType(largest, "int32"), 0x7f800000), "float32");
  return { largest, unit: where(greater(power, 0), power, 1) };
}

/** Rows brought to length 1; those of zeros stay. */
function unitRows(x: Tensor): Tensor {
  const size = lengths(x);
  return div(x, expandDims(where(greater(size, 0), size, 1), -1));
}

const lengths = (x: Tensor): Tensor => sqrt(sum(square(x), { axis: -1 }));

/**
 * Eigenvalues over eigenvectors of large symmetric matrices, whose lower triangle is read: [..., 1 + n, n], in ascending order.
 * A multiple of the identity makes them positive; the rows of such a matrix, once at right angles, are its eigenvectors.
 */
export function largeEigh(a: Tensor, turns: Turns): Tensor {
  const n = sizeOfLast(a);
  const whole = add(lower(a), transposed(lower(a, -1)));
  const { largest, unit } = magnitude(whole);
  const x = div(whole, unit);
  // The eighth root of the sum of the eigenvalues' eighth powers is at least the largest, and not much more.
  const second = div(matmul(x, x), n);
  const eighth = sum(square(matmul(second, second)), { axis: [-2, -1], keepdims: true });
  const shift = mul(sqrt(sqrt(sqrt(eighth))), 1.5 * Math.sqrt(n));
  const positive = add(x, mul(identity(n), shift));
  const first = turnedRows(inBlocks(positive), n, sweepsFor(n), turns);
  const rows = turnedRows(matmul(polished(unitRows(first)), positive), n, LAST_SWEEPS, turns);
  const vectors = unitRows(rows);
  const real = greater(lengths(rows), 0);
  const values = where(real, sum(mul(matmul(vectors, x), vectors), { axis: -1 }), Infinity);
  const order = sliceAlong(argsort(values), values.ndim - 1, 0, n);
  const sorted = mul(expandDims(takeAlongAxis(values, order, -1), -2), unit);
  const packed = concatenate([sorted, transposed(takeRows(vectors, order))], { axis: -2 });
  return where(isfinite(largest), packed, Number.NaN);
}

/**
 * For a w = x of large square matrices, with w orthogonal and the columns of x at right angles: their lengths in descending
 * order, and below them, if asked, x (up to a factor) and w: [..., 1 or 1 + 2 n, n].
 */
export function largeOrthogonalize(a: Tensor, kept: boolean, turns: Turns): Tensor {
  const [lead, n] = [a.shape.slice(0, -2), sizeOfLast(a)];
  const { largest, unit } = magnitude(a);
  const columns = transposed(div(a, unit));
  const axis = columns.ndim - 1;
  const tail = (x: Tensor): Tensor => sliceAlong(x, axis, n, 2 * n);
  const start = concatenate([columns, broadcastTo(identity(n), [...lead, n, n])], { axis: -1 });
  const turned = polished(tail(turnedRows(inBlocks(start), n, sweepsFor(n), turns)));
  const again = concatenate([matmul(turned, columns), turned], { axis: -1 });
  const rows = turnedRows(again, n, LAST_SWEEPS, turns);
  const size = lengths(sliceAlong(rows, axis, 0, n));
  // Rows of zeros that were added are told from a matrix' own by what turned them: nothing.
  const key = where(greater(lengths(tail(rows)), 0.5), size, -1);
  const order = sliceAlong(argsort(neg(key)), axis - 1, 0, n);
  const values = mul(expandDims(takeAlongAxis(size, order, -1), -2), unit);
  const sorted = takeRows(rows, order);
  const parts = kept ? [sliceAlong(sorted, axis, 0, n), tail(sorted)].map(transposed) : [];
  return where(isfinite(largest), concatenate([values, ...parts], { axis: -2 }), Number.NaN);
}
