import { planPad } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { ShapeError } from "../errors.ts";
import { widthOf } from "../lower/space.ts";
import type { KernelOp } from "../op.ts";
import { checkList, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { checkAlike } from "./alike.ts";
import { convert } from "./convert.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import { where } from "./elementwise.ts";
import { laxSlice } from "./movement.ts";

/** For one axis: elements before the first, after the last, and between neighbours. Negative low and high crop. */
export type PaddingConfig = readonly [low: number, high: number, interior: number];

interface PadAttrs {
  readonly value: number;
  readonly config: readonly PaddingConfig[];
}

function paddedExtent(extent: number, [low, high, interior]: PaddingConfig): number {
  return low + high + extent + Math.max(0, extent - 1) * interior;
}

const padOp: KernelOp<PadAttrs> = {
  kind: "kernel",
  name: "pad",
  infer: ([x], { config }) => ({
    shape: x?.shape.map((extent, axis) => paddedExtent(extent, at(config, axis))) ?? [],
    dtype: x?.dtype ?? "float32",
    weak: x?.weak ?? false,
  }),
  // The operand is read through a hook, which walks any view.
  accepts: () => true,
  plan: ([x], { value, config }, limits) => {
    if (x === undefined) return [];
    const { shape, dtype } = x.aval;
    const padding = config.map(([low, high, interior]) => ({ low, high, interior }));
    const vector = widthOf(shape, [{ kind: "load", slot: 0, dtype, view: x.view }]) === 4;
    return planPad({ dtype, shape, padding, value, vector }, limits).map((stage) => ({
      ...stage,
      operands: [],
      loads: 0,
    }));
  },
  vjp: ({ inputs: [x], attrs: { config } }, ct) => [x && unpad(ct, x, config)],
  jvp: ({ attrs: { config } }, [tangent]) => tangent && bind(padOp, [tangent], { value: 0, config }),
  batch: (inputs, _batched, { value, config }) => bind(padOp, inputs, { value, config: [[0, 0, 0], ...config] }),
};

/** The transpose of a pad: what came from the operand goes back, cropped elements get zero. */
function unpad(ct: Tensor, x: Tensor, config: readonly PaddingConfig[]): Tensor {
  // Where elements were cropped, zeros stand in for their cotangents first.
  const widened = pad(
    ct,
    0,
    config.map(([low, high]) => [Math.max(0, -low), Math.max(0, -high), 0] as const),
  );
  const starts = config.map(([low]) => Math.max(0, low));
  const steps = config.map(([, , interior]) => interior + 1);
  const limits = x.shape.map((extent, k) =>
    extent === 0 ? at(starts, k) : at(starts, k) + (extent - 1) * at(steps, k) + 1,
  );
  return laxSlice(widened, starts, limits, steps);
}

/**
 * x with `value`, a number or a scalar array, before, after and between its elements, axis by axis. Source: lax.pad.
 *
 * @throws ShapeError when the configuration does not name every axis, an extent would be negative or the value is no scalar; DtypeError
 * for one of another dtype.
 * @example
 * await pad(array([1, 2]), 0, [[1, 0, 1]]).toArray(); // [0, 1, 0, 2]
 */
export function pad(x: TensorLike, value: TensorLike, config: readonly PaddingConfig[]): Tensor {
  const tensor = asTensor(x, "pad");
  checkList("pad", "configuration", config).forEach((one) => checkList("pad", "configuration of an axis", one));
  if (config.length !== tensor.ndim)
    throw new ShapeError(
      `pad: ${config.length} configurations for ${tensor.ndim} axes of ${shapeText(tensor.shape)}; give [low, high, interior] for each`,
    );
  for (const [axis, one] of config.entries()) {
    if (!one.every(Number.isInteger) || one[2] < 0 || paddedExtent(at(tensor.shape, axis), one) < 0)
      throw new ShapeError(
        `pad: [${one.join(", ")}] does not fit axis ${axis} of ${shapeText(tensor.shape)}; whole numbers, interior ≥ 0, the result's extent ≥ 0`,
      );
  }
  const filling = typeof value === "number" ? value : asTensor(value, "pad");
  if (typeof filling !== "number" && filling.ndim > 0)
    throw new ShapeError(`pad: the value must be a scalar, received shape ${shapeText(filling.shape)}`);
  if (typeof filling !== "number") checkAlike("pad", "any", [tensor, filling]);
  if (config.every((one) => one.every((count) => count === 0))) return tensor;
  if (typeof filling === "number") return bind(padOp, [tensor], { value: filling, config });
  const own = bind(padOp, [literal(1, tensor.shape, "bool")], { value: 0, config });
  return where(own, bind(padOp, [tensor], { value: 0, config }), convert(filling, tensor.dtype, tensor.weak));
}
