import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { sizeOf } from "@jnx/tensor/internal";
import fc from "fast-check";
import { reference, Reference } from "./interpreter.ts";
import { valueOf, type Value } from "./values.ts";

/** One instruction as fast-check draws it: what to do, to which earlier values, and how. Any numbers make a program. */
export interface Gene {
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly how: number;
}

/** A random program: shrinking drops genes and makes their numbers smaller, and it stays a program. */
export interface Program {
  readonly family: number;
  readonly genes: readonly Gene[];
  /** How many of the last values are results. */
  readonly outputs: number;
}

export function programs(
  options: { readonly maxLength?: number; readonly families?: number } = {},
): fc.Arbitrary<Program> {
  const small = fc.nat({ max: 63 });
  const gene = fc.record({ op: fc.nat({ max: 255 }), a: small, b: small, how: fc.nat({ max: 255 }) });
  return fc.record({
    family: fc.nat({ max: (options.families ?? FAMILIES.length) - 1 }),
    genes: fc.array(gene, { minLength: 1, maxLength: options.maxLength ?? 25, size: "max" }),
    outputs: fc.integer({ min: 1, max: 4 }),
  });
}

/** Shapes of the inputs, float32; dimensions that vec4 suits and dimensions that it does not. */
const FAMILIES: readonly (readonly (readonly number[])[])[] = [
  [[4, 8], [8], [4, 1], [8, 4]],
  [[3, 5], [5], [], [5, 3]],
  [[2, 3, 4], [3, 1], [4, 4], [1]],
  [[8], [1, 8], [0, 4], [6, 8]],
];

/** Inputs of a program's family: fixed numbers between −2 and 2, no two alike. */
export function inputsOf({ family }: Program): Value[] {
  let seed = 7 + family;
  return (FAMILIES[family] ?? []).map((shape) =>
    valueOf(
      shape,
      "float32",
      Array.from({ length: sizeOf(shape) }, () => {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
        return Math.fround((seed / 2 ** 32) * 4 - 2);
      }),
    ),
  );
}

const LARGEST = 400;
export const MARGIN = 2e-3;

/** What making a program finds out on the way: a value's numbers, to keep them tame and away from jumps. */
type Look = (x: Tensor) => Value;

interface Draft {
  readonly values: Tensor[];
  readonly look: Look;
  /** True if derivatives will be taken: kinks are kept away from too. */
  readonly smooth: boolean;
}

/** An instruction that has been decided on: runs on any tensors of the same shapes. */
type Instruction = (values: readonly Tensor[]) => Tensor;

/** The program as a function of its inputs; every instruction was tried on the reference first. */
export function build(
  program: Program,
  smooth = false,
  ops: readonly Maker[] = OPS,
): (...inputs: Tensor[]) => Tensor[] {
  const level = new Reference();
  const instructions: Instruction[] = [];
  level.run(() => {
    const values = inputsOf(program).map((input) => level.tensor(input));
    const draft: Draft = { values, look: (x) => level.value(x), smooth };
    for (const gene of program.genes) {
      const chosen = [gene.op, gene.op + 1, 0]
        .map((op) => attempt({ ...gene, op }, draft, ops))
        .find((one) => one !== undefined);
      if (chosen === undefined) continue;
      instructions.push(chosen.run);
      values.push(chosen.result);
    }
  });
  return (...inputs) => {
    const values = [...inputs];
    for (const instruction of instructions) values.push(instruction(values));
    const results = values.slice(-program.outputs);
    return smooth ? results.filter((one) => one.dtype === "float32") : results;
  };
}

function attempt(gene: Gene, draft: Draft, ops: readonly Maker[]): { run: Instruction; result: Tensor } | undefined {
  const run = ops[gene.op % ops.length]?.(gene, draft);
  if (run === undefined) return undefined;
  const result = run(draft.values);
  const { data, dtype } = draft.look(result);
  const tame = data.every(
    (x) => Number.isFinite(x) && (dtype === "float32" ? Math.abs(x) < 30 : Math.abs(x) < 1e6 || dtype === "uint32"),
  );
  return tame && result.size <= LARGEST ? { run, result } : undefined;
}

