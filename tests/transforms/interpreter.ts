import { evaluateNodes, type DeviceCall } from "@jnx/compile/internal";
import { Tensor, type Aval, type Shape } from "@jnx/tensor";
import { hostValues, withLevel, type AnyOp, type CallOp, type Level } from "@jnx/tensor/internal";
import { elementAt, fill, ravel, unravel, wrap, type Value } from "./values.ts";

/** Attributes of all ops at once; each function reads its own op's. */
interface Attrs {
  readonly shape: Shape;
  readonly axes: readonly number[];
  readonly axis: number;
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  readonly value: number;
  readonly config: readonly (readonly [number, number, number])[];
  readonly along: boolean;
  readonly mode: string;
  readonly rows: number;
  readonly zero?: boolean;
  readonly dtype: Aval["dtype"];
}

type Scalar = (args: readonly number[], attrs: Attrs, from: readonly Aval["dtype"][]) => number;

const two =
  (f: (x: number, y: number) => number): Scalar =>
  ([x = 0, y = 0]) =>
    f(x, y);
const one =
  (f: (x: number) => number): Scalar =>
  ([x = 0]) =>
    f(x);

/** One element of every map op, by name; ints are wrapped by the caller. */
const SCALARS: Readonly<Record<string, Scalar>> = {
  add: two((x, y) => x + y),
  sub: two((x, y) => x - y),
  mul: ([x = 0, y = 0], _attrs, [dtype]) => (dtype === "float32" ? x * y : Math.imul(x, y)),
  div: two((x, y) => x / y),
  remainder: two((x, y) => x - Math.floor(x / y) * y),
  maximum: two(Math.max),
  minimum: two(Math.min),
  equal: two((x, y) => Number(x === y)),
  notEqual: two((x, y) => Number(x !== y)),
  less: two((x, y) => Number(x < y)),
  lessEqual: two((x, y) => Number(x <= y)),
  greater: two((x, y) => Number(x > y)),
  greaterEqual: two((x, y) => Number(x >= y)),
  bitwiseAnd: two((x, y) => x & y),
  bitwiseOr: two((x, y) => x | y),
  bitwiseXor: two((x, y) => x ^ y),
  rightShift: ([x = 0, y = 0], _attrs, [dtype]) => (dtype === "uint32" ? x >>> y : x >> y),
  bitwiseNot: ([x = 0], _attrs, [dtype]) => (dtype === "bool" ? 1 - x : ~x),
  where: ([c = 0, x = 0, y = 0]) => (c !== 0 ? x : y),
  neg: one((x) => -x),
  abs: one(Math.abs),
  sign: one(Math.sign),
  exp: one(Math.exp),
  log: one(Math.log),
  log1p: one(Math.log1p),
  expm1: one(Math.expm1),
  sqrt: one(Math.sqrt),
  rsqrt: one((x) => 1 / Math.sqrt(x)),
  sin: one(Math.sin),
  cos: one(Math.cos),
  tanh: one(Math.tanh),
  sigmoid: one((x) => 1 / (1 + Math.exp(-x))),
  square: ([x = 0], _attrs, [dtype]) => (dtype === "float32" ? x * x : Math.imul(x, x)),
  relu: one((x) => Math.max(x, 0)),
  floor: one(Math.floor),
  isfinite: one((x) => Number(Number.isFinite(x))),
  convert_element_type: ([x = 0], { dtype }, [from]) =>
    from === "float32" && dtype !== "float32" && dtype !== "bool" ? Math.trunc(x) : x,
};

/** One element of a map op that does not look at its position. */
export function scalar(
  op: AnyOp,
  args: readonly number[],
  attrs: unknown,
  from: readonly Aval["dtype"][],
  dtype: Aval["dtype"],
): number {
  const f = SCALARS[op.name];
  if (f === undefined) throw new Error(`the interpreter has no ${op.name}`);
  return wrap(f(args, attrs as Attrs, from), dtype); // the op's own attrs
}

/** One element of a map op that looks at its position `flat` in its own result. */
export function indexed(op: AnyOp, args: readonly number[], attrs: unknown, flat: number): number {
  const { shape, axis } = attrs as Attrs; // the op's own attrs
  if (op.name === "iota") return unravel(flat, shape)[axis] ?? 0;
  if (op.name === "random_bits") return threefry(args[0] ?? 0, args[1] ?? 0, flat);
  throw new Error(`the interpreter has no ${op.name}`);
}

