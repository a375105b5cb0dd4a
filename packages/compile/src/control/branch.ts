import type { Aval } from "@jnx/tensor";
import type { Graph } from "../graph.ts";

/** One of several functions of the same operands, and which of them it reads. */
export interface Branch {
  readonly graph: Graph;
  readonly reads: readonly number[];
}

/** A choice among branches of one type. A call's inputs are the number of the branch, then the operands. */
export interface CondSpec {
  readonly name: string;
  readonly branches: readonly Branch[];
  readonly avals: readonly Aval[];
}

/** The inputs of a branch among the operands of the choice. */
export function readsOf<T>({ reads }: Pick<Branch, "reads">, operands: readonly T[]): T[] {
  return reads.map((place) => {
    const operand = operands[place];
    if (operand === undefined) throw new Error("jnx internal error: a branch lacks an operand");
    return operand;
  });
}
