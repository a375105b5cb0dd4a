import { op_rem_u } from "@jnx/kernels-wgsl";
import { setting } from "../../config.ts";
import { bind } from "../../dispatch.ts";
import { computedDType } from "../../dtype.ts";
import { DtypeError } from "../../errors.ts";
import type { MapOp } from "../../op.ts";
import { sizeOf, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { batchSize, spreadBatch } from "../batching.ts";
import { composite } from "../composite.ts";
import { convert } from "../convert.ts";
import { asTensor, literal, type TensorLike } from "../create.ts";
import { add, greater, lessEqual, logicalAnd, maximum, minimum, sub, where } from "../elementwise.ts";
import { broadcastTo } from "../movement.ts";
import { bitsText, call, type DrawAttrs } from "./draw.ts";
import type { KeyArray } from "./key-array.ts";
import { checkedKey, keyWords, splitKeys } from "./keys.ts";
import { drawShape } from "./shapes.ts";
import { checkOptions } from "../../options.ts";

const RANDINT_OPTIONS = { dtype: true } as const;

/** Integer types that randint takes. */
export type RandintDType = keyof typeof RANGES;

const RANGES = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
} as const;

export interface RandintOptions {
  readonly dtype?: RandintDType;
}

/**
 * Operands: the words of two keys, minval and the span, a uint32 in which 0 is 2³². With 64 random bits H·2³² + L it is
 * minval + (H·(2³² mod span) + L) mod span, in JAX's own steps, which wrap.
 */
const randintOp: MapOp<DrawAttrs & { readonly dtype: RandintDType }> = {
  kind: "map",
  name: "random_integers",
  indexed: true,
  expensive: true,
  infer: (_inputs, { shape, dtype }) => ({ shape, dtype, weak: false }),
  wgsl: ([k0 = "", k1 = "", k2 = "", k3 = "", low = "", span = ""], context, attrs) => {
    const rem = (x: string): string => call(context, op_rem_u, x, span);
    const high = rem(bitsText([k0, k1], context, attrs));
    const half = rem("U(0x10000u)");
    const offset = rem(`(${high} * ${rem(`(${half} * ${half})`)} + ${rem(bitsText([k2, k3], context, attrs))})`);
    if (attrs.dtype === "uint32") return `(${low} + ${offset})`;
    const sum = `(${low} + I(${offset}))`;
    return computedDType(attrs.dtype) === "uint32" ? `U${sum}` : sum;
  },
  vjp: "nondifferentiable",
  batch: (inputs, batched, attrs) =>
    bind(randintOp, spreadBatch(inputs, batched), { ...attrs, shape: [batchSize(inputs, batched), ...attrs.shape] }),
};

/**
 * Integers uniform on [minval, maxval), minval everywhere if maxval ≤ minval. The remainder of 64 random bits, with
 * JAX's own modular steps so that every draw is the same. Bounds broadcast against the shape and are cut to the dtype's
 * range; fractions are cut off. int32 unless told. Source: jax.random.randint.
 *
 * @throws ArgumentError when k is not one key, ShapeError when the bounds do not fit the shape, DtypeError for another dtype.
 * @example
 * await random.randint(random.key(0), [4], 0, 10).toArray(); // [9, 0, 2, 3]
 */
export function randint(
  k: TensorLike,
  shape: Shape,
  minval: TensorLike,
  maxval: TensorLike,
  options: RandintOptions = {},
): Tensor {
  checkOptions("random.randint", options, RANDINT_OPTIONS);
  const source = checkedKey("randint", k);
  const { dtype = "int32" } = options;
  if (!Object.hasOwn(RANGES, dtype))
    throw new DtypeError(
      `random.randint: the dtype must be one of ${Object.keys(RANGES).join(", ")}, received ${dtype}`,
    );
  const [low, high] = [bound(minval), bound(maxval)];
  const full = drawShape("randint", shape, shapeOf(low), shapeOf(high));
  return composite("randint", () => drawIntegers(source, full, [low, high], dtype));
}

type Bound = number | Tensor;

/** Numbers stay exact: 2³² is no uint32, but is a bound. */
function bound(x: TensorLike): Bound {
  if (typeof x === "number") return Math.trunc(x);
  const tensor = asTensor(x, "random.randint");
  return tensor.dtype === "uint32" ? tensor : convert(tensor, "int32");
}

function shapeOf(x: Bound): Shape {
  return typeof x === "number" ? [] : x.shape;
}

/** `randint` for samplers, with a key of their own. */
export function drawIntegers(
  source: KeyArray,
  shape: Shape,
  [minval, maxval]: readonly [Bound, Bound],
  range: RandintDType,
): Tensor {
  const dtype = range === "uint32" ? "uint32" : "int32";
  const [least, most] = RANGES[range];
  const low = within(minval, least, most, dtype);
  const high = within(maxval, least, dtype === "int32" && range !== "int32" ? most + 1 : most, dtype);
  const beyond = dtype === range ? beyondRange(maxval, most) : literal(0, [], "bool");
  const difference = sub(convert(high, "uint32"), convert(low, "uint32"));
  const one = literal(1, [], "uint32");
  const inside = where(lessEqual(high, low), one, difference);
  const span = where(logicalAnd(beyond, greater(high, low)), add(difference, one), inside);
  const attrs = { shape, count: sizeOf(shape), partitionable: setting("jax_threefry_partitionable") } as const;
  const words = splitKeys(source).flatMap((one2) => keyWords(one2, shape));
  const operands = [...words, broadcastTo(low, shape), broadcastTo(span, shape)];
  return bind(randintOp, operands, { ...attrs, width: 32, dtype: range });
}

/** A bound cut to what the dtype holds. */
function within(x: Bound, least: number, most: number, dtype: "int32" | "uint32"): Tensor {
  if (typeof x === "number") return literal(Math.min(most, Math.max(least, x)), [], dtype);
  const [lowest, highest] = x.dtype === "uint32" ? [0, 4294967295] : [-2147483648, 2147483647];
  const limit = (value: number): Tensor => literal(Math.min(highest, Math.max(lowest, value)), [], x.dtype);
  return convert(minimum(maximum(x, limit(least)), limit(most)), dtype);
}

/** True where maxval is past what the dtype holds, and so means one past its last number. */
function beyondRange(x: Bound, most: number): Tensor {
  if (typeof x === "number") return literal(x > most ? 1 : 0, [], "bool");
  return x.dtype === "uint32" && most < 4294967295 ? greater(x, literal(most, [], "uint32")) : literal(0, [], "bool");
}