/** Both words of the Threefry-2x32 block of counter (0, x1), xored. */
function threefry(k0: number, k1: number, counter: number): number {
  const keys = [k0 | 0, k1 | 0, k0 ^ k1 ^ 0x1bd11bda];
  let x0 = keys[0] ?? 0;
  let x1 = (counter + (keys[1] ?? 0)) | 0;
  for (let group = 1; group <= 5; group++) {
    for (const turn of group % 2 === 1 ? [13, 15, 26, 6] : [17, 29, 16, 24]) {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << turn) | (x1 >>> (32 - turn))) ^ x0;
    }
    x0 = (x0 + (keys[group % 3] ?? 0)) | 0;
    x1 = (x1 + (keys[(group + 1) % 3] ?? 0) + group) | 0;
  }
  return (x0 ^ x1) >>> 0;
}

const COMBINE: Readonly<Record<string, readonly [number, (x: number, y: number) => number]>> = {
  sum: [0, (x, y) => x + y],
  prod: [1, (x, y) => x * y],
  max: [-Infinity, Math.max],
  min: [Infinity, Math.min],
  any: [0, (x, y) => Number(x !== 0 || y !== 0)],
  all: [1, (x, y) => Number(x !== 0 && y !== 0)],
};

export function reduceValue(x: Value, combine: string, axes: readonly number[], aval: Aval): Value {
  const [start, f] = COMBINE[combine] ?? [Number.NaN, () => Number.NaN];
  const result = fill(aval, () => 0).data.fill(start);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  x.data.forEach((element, flat) => {
    const index = unravel(flat, x.shape);
    const to = ravel(
      kept.map((axis) => index[axis] ?? 0),
      aval.shape,
    );
    result[to] = wrap(f(result[to] ?? 0, element), aval.dtype);
  });
  return { ...aval, data: result };
}

type Whole = (inputs: readonly Value[], attrs: Attrs, aval: Aval) => Value;

const VIEWS: Readonly<Record<string, Whole>> = {
  reshape: ([x], _attrs, aval) => fill(aval, (_index, flat) => x?.data[flat] ?? Number.NaN),
  transpose: ([x], { axes }, aval) =>
    fill(aval, (index) =>
      pick(
        x,
        axes.map((_, axis) => index[axes.indexOf(axis)] ?? 0),
      ),
    ),
  weaken: ([x], _attrs, aval) => fill(aval, (_index, flat) => x?.data[flat] ?? Number.NaN),
  broadcast_to: ([x], _attrs, aval) =>
    fill(aval, (index) =>
      pick(
        x,
        (x?.shape ?? []).map((extent, k) =>
          extent === 1 ? 0 : (index[k + index.length - (x?.shape.length ?? 0)] ?? 0),
        ),
      ),
    ),
  slice: ([x], { starts, steps }, aval) =>
    fill(aval, (index) =>
      pick(
        x,
        index.map((i, k) => (starts[k] ?? 0) + i * (steps[k] ?? 1)),
      ),
    ),
};

function pick(x: Value | undefined, index: readonly number[]): number {
  return x === undefined ? Number.NaN : elementAt(x, index);
}

const KERNELS: Readonly<Record<string, Whole>> = {
  matmul: ([a, b], _attrs, aval) =>
    fill(aval, (index) => {
      const [batch, i, j] = [index.slice(0, -2), index.at(-2) ?? 0, index.at(-1) ?? 0];
      let sum = 0;
      for (let k = 0; k < (a?.shape.at(-1) ?? 0); k++) sum += pick(a, [...batch, i, k]) * pick(b, [...batch, k, j]);
      return sum;
    }),
  pad: ([x], { value, config }, aval) =>
    fill(aval, (index) => {
      const from = index.map((i, k) => (i - (config[k]?.[0] ?? 0)) / ((config[k]?.[2] ?? 0) + 1));
      return from.every((i, k) => Number.isInteger(i) && i >= 0 && i < (x?.shape[k] ?? 0)) ? pick(x, from) : value;
    }),
  concatenate: (parts, { axis }, aval) =>
    fill(aval, (index) => {
      let place = index[axis] ?? 0;
      for (const part of parts) {
        const length = part.shape[axis] ?? 0;
        if (place < length) return pick(part, [...index.slice(0, axis), place, ...index.slice(axis + 1)]);
        place -= length;
      }
      return Number.NaN;
    }),
  argmax: ([x], { axis }, aval) => chosen(x, axis, aval, (a, b) => a > b),
  argmin: ([x], { axis }, aval) => chosen(x, axis, aval, (a, b) => a < b),
  gather: ([x, index], attrs, aval) =>
    fill(aval, (at) => {
      const from = source(at, index, attrs, x?.shape[attrs.axis] ?? 0);
      return from === undefined ? (attrs.zero === true ? 0 : Number.NaN) : pick(x, from);
    }),
  scatter_add: ([updates, index], attrs, aval) => {
    const result = fill(aval, () => 0);
    updates?.data.forEach((element, flat) => {
      const to = source(unravel(flat, updates.shape), index, attrs, attrs.rows);
      if (to === undefined) return;
      const at = ravel(to, aval.shape);
      result.data[at] = (result.data[at] ?? Number.NaN) + element;
    });
    return result;
  },
};

