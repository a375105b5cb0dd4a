import type { Tensor, TensorLike } from "@jnx/tensor";
import { checkAlike, type Kind } from "@jnx/tensor/internal";

/** The function for arrays of one dtype of a kind. All else of it, such as its record, is there as it was. */
export function strictly<F extends (...args: TensorLike[]) => Tensor>(name: string, of: F, kind: Kind): F {
  return new Proxy(of, {
    apply(target, _self, args: TensorLike[]) {
      checkAlike(name, kind, args);
      return target(...args);
    },
  });
}
