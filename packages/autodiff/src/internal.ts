/** For the other @jnx packages; no promise is made about anything here. */
export { checkFunction, checkScalar, matching, named, positionsOf, trace } from "./grad.ts";
export { Tape, zeroOf } from "./tape.ts";
export { Batch } from "./batch.ts";
export { Forward, transposeMany } from "./forward.ts";
export { batchExtent, batchFirst, type MappedLeaf } from "./axes.ts";
export { placed } from "./vmap.ts";
export { batchedCall } from "./call-batch.ts";
export { Result } from "./arguments.ts";
