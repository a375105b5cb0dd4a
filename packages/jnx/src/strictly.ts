import type { Tensor, TensorLike } from "@jnx/tensor";
import { checkAlike, type Kind } from "@jnx/tensor/internal";

/** The function for arrays of one dtype of a kind. Which op it is, others still see. */
export function strictly<F extends (...args: TensorLike[]) => Tensor>(name: string, of: F, kind: Kind): F {
  const run = (...args: TensorLike[]): Tensor => {
    checkAlike(name, kind, args);
    return of(...args);
  };
  // A function of the same arguments and, where there is one, with the same record.
  return Object.assign(run, "op" in of ? { op: of.op } : {}) as unknown as F;
}
