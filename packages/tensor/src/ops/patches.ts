import { ArgumentError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { checkShape, shapeText, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { dotGeneral } from "./contraction.ts";
import { convGeneralDilated, layoutOf, type ConvOptions } from "./conv.ts";
import { identity } from "./matrices.ts";
import { broadcastTo, reshape, transpose } from "./movement.ts";
import { convert } from "./convert.ts";

/** Options of `convGeneralDilatedPatches`. */
export type PatchesOptions = Pick<ConvOptions, "lhsDilation" | "rhsDilation" | "dimensionNumbers" | "precision">;

/**
 * What a window of `filterShape` sees at each of its places, in the place of the result's channels: a convolution's operand as a
 * matrix's. The channel axis holds, for each channel of lhs, the window's elements in row-major order. Source:
 * lax.conv_general_dilated_patches.
 *
 * @throws ShapeError when shapes do not fit, ArgumentError for a window of other than one extent for each spatial axis.
 * @example
 * const patches = convGeneralDilatedPatches(array([[[1, 2, 3]]]), [2], [1], "VALID");
 * await patches.toArray(); // [[[1, 2], [2, 3]]]
 */
export function convGeneralDilatedPatches(
  lhs: TensorLike,
  filterShape: readonly number[],
  windowStrides: readonly number[],
  padding: NonNullable<ConvOptions["padding"]>,
  options: PatchesOptions = {},
): Tensor {
  const name = "convGeneralDilatedPatches";
  checkOptions(name, options, { lhsDilation: true, rhsDilation: true, dimensionNumbers: true, precision: true });
  const image = asTensor(lhs, name);
  const window = checkShape(name, filterShape);
  if (image.ndim < 2 || window.length !== image.ndim - 2 || window.includes(0))
    throw new ArgumentError(
      `${name}: a window ${shapeText(window)} for ${image.ndim} axes; a whole number ≥ 1 for each axis but two is needed`,
    );
  const numbers: unknown = options.dimensionNumbers ?? ["NC", "OI"];
  const [left, right] = Array.isArray(numbers) ? numbers.map(String) : [];
  const [channel, out, inner] = [left?.indexOf("C") ?? -1, right?.indexOf("O") ?? -1, right?.indexOf("I") ?? -1];
  if (Math.min(channel, out, inner) < 0)
    throw new ArgumentError(
      `${name}: dimensionNumbers ${JSON.stringify(numbers)} name no C, O or I; expected ones like ["NHWC", "HWIO", "NHWC"]`,
    );
  const [channels, size] = [at(image.shape, channel), sizeOf(window)];
  // For each channel a window for each of its elements, which is 1 there.
  const ones = broadcastTo(convert(identity(size), image.dtype), [channels, size, size]);
  const windows = reshape(ones, [channels * size, 1, ...window]);
  let next = 2;
  const order = windows.shape.map((_, axis) => (axis === out ? 0 : axis === inner ? 1 : next++));
  const rhs = transpose(windows, order);
  return convGeneralDilated(image, rhs, { ...options, windowStrides, padding, featureGroupCount: channels });
}

/**
 * A convolution whose window has weights of its own at each place of the result: rhs has the result's spatial extents in place of
 * the window's, and its channel axis holds each of lhs' channels with the window's elements, as convGeneralDilatedPatches does.
 * Source: lax.conv_general_dilated_local.
 *
 * @throws ShapeError when shapes do not fit, ArgumentError for a window of other than one extent for each spatial axis.
 * @example
 * const weights = array([[[1, 0], [1, 2]]]); // of features, window elements and places
 * await convGeneralDilatedLocal(array([[[1, 2, 3]]]), weights, [1], "VALID", [2]).toArray(); // [[[3, 6]]]
 */
export function convGeneralDilatedLocal(
  lhs: TensorLike,
  rhs: TensorLike,
  windowStrides: readonly number[],
  padding: NonNullable<ConvOptions["padding"]>,
  filterShape: readonly number[],
  options: PatchesOptions = {},
): Tensor {
  const name = "convGeneralDilatedLocal";
  checkOptions(name, options, { lhsDilation: true, rhsDilation: true, dimensionNumbers: true, precision: true });
  const weights = asTensor(rhs, name);
  const layout = layoutOf(name, weights.ndim, options.dimensionNumbers);
  const patches = convGeneralDilatedPatches(lhs, filterShape, windowStrides, padding, options);
  const [batch = 0, channel = 1, ...places] = layout.out;
  const [, inner = 1, ...own] = layout.rhs;
  const pairs = places.map((axis, k) => [axis, at(own, k)] as const).sort(([a], [b]) => a - b);
  const along = [pairs.map(([axis]) => axis), pairs.map(([, axis]) => axis)] as const;
  const y = dotGeneral(patches, weights, [[[channel], [inner]], along], { precision: options.precision ?? null });
  let next = 0;
  const order = y.shape.map((_, axis) => (axis === batch ? y.ndim - 2 : axis === channel ? y.ndim - 1 : next++));
  return transpose(y, order);
}
