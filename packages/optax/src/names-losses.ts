/** The losses under the names that optax.losses has them. */
export { softmaxCrossEntropy, softmaxCrossEntropyWithIntegerLabels } from "./losses.ts";
export * from "./losses-ctc.ts";
export * from "./losses-fenchel-young.ts";
export * from "./losses-more.ts";
export * from "./losses-regression.ts";
export * from "./losses-segmentation.ts";
export { multiclassSparsemaxLoss, sparsemaxLoss } from "./losses-sparse.ts";
