import {
  bits_of,
  child,
  exact_div,
  exact_fma,
  exact_log,
  exact_log1p,
  MOST_TRIALS,
  op_exponential_from_bits,
  op_normal_from_bits,
  op_pow,
  op_threefry_halves,
  op_unit_from_bits,
  older_bits_of,
  older_child,
  threefry_block,
  type WgslFunction,
} from "@jnx/kernels-wgsl";
import { config } from "../../config.ts";
import { bind } from "../../dispatch.ts";
import type { MapContext, MapOp } from "../../op.ts";
import { sizeOf, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { batchSize, spreadBatch } from "../batching.ts";
import { call, zero } from "./draw.ts";
import type { KeyArray } from "./key-array.ts";
import { keyWords } from "./keys.ts";

/** Samplers whose every element draws until it accepts: maps of a key's words, the element's number and parameters. Whole
 * numbers do not move with their parameters: no derivative. */

export interface RejectionAttrs {
  readonly shape: Shape;
  /** Elements that belong to one key. */
  readonly count: number;
  readonly partitionable: boolean;
}

export type Rejection = MapOp<RejectionAttrs>;

/** Functions of other libraries that those of rejection-functions.wgsl and its neighbours call. */
const LINKED: readonly WgslFunction[] = [
  threefry_block,
  op_threefry_halves,
  op_normal_from_bits,
  op_exponential_from_bits,
  op_unit_from_bits,
  op_pow,
  exact_fma,
  exact_log,
  exact_log1p,
  exact_div,
  MOST_TRIALS,
];

/** How keys are split in the kernel: now, and in JAX's older mode. */
const SPLITTING: readonly WgslFunction[] = [child, bits_of];
const OLDER_SPLITTING: readonly WgslFunction[] = [older_child, older_bits_of];

/** A function with those of other libraries that it, or what it uses, names. */
function linked(fn: WgslFunction, splitting: readonly WgslFunction[]): WgslFunction {
  const words = new Set(fn.source.match(/[A-Za-z_]\w*/g) ?? []);
  const named = ({ name }: WgslFunction): boolean => name !== fn.name && words.has(name);
  const own = fn.uses.filter(({ name }) => ![...LINKED, ...splitting].some((other) => other.name === name));
  const others = splitting.filter(named).map((one) => linked(one, splitting));
  return { ...fn, uses: [...LINKED.filter(named), ...others, ...own.map((one) => linked(one, splitting))] };
}

export function rejection(
  name: string,
  fn: WgslFunction,
  extra: readonly string[] = [],
  vjp: Rejection["vjp"] = "nondifferentiable",
): Rejection {
  const whole = new Map<boolean, WgslFunction>();
  const linkedFor = (partitionable: boolean): WgslFunction => {
    const known = whole.get(partitionable) ?? linked(fn, partitionable ? SPLITTING : OLDER_SPLITTING);
    whole.set(partitionable, known);
    return known;
  };
  const op: Rejection = {
    kind: "map",
    name,
    indexed: true,
    expensive: true,
    infer: (_inputs, { shape }) => ({ shape, dtype: "float32", weak: false }),
    wgsl: ([k0 = "", k1 = "", ...parameters], context, attrs) => {
      const place = [elementOf(context, attrs), context.constant(attrs.count, "uint32")];
      return call(context, linkedFor(attrs.partitionable), k0, k1, ...place, ...parameters, ...extra, zero(context));
    },
    vjp,
    batch: (inputs, batched, attrs) =>
      bind(op, spreadBatch(inputs, batched), { ...attrs, shape: [batchSize(inputs, batched), ...attrs.shape] }),
  };
  return op;
}

function elementOf(context: MapContext, { shape, count }: RejectionAttrs): string {
  return sizeOf(shape) === count ? context.index() : `(${context.index()} % ${context.constant(count, "uint32")})`;
}

/** Binds such an op; parameters have the result's shape. */
export function drawRejected(op: Rejection, key: KeyArray, shape: Shape, parameters: readonly Tensor[]): Tensor {
  const partitionable = config.read("jax_threefry_partitionable");
  return bind(op, [...keyWords(key, shape), ...parameters], { shape, count: sizeOf(shape), partitionable });
}
