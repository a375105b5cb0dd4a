import { astype, promote, reshape, type DType, type Shape, type Tensor } from "@jnx/tensor";
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

/** Operands in one dtype: the one asked for, or their common one, integers becoming float32. */
export function promoteDtype<T extends readonly (Tensor | undefined)[]>(operands: T, dtype: DType | undefined): T {
  const present = operands.filter((operand) => operand !== undefined);
  const common = dtype ?? promote(present).dtype;
  const target = dtype ?? (isFloat(common) ? common : "float32");
  // Element by element the same kind: an array stays one, undefined stays undefined.
  return operands.map((operand) => operand && astype(operand, target)) as unknown as T;
}

/** An initializer that is asked for another shape of as many elements: what counts as one axis to it is one. */
export function flattened(init: Initializer, flat: Shape): Initializer {
  return (key, shape, dtype) => {
    const made: unknown = init(key, flat, dtype);
    if (!(made instanceof VariableMetadata)) return reshape(made as Tensor, shape); // an initializer's Tensor
    // Variables unpack it, and nothing else is done with what initializers give.
    return new VariableMetadata(reshape(made.rawValue as Tensor, shape), made.metadata) as unknown as Tensor;
  };
}
