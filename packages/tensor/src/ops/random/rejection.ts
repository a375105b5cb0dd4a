import { older_bits_of, older_child, type WgslFunction } from "@jnx/kernels-wgsl";
import { setting } from "../../config.ts";
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

/** A function that splits keys as JAX's older mode does. */
function withOlderKeys(fn: WgslFunction): WgslFunction {
  const older = [older_child, older_bits_of].find(({ name }) => name === fn.name);
  return older ?? { ...fn, uses: fn.uses.map(withOlderKeys) };
}

export function rejection(
  name: string,
  fn: WgslFunction,
  extra: readonly string[] = [],
  vjp: Rejection["vjp"] = "nondifferentiable",
): Rejection {
  let older: WgslFunction | undefined;
  const op: Rejection = {
    kind: "map",
    name,
    indexed: true,
    expensive: true,
    infer: (_inputs, { shape }) => ({ shape, dtype: "float32", weak: false }),
    wgsl: ([k0 = "", k1 = "", ...parameters], context, attrs) => {
      const place = [elementOf(context, attrs), context.constant(attrs.count, "uint32")];
      const sampler = attrs.partitionable ? fn : (older ??= withOlderKeys(fn));
      return call(context, sampler, k0, k1, ...place, ...parameters, ...extra, zero(context));
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
  const partitionable = setting("jax_threefry_partitionable");
  return bind(op, [...keyWords(key, shape), ...parameters], { shape, count: sizeOf(shape), partitionable });
}