export type Maker = (gene: Gene, draft: Draft) => Instruction | undefined;

/** The n-th value (counted around) that will do, as an index. */
export function find({ values }: Draft, n: number, suits: (x: Tensor) => boolean): number | undefined {
  for (let k = 0; k < values.length; k++) {
    const index = (n + k) % values.length;
    const x = values[index];
    if (x !== undefined && suits(x)) return index;
  }
  return undefined;
}

export const isFloat = (x: Tensor): boolean => x.dtype === "float32";
export const at = (values: readonly Tensor[], k: number): Tensor => {
  const x = values[k];
  if (x === undefined) throw new Error(`no value ${k}`);
  return x;
};

function unary(f: (x: Tensor, how: number) => Tensor, suits: (x: Tensor, look: Look) => boolean = isFloat): Maker {
  return ({ a, how }, draft) => {
    const k = find(draft, a, (x) => suits(x, draft.look));
    return k === undefined ? undefined : (values) => f(at(values, k), how);
  };
}

function fits(x: Tensor, y: Tensor): boolean {
  const rank = Math.max(x.ndim, y.ndim);
  const shape = Array.from({ length: rank }, (_, k) => [x.shape.at(k - rank) ?? 1, y.shape.at(k - rank) ?? 1] as const);
  return shape.every(([m, n]) => m === n || m === 1 || n === 1);
}

function binary(
  f: (x: Tensor, y: Tensor, how: number) => Tensor,
  suits: (x: Tensor) => boolean = isFloat,
  apart = false,
): Maker {
  return ({ a, b, how }, draft) => {
    const i = find(draft, a, suits);
    if (i === undefined) return undefined;
    const x = at(draft.values, i);
    const j = find(draft, b, (y) => suits(y) && y.dtype === x.dtype && fits(x, y) && (!apart || farApart(draft, x, y)));
    return j === undefined ? undefined : (values) => f(at(values, i), at(values, j), how);
  };
}

/** True if a comparison of x and y comes out the same however they are rounded. */
function farApart({ look }: Draft, x: Tensor, y: Tensor): boolean {
  if (x.dtype !== "float32") return true;
  return look(t.sub(x, y)).data.every((d) => Math.abs(d) > MARGIN);
}

/** True if no two elements along any axis are nearly equal: a maximum is then the same one in any rounding. */
function distinct({ look }: Draft, x: Tensor): boolean {
  const sorted = [...look(x).data].sort((p, q) => p - q);
  return sorted.every((v, k) => k === 0 || v - (sorted[k - 1] ?? 0) > MARGIN);
}

/** Some of the axes, as the bits of `how` say; never none of them. */
function axesOf(x: Tensor, how: number): number[] {
  const axes = x.shape.map((_, axis) => axis).filter((axis) => (how >> axis) & 1);
  return axes.length > 0 || x.ndim === 0 ? axes : [how % x.ndim];
}

function reduction(
  f: (x: Tensor, options: { axis: number[]; keepdims: boolean }) => Tensor,
  suits: (x: Tensor, draft: Draft) => boolean = isFloat,
): Maker {
  return ({ a, how }, draft) => {
    const k = find(draft, a, (x) => x.ndim > 0 && x.size > 0 && suits(x, draft));
    return k === undefined
      ? undefined
      : (values) => f(at(values, k), { axis: axesOf(at(values, k), how), keepdims: how >= 128 });
  };
}

const kinky =
  (suits: (x: Tensor) => boolean) =>
  (x: Tensor, draft: Draft): boolean =>
    suits(x) && (!draft.smooth || distinct(draft, x));

/** A reshape of x: flat, split in two, or with axes of extent 1. */
function reshaped(x: Tensor, how: number): Tensor {
  const factors = Array.from({ length: x.size }, (_, k) => k + 1).filter((n) => x.size % n === 0);
  const n = factors[how % Math.max(1, factors.length)] ?? 1;
  const shapes = [
    [x.size],
    [n, x.size / n],
    [1, ...x.shape],
    [...x.shape, 1],
    [...x.shape].reverse(),
    [x.size / n, 1, n],
  ];
  return t.reshape(x, shapes[how % shapes.length] ?? [x.size]);
}

