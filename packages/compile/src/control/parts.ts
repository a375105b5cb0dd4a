import type { Aval } from "@jnx/tensor";
import type { ScanSpec } from "./loop.ts";

/** The operands of a loop, apart. */
export interface Parts<T> {
  readonly carry: readonly T[];
  readonly xs: readonly T[];
  readonly constants: readonly T[];
}

export function partsOf<T>({ carries, xs }: Pick<ScanSpec, "carries" | "xs">, list: readonly T[]): Parts<T> {
  return { carry: list.slice(0, carries), xs: list.slice(carries, carries + xs), constants: list.slice(carries + xs) };
}

/** One row of a stack, as a body sees it. */
export function rowAval({ shape, dtype, weak }: Aval): Aval {
  return { shape: shape.slice(1), dtype, weak };
}
