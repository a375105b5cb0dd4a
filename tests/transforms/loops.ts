import { cond, foriLoop, scan } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { at, find, isFloat, MARGIN, OPS, type Maker } from "./programs.ts";

/** Steps of a loop in a random program: few, for the float64 reference writes them out. */
const MOST_STEPS = 8;

/** Values with a first axis to go along. */
const rows = (x: Tensor): boolean => isFloat(x) && x.ndim > 0 && x.size > 0 && (x.shape[0] ?? 0) <= MOST_STEPS;

/** A recurrence along the first axis that closes over another value: its last carry, or all of them. */
const recurrence: Maker = ({ a, b, how }, draft) => {
  const i = find(draft, a, rows);
  if (i === undefined) return undefined;
  const shape = at(draft.values, i).shape.slice(1);
  const j = find(
    draft,
    b,
    (y) => isFloat(y) && y.ndim <= shape.length && y.shape.every((n, k) => n === shape.at(k - y.ndim)),
  );
  return (values) => {
    const step = (c: Tensor, x: Tensor): [Tensor, Tensor] => {
      const next = t.tanh(t.add(t.mul(c, 0.5), j === undefined ? x : t.mul(x, at(values, j))));
      return [next, t.sub(next, x)];
    };
    const options = { reverse: how % 2 === 1, unroll: how % 7 === 0 ? 2 : 1 };
    const [last, ys] = scan(step, t.full(shape, 0.3), at(values, i), options);
    return how % 3 === 0 ? last : ys;
  };
};

/** The same thing so many times, its number among what it computes from. */
const repetition: Maker = ({ a, how }, draft) => {
  const i = find(draft, a, (x) => isFloat(x) && x.size > 0);
  if (i === undefined) return undefined;
  const body = (k: Tensor, v: Tensor): Tensor =>
    t.add(t.mul(v, 0.6), t.sin(t.add(v, t.mul(t.astype(k, "float32"), 0.2))));
  return (values) => foriLoop(1, 1 + (how % 5), body, at(values, i));
};

/** One of two functions, by a mean that no rounding takes to the other side; large enough to be skipped, or not. */
const choice: Maker = ({ a, b, how }, draft) => {
  const border = (how - 128) / 96;
  const i = find(
    draft,
    a,
    (x) => isFloat(x) && x.size > 0 && Math.abs((draft.look(t.mean(x)).data[0] ?? border) - border) > 8 * MARGIN,
  );
  const j = find(draft, b, (x) => isFloat(x) && x.size > 0);
  if (i === undefined || j === undefined) return undefined;
  return (values) =>
    cond(
      t.greater(t.mean(at(values, i)), border),
      (v: Tensor) => t.tanh(how % 2 === 0 || v.ndim === 0 ? v : t.sub(v, t.mean(v, { axis: 0, keepdims: true }))),
      (v: Tensor) => t.mul(v, t.add(t.mean(at(values, i)), 0.5)),
      at(values, j),
    );
};

/** The instructions of random programs, and loops and choices among them: one in five. */
export const OPS_AND_LOOPS: readonly Maker[] = [
  ...OPS.slice(0, 8),
  recurrence,
  repetition,
  choice,
  ...OPS.slice(8, 24),
  recurrence,
  repetition,
  choice,
  ...OPS.slice(24),
  recurrence,
  choice,
];