function permuted(x: Tensor, how: number): Tensor {
  const axes = x.shape.map((_, axis) => axis);
  if (how % 2 === 0) return t.transpose(x);
  return t.transpose(x, [...axes.slice(how % Math.max(1, x.ndim)), ...axes.slice(0, how % Math.max(1, x.ndim))]);
}

function sliced(x: Tensor, how: number): Tensor {
  const starts = x.shape.map((extent, axis) => Math.min(extent, (how >> axis) & 1));
  const limits = x.shape.map((extent, axis) => Math.max(starts[axis] ?? 0, extent - ((how >> (axis + 3)) & 1)));
  return t.laxSlice(
    x,
    starts,
    limits,
    x.shape.map((_, axis) => 1 + ((how >> (axis + 5)) & 1)),
  );
}

function padded(x: Tensor, how: number): Tensor {
  const config = x.shape.map(
    (_, axis) => [((how >> axis) & 3) - 1, (how >> (axis + 3)) & 1, (how >> (axis + 5)) & 1] as const,
  );
  return x.shape.every((extent) => extent > 1) ? t.pad(x, how % 3, config) : x;
}

/** A new leading axis, or extents of 1 repeated. */
function spread(x: Tensor, how: number): Tensor {
  return t.broadcastTo(
    x,
    how % 2 === 0 ? [2 + (how % 3), ...x.shape] : x.shape.map((extent) => (extent === 1 ? 4 : extent)),
  );
}

const matrixProduct: Maker = ({ a, b, how }, draft) => {
  const i = find(draft, a, (x) => isFloat(x) && x.ndim >= 1 && x.size > 0);
  if (i === undefined) return undefined;
  const inner = at(draft.values, i).shape.at(-1);
  const j = find(
    draft,
    b,
    (y) => isFloat(y) && y.ndim <= 2 && y.ndim >= 1 && y.size > 0 && y.shape[y.ndim === 1 ? 0 : y.ndim - 2] === inner,
  );
  const scaled = (values: readonly Tensor[]): Tensor => t.mul(at(values, i), 0.25);
  if (j === undefined || how % 5 === 0)
    return at(draft.values, i).ndim < 2
      ? undefined
      : (values) => t.matmul(scaled(values), t.swapaxes(at(values, i), -1, -2));
  return (values) => t.matmul(how % 2 === 0 ? at(values, i) : scaled(values), at(values, j));
};

const gathered: Maker = ({ a, b, how }, draft) => {
  const i = find(draft, a, (x) => x.ndim > 0 && x.size > 0);
  const j = find(draft, b, (x) => x.dtype === "int32" && x.ndim <= 2 && x.size <= 16);
  if (i === undefined || j === undefined) return undefined;
  return (values) => {
    const x = at(values, i);
    return t.take(x, at(values, j), { axis: how % x.ndim, mode: how % 3 === 0 ? "wrap" : "clip" });
  };
};

const gatheredAlong: Maker = ({ a, b, how }, draft) => {
  const i = find(draft, a, (x) => x.ndim > 0 && x.size > 0);
  if (i === undefined) return undefined;
  const x = at(draft.values, i);
  const axis = how % x.ndim;
  const j = find(
    draft,
    b,
    (y) =>
      y.dtype === "int32" &&
      y.ndim === x.ndim &&
      y.shape.every((extent, k) => k === axis || extent === x.shape[k] || extent === 1),
  );
  return j === undefined
    ? undefined
    : (values) => t.takeAlongAxis(at(values, i), at(values, j), axis, { mode: "clip" });
};

const isBool = (x: Tensor): boolean => x.dtype === "bool";
const isWhole = (x: Tensor): boolean => x.dtype === "int32";

