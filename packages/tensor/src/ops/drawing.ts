import { op_threefry_xor, type WgslFunction } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import type { DType } from "../dtype.ts";
import type { BatchRule, MapContext, MapOp } from "../op.ts";
import { sizeOf, type Shape } from "../shape.ts";
import { spreadBatch, batchSize } from "./batching.ts";

/** Maps that draw random bits for each element: what they have in common. */

export interface ShapeAttrs {
  readonly shape: Shape;
  /** After how many elements the counter starts over: each example of a batch counts from 0. */
  readonly period?: number;
}

/** The counter of an element: its place within its own example. */
export function counter(context: MapContext, { period }: ShapeAttrs): string {
  return period === undefined ? context.index() : `(${context.index()} % ${context.constant(period, "uint32")})`;
}

/** Draws for a batch of keys: the op itself on all of them, with a counter that starts over. */
export const drawBatch =
  (op: () => MapOp<ShapeAttrs>): BatchRule<ShapeAttrs> =>
  (inputs, batched, { shape, period }) =>
    bind(op(), spreadBatch(inputs, batched), {
      shape: [batchSize(inputs, batched), ...shape],
      period: period ?? Math.max(1, sizeOf(shape)),
    });

/** A map of key words (and further operands) that draws one block for each element of its result. */
export function drawing(
  name: string,
  dtype: DType,
  wgsl: (bits: string, rest: readonly string[], context: MapContext) => string,
): MapOp<ShapeAttrs> {
  const op: MapOp<ShapeAttrs> = {
    kind: "map",
    name,
    indexed: true,
    expensive: true,
    infer: (_inputs, { shape }) => ({ shape, dtype, weak: false }),
    wgsl: ([k0 = "", k1 = "", ...rest], context, attrs) =>
      wgsl(`${context.use(op_threefry_xor)}(${k0}, ${k1}, U(0u), ${counter(context, attrs)})`, rest, context),
    vjp: "nondifferentiable",
    batch: drawBatch(() => op),
  };
  return op;
}

export const call = (context: MapContext, fn: WgslFunction, ...args: readonly string[]): string =>
  `${context.use(fn)}(${args.join(", ")})`;
