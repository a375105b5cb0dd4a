/** jax.lax.linalg: the decompositions that jnp.linalg is made of. */
export { laxEigh as eigh, type LaxEighOptions } from "./eigen.ts";
export { cholesky, qr, triangularSolve } from "./linalg.ts";
export { svd } from "./svd.ts";
export { lu, luPivotsToPermutation } from "./lu.ts";
export {
  choleskyUpdate,
  householderProduct,
  ormqr,
  symmetricProduct,
  tridiagonalSolve,
  type OrmqrOptions,
  type SymmetricProductOptions,
} from "./reflections.ts";
