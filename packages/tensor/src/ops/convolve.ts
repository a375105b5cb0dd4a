import { isFloat, promote } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { generalConv } from "./conv.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { flip, reshape } from "./movement.ts";
import type { PadPair } from "./padding.ts";
import { checkOptions } from "../options.ts";
import type { DotOptions } from "./contraction.ts";

const CONVOLVE_OPTIONS = { mode: true, precision: true, preferredElementType: true } as const;

export interface ConvolveOptions extends DotOptions {
  /** Every overlap (the default), as many as the longer operand has, or the whole ones alone. */
  readonly mode?: "full" | "same" | "valid";
}

function slide(name: string, a: TensorLike, v: TensorLike, options: ConvolveOptions): Tensor {
  const [left, right] = [asTensor(a, name), asTensor(v, name)];
  if (left.ndim !== 1 || right.ndim !== 1 || left.size * right.size === 0)
    throw new ShapeError(
      `${name}: takes two arrays of one axis with elements in them, received ${shapeText(left.shape)} and ${shapeText(right.shape)}`,
    );
  const { mode = name === "convolve" ? "full" : "valid", ...dot } = options;
  const swapped = left.size < right.size;
  const [long, short] = swapped ? [right, left] : [left, right];
  const { dtype } = promote([left, right]);
  const computed = isFloat(dtype) ? dtype : "float32";
  const window = name === "convolve" ? flip(short) : short;
  const y = generalConv(
    name,
    reshape(convert(long, computed), [1, 1, long.size]),
    reshape(convert(window, computed), [1, 1, short.size]),
    { ...dot, padding: [paddingOf(name, mode, at(short.shape, 0))] },
  );
  const flat = reshape(y, [y.size]);
  return name === "correlate" && swapped ? flip(flat) : flat;
}

function paddingOf(name: string, mode: string, window: number): PadPair {
  if (mode === "valid") return [0, 0];
  if (mode === "full") return [window - 1, window - 1];
  const before = Math.floor(window / 2);
  if (mode === "same") return [before, window - before - 1];
  throw new ArgumentError(`${name}: mode is "full", "same" or "valid", received ${JSON.stringify(mode)}`);
}

/**
 * Σⱼ a[j] · v[i − j] of two arrays of one axis; whole numbers become float32. Source: jnp.convolve.
 *
 * @throws ShapeError unless both have one axis and elements, ArgumentError for another mode.
 * @example await convolve(array([1, 2, 3]), array([0, 1, 0.5])).toArray(); // [0, 1, 2.5, 4, 1.5]
 */
export function convolve(a: TensorLike, v: TensorLike, options: ConvolveOptions = {}): Tensor {
  checkOptions("convolve", options, CONVOLVE_OPTIONS);
  return slide("convolve", a, v, options);
}

/**
 * Σⱼ a[i + j] · v[j] of two arrays of one axis, mode "valid" unless told. Source: jnp.correlate.
 *
 * @throws ShapeError unless both have one axis and elements, ArgumentError for another mode.
 * @example await correlate(array([1, 2, 3]), array([0, 1, 0.5])).toArray(); // [3.5]
 */
export function correlate(a: TensorLike, v: TensorLike, options: ConvolveOptions = {}): Tensor {
  checkOptions("correlate", options, CONVOLVE_OPTIONS);
  return slide("correlate", a, v, options);
}
