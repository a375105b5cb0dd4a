import {
  op_clamp_f,
  op_exponential_from_bits,
  op_gumbel_from_bits,
  op_laplace_from_bits,
  op_logistic_from_bits,
  op_nextafter,
  op_normal_from_bits,
  op_rayleigh_from_bits,
  op_threefry_halves,
  op_threefry_xor,
  op_truncated_from_bits,
  op_uniform_from_bits,
  op_unit_from_bits,
  type WgslFunction,
} from "@jnx/kernels-wgsl";
import { setting } from "../../config.ts";
import { bind } from "../../dispatch.ts";
import type { DType } from "../../dtype.ts";
import type { MapContext, MapOp, VjpRule } from "../../op.ts";
import { sizeOf, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { batchSize, spreadBatch } from "../batching.ts";
import { exp, mul, square, sub } from "../elementwise.ts";
import type { KeyArray } from "./key-array.ts";
import { keyWords } from "./keys.ts";

/**
 * Draws: maps of a key's two words, repeated over the result, that run one Threefry block for each element and make the
 * element of its bits in the same kernel. Further operands, of the result's shape too, are parameters.
 */

export interface DrawAttrs {
  readonly shape: Shape;
  /** Elements that belong to one key: their counts start at 0 for each. */
  readonly count: number;
  readonly partitionable: boolean;
  /** Bits kept of each draw. */
  readonly width: 8 | 16 | 32;
}

type Draw = MapOp<DrawAttrs>;

/** The WGSL of an element, given its random bits (one expression for each draw, to be used once) and the parameters. */
type Element = (bits: readonly string[], parameters: readonly string[], context: MapContext) => string;

export function call(context: MapContext, fn: WgslFunction, ...args: readonly string[]): string {
  return `${context.use(fn)}(${args.join(", ")})`;
}

/** What exact functions hide numbers behind: a zero that compilers do not know. */
export function zero(context: MapContext): string {
  return context.constant(0, "uint32");
}

/** A draw; where an element takes several, they are those of an array [draws, ...shape]. */
export function drawing(
  name: string,
  dtype: DType,
  element: Element,
  vjp: VjpRule<DrawAttrs> | "nondifferentiable" = "nondifferentiable",
  draws = 1,
): Draw {
  const op: Draw = {
    kind: "map",
    name,
    indexed: true,
    expensive: true,
    infer: (_inputs, { shape }) => ({ shape, dtype, weak: false }),
    wgsl: ([k0 = "", k1 = "", ...rest], context, attrs) => {
      const bits = Array.from({ length: draws }, (_, n) => bitsText([k0, k1], context, attrs, draws, n));
      return element(bits, rest, context);
    },
    vjp,
    batch: (inputs, batched, attrs) =>
      bind(op, spreadBatch(inputs, batched), { ...attrs, shape: [batchSize(inputs, batched), ...attrs.shape] }),
  };
  return op;
}

/** The bits of draw number n of the element. */
export function bitsText(key: readonly string[], context: MapContext, attrs: DrawAttrs, draws = 1, n = 0): string {
  const { shape, count, partitionable, width } = attrs;
  const size = (times: number): string => context.constant(times * count, "uint32");
  const within = sizeOf(shape) === count ? context.index() : `(${context.index()} % ${size(1)})`;
  const index = n === 0 ? within : `(${within} + ${size(n)})`;
  if (partitionable) {
    const bits = call(context, op_threefry_xor, ...key, "U(0u)", index);
    return width === 32 ? bits : `(${bits} & U(${2 ** width - 1}u))`;
  }
  if (width === 32) return call(context, op_threefry_halves, ...key, index, size(draws));
  // In the older mode a word holds 32 / width elements, the lowest bits first.
  const perWord = 32 / width;
  const words = context.constant(Math.ceil(count / perWord), "uint32");
  const word = call(context, op_threefry_halves, ...key, `(${index} / U(${perWord}u))`, words);
  return `((${word} >> ((${index} % U(${perWord}u)) * U(${width}u))) & U(${2 ** width - 1}u))`;
}

/** Binds a draw: its parameters must have the result's shape. */
export function draw(op: Draw, key: KeyArray, shape: Shape, parameters: readonly Tensor[] = [], width = 32): Tensor {
  const partitionable = setting("jax_threefry_partitionable");
  const attrs = {
    shape,
    count: sizeOf(shape),
    partitionable,
    width: width === 8 || width === 16 ? width : 32,
  } as const;
  return bind(op, [...keyWords(key, shape), ...parameters], attrs);
}

export const bitsOp: Draw = /* @__PURE__ */ drawing("random_bits", "uint32", ([bits = ""]) => bits);

/** The same in the dtypes of fewer bits. */
export const bits8Op: Draw = /* @__PURE__ */ drawing("random_bits", "uint8", ([bits = ""]) => bits);
export const bits16Op: Draw = /* @__PURE__ */ drawing("random_bits", "uint16", ([bits = ""]) => bits);

export const unitOp: Draw = /* @__PURE__ */ drawing("random_unit", "float32", ([bits = ""], _rest, context) =>
  call(context, op_unit_from_bits, bits),
);

/** Parameters: minval and maxval. Their derivatives are 1 − u and u of the same draw on [0, 1). */
export const uniformOp: Draw = /* @__PURE__ */ drawing(
  "random_uniform",
  "float32",
  ([bits = ""], [low = "", high = ""], context) => call(context, op_uniform_from_bits, bits, low, high),
  ({ inputs: [k0, k1], attrs, needs }, ct) => {
    if (k0 === undefined || k1 === undefined) return [];
    const unit = bind(unitOp, [k0, k1], attrs);
    const high = mul(ct, unit);
    return [undefined, undefined, needs[2] ? sub(ct, high) : undefined, needs[3] ? high : undefined];
  },
);

/** A draw without parameters that one function makes of the bits. */
function standard(name: string, fn: WgslFunction): Draw {
  return drawing(name, "float32", ([bits = ""], _rest, context) => call(context, fn, bits, zero(context)));
}

export const normalOp = /* @__PURE__ */ standard("random_normal", op_normal_from_bits);
export const exponentialOp = /* @__PURE__ */ standard("random_exponential", op_exponential_from_bits);
export const laplaceOp = /* @__PURE__ */ standard("random_laplace", op_laplace_from_bits);
export const logisticOp = /* @__PURE__ */ standard("random_logistic", op_logistic_from_bits);
export const gumbelOp = /* @__PURE__ */ standard("random_gumbel", op_gumbel_from_bits);
export const rayleighOp = /* @__PURE__ */ standard("random_rayleigh", op_rayleigh_from_bits);

/** Parameters: lower and upper, then erf(lower / √2) and erf(upper / √2), through which the derivatives go. */
export const truncatedOp: Draw = /* @__PURE__ */ drawing(
  "random_truncated_normal",
  "float32",
  ([bits = ""], [lower = "", upper = "", a = "", b = ""], context) => {
    const x = call(context, op_truncated_from_bits, bits, a, b, zero(context));
    const inside = (bound: string, towards: number): string =>
      call(context, op_nextafter, bound, context.constant(towards, "float32"));
    return call(
      context,
      op_clamp_f,
      inside(lower, Number.POSITIVE_INFINITY),
      x,
      inside(upper, Number.NEGATIVE_INFINITY),
    );
  },
  ({ inputs: [k0, k1], output, attrs, needs }, ct) => {
    if (k0 === undefined || k1 === undefined) return [];
    const unit = bind(unitOp, [k0, k1], attrs);
    const all = mul(ct, mul(Math.sqrt(Math.PI / 2), exp(mul(square(output), 0.5))));
    const high = mul(all, unit);
    const none = [undefined, undefined, undefined, undefined];
    return [...none, needs[4] ? sub(all, high) : undefined, needs[5] ? high : undefined];
  },
);
