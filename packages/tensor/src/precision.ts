import { ArgumentError } from "./errors.ts";

/** JAX's names of how exact a product is to be: "default", "high", "highest", and what it also calls them. */
export type Precision =
  "default" | "bfloat16" | "fastest" | "high" | "bfloat16_3x" | "tensorfloat32" | "highest" | "float32";

/**
 * What products take as `precision`: a name, one for each operand, or null. Whatever it says, operands are multiplied and
 * added up in float32 here, which is what JAX calls "highest": nothing asks for less, and there is no more.
 * Source: jax.lax.PrecisionLike.
 */
export type PrecisionLike = Precision | readonly [Precision, Precision] | null;

const NAMES = "default bfloat16 fastest high bfloat16_3x tensorfloat32 highest float32".split(" ");

/**
 * A precision that there is.
 *
 * @throws ArgumentError for any other.
 */
export function checkedPrecision<P extends PrecisionLike | undefined>(name: string, precision: P): P {
  const known = (one: unknown): boolean => NAMES.includes(one as string); // whatever else is no name
  const pair = Array.isArray(precision) && precision.length === 2 && precision.every(known);
  if (precision === undefined || precision === null || pair || known(precision)) return precision;
  throw new ArgumentError(
    `${name}: precision is null, "${NAMES.join('", "')}" or two of these, one for each operand, received ${JSON.stringify(precision)}; all are made in float32`,
  );
}
