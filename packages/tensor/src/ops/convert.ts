import {
  op_bool_to_f32,
  op_bool_to_i32,
  op_bool_to_u32,
  op_f32_to_bool,
  op_f32_to_i32,
  op_f32_to_u32,
  op_i32_to_bool,
  op_i32_to_f32,
  op_i32_to_u32,
  op_u32_to_bool,
  op_u32_to_f32,
  op_u32_to_i32,
  type WgslFunction,
} from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { checkDType, computedDType, isFloat, isInteger, rangeOf, type ComputedDType, type DType } from "../dtype.ts";
import type { MapOp, ViewOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { only } from "./batching.ts";

const CONVERSIONS: Record<ComputedDType, Partial<Record<ComputedDType, WgslFunction>>> = {
  float32: { int32: op_f32_to_i32, uint32: op_f32_to_u32, bool: op_f32_to_bool },
  int32: { float32: op_i32_to_f32, uint32: op_i32_to_u32, bool: op_i32_to_bool },
  uint32: { float32: op_u32_to_f32, int32: op_u32_to_i32, bool: op_u32_to_bool },
  bool: { float32: op_bool_to_f32, int32: op_bool_to_i32, uint32: op_bool_to_u32 },
};

interface ConvertAttrs {
  readonly dtype: DType;
  readonly weak: boolean;
}

const convertOp: MapOp<ConvertAttrs> = {
  kind: "map",
  name: "convert_element_type",
  infer: ([x], { dtype, weak }) => ({ shape: x?.shape ?? [], dtype, weak }),
  wgsl: ([x = ""], context, { dtype }, [from = "bool"]) => {
    const to = computedDType(dtype);
    const fn = CONVERSIONS[from][to];
    const converted = fn === undefined ? x : `${context.use(fn)}(${x})`;
    if (from !== "float32" || !isInteger(dtype) || to === dtype) return converted;
    // Floats saturate at what the dtype holds; whole numbers wrap, which the emitter sees to.
    const [least, most] = rangeOf(dtype);
    return to === "int32" ? `clamp(${converted}, I(${least}), I(${most}))` : `min(${converted}, U(${most}u))`;
  },
  fold: ([value = 0], [x], { dtype }) => convertNumber(value, x?.dtype ?? dtype, dtype),
  vjp: ({ inputs: [x] }, ct) => [x !== undefined && isFloat(x.dtype) ? convert(ct, x.dtype) : undefined],
  jvp: ({ attrs: { dtype } }, [tangent]) => (isFloat(dtype) ? tangent && convert(tangent, dtype) : undefined),
};

/** The same elements, typed weakly or not. */
const weakenOp: ViewOp<boolean> = {
  kind: "view",
  name: "weaken",
  infer: ([x], weak) => ({ shape: x?.shape ?? [], dtype: x?.dtype ?? "float32", weak }),
  view: (view) => view,
  vjp: (_context, ct) => [ct],
  batch: ([x], _batched, weak) => bind(weakenOp, [only("weaken", x)], weak),
};

/** The same elements in another dtype; nothing happens when they already have it. Source: lax.convert_element_type. */
export function convert(x: Tensor, dtype: DType, weak = false): Tensor {
  if (x.dtype === dtype) return x.weak === weak ? x : bind(weakenOp, [x], weak);
  return bind(convertOp, [x], { dtype, weak });
}

/** x as it is if it holds floats, else as float32. */
export function asFloat(x: Tensor): Tensor {
  return isFloat(x.dtype) ? x : convert(x, "float32", x.weak);
}

/** x in words: what is packed as float32, int32 or uint32, anything else as it is. */
export function unpacked(x: Tensor): Tensor {
  return convert(x, computedDType(x.dtype), x.weak);
}

/**
 * x in another dtype, as XLA converts: float to integer truncates and saturates (NaN gives 0), integers wrap, floats
 * round to nearest even, anything but zero is true. Source: jnp.astype.
 *
 * @throws DtypeError for an unknown dtype.
 * @example
 * await astype(array([1.9, -1.9, NaN]), "int32").toArray(); // [1, -1, 0]
 */
export function astype(x: TensorLike, dtype: DType): Tensor {
  return convert(asTensor(x, "astype"), checkDType("astype", dtype));
}

function convertNumber(value: number, from: DType, to: DType): number {
  if (!isFloat(from) || !isInteger(to)) return value;
  if (Number.isNaN(value)) return 0;
  const [low, high] = rangeOf(to);
  return Math.min(high, Math.max(low, Math.trunc(value)));
}
