import { checkDType, packedBits, type DType } from "../../dtype.ts";
import { DtypeError } from "../../errors.ts";
import type { Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { composite } from "../composite.ts";
import { convert } from "../convert.ts";
import { literal } from "../create.ts";
import { finfo } from "../dtypes.ts";
import { add, clip, div, erf, erfInv, maximum, mul, sub } from "../elementwise.ts";
import { rightShift } from "../logic.ts";
import { nextafter } from "../rounding.ts";
import { bitsOp, draw } from "./draw.ts";
import type { KeyArray } from "./key-array.ts";

/** Draws in float16 and bfloat16 as JAX makes them: of fewer random bits, every step rounded to the dtype. */

/** The dtypes that draws of floats come in. */
export type FloatDType = "float32" | "float16" | "bfloat16";

export interface DrawOptions {
  /** float32 unless told. */
  readonly dtype?: FloatDType;
}

/** The dtype that was asked for, if it is one of 16 bits. */
export function halfDType(name: string, { dtype = "float32" }: DrawOptions): DType | undefined {
  const checked = checkDType(name, dtype);
  if (checked === "float32") return undefined;
  if (checked === "float16" || checked === "bfloat16") return checked;
  throw new DtypeError(`random.${name}: the dtype must be float32, float16 or bfloat16, received ${dtype}`);
}

/** Uniform on [low, high): max(low, u · (high − low) + low) of a u with as many bits as the dtype's fraction. */
export function halfUniform(source: KeyArray, shape: Shape, dtype: DType, low: Tensor, high: Tensor): Tensor {
  return composite("uniform", () => {
    const { nmant } = finfo(dtype);
    // JAX draws 8 bits where the fraction has fewer.
    const width = nmant < 8 ? 8 : (packedBits(dtype) ?? 16);
    const kept = rightShift(draw(bitsOp, source, shape, [], width), width - nmant);
    const [from, to] = [convert(low, dtype), convert(high, dtype)];
    return maximum(from, add(mul(mul(convert(kept, dtype), 2 ** -nmant), sub(to, from)), from));
  });
}

/** √2 · erfInv(u) of a uniform u on (−1, 1). */
export function halfNormal(source: KeyArray, shape: Shape, dtype: DType): Tensor {
  const low = literal(finfo(dtype).epsneg - 1, [], dtype);
  return composite("normal", () =>
    mul(erfInv(halfUniform(source, shape, dtype, low, literal(1, [], dtype))), Math.SQRT2),
  );
}

/** √2 · erfInv(u) of a uniform u between the bounds' erf, kept inside the bounds. */
export function halfTruncated(source: KeyArray, shape: Shape, dtype: DType, low: Tensor, high: Tensor): Tensor {
  const [lower, upper] = [convert(low, dtype), convert(high, dtype)];
  return composite("truncatedNormal", () => {
    const edge = (bound: Tensor): Tensor => erf(div(bound, Math.SQRT2));
    const x = mul(erfInv(halfUniform(source, shape, dtype, edge(lower), edge(upper))), Math.SQRT2);
    return clip(x, nextafter(lower, Infinity), nextafter(upper, -Infinity));
  });
}
