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
  op_unit_from_bits,
  threefry_block,
  type WgslFunction,
} from "@jnx/kernels-wgsl";
import { config } from "../../config.ts";
import { bind } from "../../dispatch.ts";
import { ArgumentError } from "../../errors.ts";
import type { MapContext, MapOp } from "../../op.ts";
import { sizeOf, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { batchSize, spreadBatch } from "../batching.ts";
import { call, zero } from "./draw.ts";
import type { KeyArray } from "./key-array.ts";
import { keyWords } from "./keys.ts";

/** Samplers whose every element draws until it accepts: maps of a key's words, the element's number and parameters. */

interface RejectionAttrs {
  readonly shape: Shape;
  /** Elements that belong to one key. */
  readonly count: number;
}

export type Rejection = MapOp<RejectionAttrs>;

/** Functions of other libraries that those of rejection-functions.wgsl and binomial-functions.wgsl call. */
const LINKED: readonly WgslFunction[] = [
  threefry_block,
  op_normal_from_bits,
  op_exponential_from_bits,
  op_unit_from_bits,
  op_pow,
  exact_fma,
  exact_log,
  exact_log1p,
  exact_div,
  MOST_TRIALS,
  child,
  bits_of,
];

/** A function with those of other libraries that it, or what it uses, names. */
function linked(fn: WgslFunction): WgslFunction {
  const words = new Set(fn.source.match(/[A-Za-z_]\w*/g) ?? []);
  const others = LINKED.filter(({ name }) => name !== fn.name && words.has(name));
  const own = fn.uses.filter(({ name }) => !others.some((other) => other.name === name));
  return { ...fn, uses: [...others.map((one) => (one.name in HOOKED ? linked(one) : one)), ...own.map(linked)] };
}

/** Of the linked functions, those that themselves call others of the list. */
const HOOKED: Readonly<Record<string, true>> = { child: true, bits_of: true };

export function rejection(name: string, fn: WgslFunction, extra: readonly string[] = []): Rejection {
  let whole: WgslFunction | undefined;
  const op: Rejection = {
    kind: "map",
    name,
    indexed: true,
    expensive: true,
    infer: (_inputs, { shape }) => ({ shape, dtype: "float32", weak: false }),
    wgsl: ([k0 = "", k1 = "", ...parameters], context, attrs) => {
      whole ??= linked(fn);
      return call(context, whole, k0, k1, elementOf(context, attrs), ...parameters, ...extra, zero(context));
    },
    vjp: ({ needs }) => {
      if (needs.some(Boolean))
        throw new ArgumentError(
          `random.${name}: there is no derivative with respect to its parameters; wrap them in stopGradient, or draw outside of grad`,
        );
      return [];
    },
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
  if (!config.read("jax_threefry_partitionable"))
    throw new ArgumentError(
      `random.${op.name}: draws with jax_threefry_partitionable only; call config.update("jax_threefry_partitionable", true)`,
    );
  return bind(op, [...keyWords(key, shape), ...parameters], { shape, count: sizeOf(shape) });
}
