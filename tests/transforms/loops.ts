import { vectorize } from "@jnx/autodiff";
import { cond, foriLoop, scan, whileLoop } from "@jnx/compile";
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

const MOST_ROUNDS = 6;

/** Halved until it is small: a number of rounds that the data say, and no rounding another. */
const halving: Maker = ({ a, b, how }, draft) => {
  const small = 0.02 + how / 400;
  const size = (x: Tensor): number => draft.look(t.mean(t.square(x))).data[0] ?? 0;
  const sure = (x: Tensor): boolean =>
    Array.from({ length: MOST_ROUNDS + 1 }, (_, k) => size(x) / 4 ** k).every(
      (s) => Math.abs(s - small) > 0.02 * small,
    );
  const i = find(draft, a, (x) => isFloat(x) && x.size > 0 && size(x) / 4 ** MOST_ROUNDS < small && sure(x));
  const j = find(draft, b, (y) => isFloat(y) && y.size > 0);
  if (i === undefined || j === undefined) return undefined;
  return (values) => {
    const start: [Tensor, Tensor] = [at(values, i), t.mean(at(values, j))];
    const [, sum] = whileLoop(
      ([x]: [Tensor, Tensor]) => t.greater(t.mean(t.square(x)), small),
      ([x, y]: [Tensor, Tensor]): [Tensor, Tensor] => [
        t.mul(x, 0.5),
        t.sin(t.add(y, t.mul(t.mean(x), t.mean(at(values, j))))),
      ],
      start,
      { maxIterations: MOST_ROUNDS },
    );
    return sum;
  };
};

/** A function of vectors over whatever axes there are before: one with a signature, and one of scalars. */
const vectorized: Maker = ({ a, b, how }, draft) => {
  const i = find(draft, a, (x) => isFloat(x) && x.ndim > 0 && x.size > 0);
  if (i === undefined) return undefined;
  const x = at(draft.values, i);
  const j = find(draft, b, (y) => isFloat(y) && y.ndim === 1 && y.shape[0] === x.shape.at(-1));
  const scalar = vectorize((u: Tensor) => t.mul(u, t.tanh(u)));
  if (j === undefined || how % 3 === 0) return (values) => scalar(at(values, i));
  const [result, f] =
    how % 3 === 1
      ? (["", (u: Tensor, v: Tensor) => t.mean(t.mul(t.sin(u), v))] as const)
      : (["n", (u: Tensor, v: Tensor) => t.sub(t.mul(u, t.max(t.tanh(v))), t.mean(v))] as const);
  return (values) => vectorize(f, { signature: `(n),(n)->(${result})` })(at(values, i), at(values, j));
};

/** The instructions of random programs, and loops, choices and mapped functions among them: one in five. */
export const OPS_AND_LOOPS: readonly Maker[] = [
  ...OPS.slice(0, 8),
  recurrence,
  repetition,
  choice,
  ...OPS.slice(8, 24),
  recurrence,
  repetition,
  choice,
  vectorized,
  ...OPS.slice(24),
  recurrence,
  choice,
];

/** With loops whose rounds depend on data, which have no gradient in reverse. */
export const OPS_AND_ALL_LOOPS: readonly Maker[] = [
  ...OPS_AND_LOOPS.slice(0, 12),
  halving,
  ...OPS_AND_LOOPS.slice(12),
  halving,
];
