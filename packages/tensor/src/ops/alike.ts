import { isFloat, isInteger, type DType } from "../dtype.ts";
import { DtypeError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { asTensor, type TensorLike } from "./create.ts";

/** Kinds of dtypes that functions of lax are for. "power": a float to the power of such a one, or of a whole number. */
export type Kind = "float" | "integer" | "signed" | "number" | "bits" | "any" | "power";

const KINDS: Readonly<Record<Kind, { readonly what: string; readonly has: (dtype: DType) => boolean }>> = {
  float: { what: "floats", has: isFloat },
  power: { what: "floats", has: isFloat },
  integer: { what: "whole numbers", has: isInteger },
  signed: { what: "floats and signed whole numbers", has: (dtype) => dtype !== "bool" && !dtype.startsWith("u") },
  number: { what: "numbers", has: (dtype) => dtype !== "bool" },
  bits: { what: "whole numbers and bools", has: (dtype) => !isFloat(dtype) },
  any: { what: "all dtypes", has: () => true },
};

/**
 * Refuses arrays of several dtypes, and of those that are not of the kind, as jax.lax does. Numbers of JavaScript, and arrays
 * that are weakly typed because they come from such, have no kind of their own: they adapt to the arrays beside them.
 */
export function checkAlike(name: string, kind: Kind, args: readonly TensorLike[]): void {
  const arrays = args.map((x) => asTensor(x, name));
  const [base] = arrays;
  // A whole exponent is told apart from what is raised.
  const whole = kind === "power" && base !== undefined && arrays.slice(1).every(({ dtype }) => isInteger(dtype));
  const alike = whole ? [base] : arrays;
  const typed = alike.filter(({ weak, dtype }) => !weak || dtype === "bool");
  const dtype = (typed[0] ?? alike[0])?.dtype ?? "float32";
  const { what, has } = KINDS[kind];
  const stray = alike.find((x) => x.dtype !== dtype && !adapts(x, dtype));
  if (stray !== undefined)
    throw new DtypeError(
      `${name}: takes arrays of one dtype, received ${arrays.map((x) => x.dtype).join(" and ")}; convert one with astype(), or use the function of jnp`,
    );
  // Numbers alone become floats where floats are wanted.
  if (!has(dtype) && !(typed.length === 0 && has("float32") && dtype !== "bool"))
    throw new DtypeError(
      `${name}: takes ${what}, received ${dtype}; convert it with astype(), or use the function of jnp`,
    );
}

/** Whether a number without a dtype of its own can have this one. */
function adapts(x: Tensor, dtype: DType): boolean {
  return x.weak && x.dtype !== "bool" && dtype !== "bool" && (isFloat(dtype) || isInteger(x.dtype));
}