function chosen(x: Value | undefined, axis: number, aval: Aval, better: (a: number, b: number) => boolean): Value {
  return fill(aval, (index) => {
    const at = (k: number): number => pick(x, [...index.slice(0, axis), k, ...index.slice(axis)]);
    let best = 0;
    for (let k = 1; k < (x?.shape[axis] ?? 0); k++) if (better(at(k), at(best))) best = k;
    return best;
  });
}

/** Where in the gathered array the element at an index of the result comes from; undefined when out of range. */
function source(
  at: readonly number[],
  index: Value | undefined,
  { axis, along, mode }: Attrs,
  rows: number,
): number[] | undefined {
  if (index === undefined) return undefined;
  const rank = index.shape.length;
  const asked = along ? elementAt(index, at) : elementAt(index, at.slice(axis, axis + rank));
  const counted = asked < 0 && (along || mode === "fill") ? asked + rows : asked;
  const row =
    mode === "clip"
      ? Math.min(rows - 1, Math.max(0, counted))
      : mode === "wrap"
        ? ((counted % rows) + rows) % rows
        : counted;
  if (row < 0 || row >= rows) return undefined;
  return along ? at.map((i, k) => (k === axis ? row : i)) : [...at.slice(0, axis), row, ...at.slice(axis + rank)];
}

/** Any op of the engine, in float64 and by plain loops. */
export function evaluateOp(op: AnyOp, inputs: readonly Value[], attrs: unknown, aval: Aval): Value {
  const { name } = op;
  if (op.kind === "map") {
    const from = inputs.map((input) => input.dtype);
    const at = (flat: number): number[] => inputs.map((input) => input.data[flat] ?? Number.NaN);
    return fill(aval, (_index, flat) =>
      op.indexed === true ? indexed(op, at(flat), attrs, flat) : scalar(op, at(flat), attrs, from, aval.dtype),
    );
  }
  const [x] = inputs;
  if (op.kind === "reduce" && x !== undefined) return reduceValue(x, op.combine, op.axes(attrs), aval);
  // Views without a rule of their own (alias, stop_gradient) change nothing but the name.
  const f = op.kind === "view" ? (VIEWS[name] ?? VIEWS["reshape"]) : KERNELS[name];
  if (f === undefined) throw new Error(`the interpreter has no ${name}`);
  return f(inputs, attrs as Attrs, aval); // the op's own attrs
}

/** A level under every other that computes in float64 at once: the oracle of whatever runs through `bind`. */
export class Reference implements Level {
  readonly name = "reference";

  claims(): boolean {
    return true;
  }

  process(op: AnyOp, inputs: readonly Tensor[], attrs: unknown): Tensor {
    const { shape, dtype, weak } = op.infer(inputs, attrs);
    return this.tensor(
      evaluateOp(
        op,
        inputs.map((input) => this.value(input)),
        attrs,
        { shape, dtype, weak },
      ),
    );
  }

  /** A whileLoop, whose rounds nobody knows beforehand: its graphs again and again. Other calls become ops of themselves. */
  call(op: CallOp, inputs: readonly Tensor[]): readonly Tensor[] | undefined {
    if (op.name !== "whileLoop") return undefined;
    const [test, round] = (op.loop as DeviceCall).graphs(); // what compile gives every loop
    if (test === undefined || round === undefined) throw new Error("a whileLoop has a test and a round");
    return this.run(() => {
      const carries = round.outputs.length - 1;
      let carry = inputs.slice(0, carries);
      let [on] = evaluateNodes(test.outputs, inputs);
      while (on !== undefined && this.value(on).data[0] !== 0) {
        const next = evaluateNodes(round.outputs, [...carry, ...inputs.slice(carries)]);
        [carry, on] = [next.slice(0, carries), next[carries]];
      }
      return carry;
    });
  }

  tensor(value: Value): Tensor {
    const { shape, dtype, weak } = value;
    return new Tensor({ shape, dtype, weak }, { kind: "symbolic", trace: this, value });
  }

  value(x: Tensor): Value {
    const { payload } = x;
    if (payload.kind === "symbolic" && payload.trace === this) return payload.value as Value; // made by tensor()
    const known = hostValues(x);
    if (known === undefined) throw new Error(`the reference cannot see ${String(x)}`);
    return { shape: x.shape, dtype: x.dtype, weak: x.weak, data: Float64Array.from(known) };
  }

  run<T>(body: () => T): T {
    return withLevel(this, body);
  }
}

/** f(inputs) in float64: the truth that eager and compiled execution are held to. */
export function reference(f: (...inputs: Tensor[]) => readonly Tensor[], inputs: readonly Value[]): Value[] {
  const level = new Reference();
  return level.run(() => f(...inputs.map((input) => level.tensor(input)))).map((output) => level.value(output));
}
