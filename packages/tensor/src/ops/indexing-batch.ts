import type { Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { convert } from "./convert.ts";
import { broadcastedIota } from "./create.ts";
import { add, clip, greaterEqual, less, logicalAnd, minimum, mul, remainder, where } from "./elementwise.ts";
import { reshape, transpose } from "./movement.ts";

/** How an op along one axis reads an index. */
interface Lookup {
  readonly mode: "fill" | "clip" | "wrap";
  /** True if negative indices count from the end. */
  readonly fromEnd: boolean;
  readonly rows: number;
}

/**
 * Indices of each example into its own `rows` rows, as indices into the rows of all examples one after another; out of
 * range stays out of range. index: [batch, ...]
 */
export function stackedIndex(index: Tensor, { mode, fromEnd, rows }: Lookup): Tensor {
  const examples = at(index.shape, 0);
  // A uint32 past int32's end is out of range whatever it is.
  const whole = convert(index.dtype === "uint32" ? minimum(index, rows) : index, "int32");
  const counted = fromEnd ? where(less(whole, 0), add(whole, rows), whole) : whole;
  const row = mode === "wrap" ? remainder(whole, rows) : mode === "clip" ? clip(counted, 0, rows - 1) : counted;
  const own = add(row, mul(broadcastedIota("int32", index.shape, 0), rows));
  return where(logicalAnd(greaterEqual(row, 0), less(row, rows)), own, examples * rows);
}

/** x: [batch, ..., rows at axis, ...] → [batch · rows, ...others]. */
export function stackRows(x: Tensor, axis: number): Tensor {
  const others = x.shape.map((_, k) => k).filter((k) => k !== 0 && k !== axis);
  const moved = transpose(x, [0, axis, ...others]);
  return reshape(moved, [at(moved.shape, 0) * at(moved.shape, 1), ...moved.shape.slice(2)]);
}

/** The axes of [batch, ...taken, ...before, ...after] in the order [batch, ...before, ...taken, ...after], and back. */
export function takenOrder(rank: number, taken: number, before: number): { there: number[]; back: number[] } {
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, k) => from + k);
  const there = [
    0,
    ...range(1 + taken, 1 + taken + before),
    ...range(1, 1 + taken),
    ...range(1 + taken + before, rank),
  ];
  return { there, back: there.map((_, k) => there.indexOf(k)) };
}

/** [batch · rows, ...others] → [batch, ..., rows at axis, ...]. */
export function unstackRows(x: Tensor, rows: number, axis: number): Tensor {
  const shape: Shape = [at(x.shape, 0) / rows, rows, ...x.shape.slice(1)];
  const order = shape.map((_, k) => k).filter((k) => k !== 1);
  order.splice(axis, 0, 1);
  return transpose(reshape(x, shape), order);
}
