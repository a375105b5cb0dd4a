import { astype, promote, reshape } from "@jnx/tensor";
import type { AxisPairs, DType, PrecisionLike, Shape, Tensor } from "@jnx/tensor";
import { inArena, isFloat } from "@jnx/tensor/internal";
import type { Initializer } from "../initializers.ts";
import { VariableMetadata } from "../variable-metadata.ts";
import { Param } from "../variable-types.ts";
import type { Metadata } from "../variable.ts";

/** A parameter as a layer makes it. Nobody else holds its first value, so the first step may already update it in place. */
export function makeParam(
  init: Initializer,
  key: Tensor,
  shape: Shape,
  dtype: DType,
  metadata: Metadata | undefined,
): Param {
  // The Variable holds what must survive the arena.
  return inArena(
    "a layer's constructor",
    () => new Param(init(key, shape, dtype), metadata),
    () => [],
  );
}

/**
 * Brings operands to the dtype to compute in: the one asked for, or their common one. An operand that is undefined stays so.
 */
export type PromoteDtype = <T extends readonly (Tensor | undefined)[]>(operands: T, dtype: DType | undefined) => T;

/** The dtype of a layer's result: the one asked for, or the operands' common one, which is float32 for integers. */
export function commonDtype(operands: readonly (Tensor | undefined)[], dtype: DType | undefined): DType {
  if (dtype !== undefined) return dtype;
  const common = promote(operands.filter((operand) => operand !== undefined)).dtype;
  return isFloat(common) ? common : "float32";
}

/** Operands in one dtype: that of the result. */
export function promoteDtype<T extends readonly (Tensor | undefined)[]>(operands: T, dtype: DType | undefined): T {
  const target = commonDtype(operands, dtype);
  // Element by element the same kind: an array stays one, undefined stays undefined.
  return operands.map((operand) => operand && astype(operand, target)) as unknown as T;
}

/** Options that layers of a product share; a layer keeps them as they are given. */
export interface ProductOptions {
  /** How exact products are to be; all are made in float32, JAX's "highest", whatever it says. */
  readonly precision?: PrecisionLike | undefined;
  /** What brings operands to one dtype instead of the layer's own rule. */
  readonly promoteDtype?: PromoteDtype | undefined;
  /** The dtype to multiply and add up in, and of the product; that of the operands unless given. */
  readonly preferredElementType?: DType | undefined;
}

/** What a general product is told besides its operands and axes. */
export interface GeneralProductOptions {
  readonly precision?: PrecisionLike;
  readonly preferredElementType?: DType;
}

/** What a layer's options say of its products. */
export function generalOptions({ precision, preferredElementType }: ProductOptions): GeneralProductOptions {
  return {
    ...(precision !== undefined && { precision }),
    ...(preferredElementType !== undefined && { preferredElementType }),
  };
}

/** A function in the place of `lax.dotGeneral`: for products in another arithmetic, such as quantized ones. */
export type DotGeneral = (
  lhs: Tensor,
  rhs: Tensor,
  dimensionNumbers: readonly [contracting: AxisPairs, batch: AxisPairs],
  options: GeneralProductOptions,
) => Tensor;

/** An initializer that is asked for another shape of as many elements: what counts as one axis to it is one. */
export function flattened(init: Initializer, flat: Shape): Initializer {
  return (key, shape, dtype) => {
    const made: unknown = init(key, flat, dtype);
    if (!(made instanceof VariableMetadata)) return reshape(made as Tensor, shape); // an initializer's Tensor
    // Variables unpack it, and nothing else is done with what initializers give.
    return new VariableMetadata(reshape(made.rawValue as Tensor, shape), made.metadata) as unknown as Tensor;
  };
}