const chosen: Maker = ({ a, b, how }, draft) => {
  const c = find(draft, how, isBool);
  if (c === undefined) return undefined;
  const i = find(draft, a, (x) => isFloat(x) && fits(x, at(draft.values, c)));
  const j =
    i === undefined
      ? undefined
      : find(
          draft,
          b,
          (y) => isFloat(y) && fits(y, t.add(at(draft.values, i), t.astype(at(draft.values, c), "float32"))),
        );
  return i === undefined || j === undefined
    ? undefined
    : (values) => t.where(at(values, c), at(values, i), at(values, j));
};

/** Rounds to whole numbers, where no element is near a half. */
function whole(x: Tensor): Tensor {
  return t.astype(t.mul(x, 3), "int32");
}

const drawn: Maker =
  ({ how }) =>
  () => {
    const bits = t.random.bits(t.random.key(how), how % 2 === 0 ? [4, 8] : [8]);
    return t.mul(t.astype(t.rightShift(bits, 8), "float32"), 2 ** -24);
  };

export const OPS: readonly Maker[] = [
  unary((x) => t.tanh(x)),
  binary((x, y) => t.add(x, y)),
  binary((x, y) => t.mul(x, y)),
  binary((x, y) => t.sub(x, y)),
  unary((x, how) => t.add(t.mul(x, (how - 100) / 64), how / 128)),
  unary(permuted, () => true),
  unary(reshaped, (x) => x.size > 0),
  reduction((x, options) => t.sum(x, options)),
  unary((x) => t.sin(x)),
  binary((x, y) => t.div(x, t.add(t.square(y), 1))),
  unary(spread, (x) => x.ndim < 4),
  reduction((x, options) => t.max(x, options), kinky(isFloat)),
  matrixProduct,
  unary(sliced, (x) => x.size > 0),
  binary((x, y) => t.greater(x, y), isFloat, true),
  chosen,
  unary(padded, isFloat),
  reduction((x, options) => t.mean(x, options)),
  unary(
    (x, how) => t.flip(x, { axis: axesOf(x, how) }),
    (x) => x.ndim > 0,
  ),
  binary((x, y, how) => (how % 2 === 0 ? t.maximum(x, y) : t.minimum(x, y)), isFloat, true),
  unary(
    (x) => t.softmax(x, { axis: -1 }),
    (x) => isFloat(x) && x.ndim > 0 && x.size > 0,
  ),
  unary(whole, (x, look) => isFloat(x) && look(x).data.every((v) => Math.abs(v * 3 - Math.round(v * 3)) > MARGIN * 3)),
  binary((x, y) => t.add(x, t.mul(y, 3)), isWhole),
  unary(
    (x) => t.mul(t.astype(x, "float32"), 0.125),
    (x) => isWhole(x) || isBool(x),
  ),
  gathered,
  gatheredAlong,
  reduction(
    (x, options) => t.argmax(x, { axis: options.axis[0] ?? 0, keepdims: options.keepdims }),
    (x, draft) => isFloat(x) && distinct(draft, x),
  ),
  unary((x) => t.exp(t.neg(t.square(x)))),
  unary((x) => t.sqrt(t.add(t.square(x), 0.5))),
  reduction((x, options) => t.logsumexp(x, options)),
  reduction((x, options) => t.any(x, options), isBool),
  unary((x) => t.logicalNot(x), isBool),
  reduction((x, options) => t.prod(t.add(t.mul(t.tanh(x), 0.25), 1), options)),
  reduction(
    (x, options) => t.sum(x, options),
    (x) => isWhole(x) || isBool(x),
  ),
  ({ how }) =>
    () =>
      t.mul(t.add(t.astype(t.arange(how % 2 === 0 ? 8 : 4), "float32"), 0.3), 0.2),
  ({ how }) =>
    () =>
      t.full(how % 2 === 0 ? [4, 8] : [], how / 64 - 1.7, { dtype: "float32" }),
  ({ how }) =>
    () =>
      t.array(Array.from({ length: 8 }, (_, k) => Math.fround(((k * 37 + how) % 19) / 7 - 1.3))),
  drawn,
];

/** The program's results in float64. */
export function expected(program: Program, f = build(program)): Value[] {
  return reference(f, inputsOf(program));
}
