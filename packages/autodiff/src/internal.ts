/** For the other @jnx packages; no promise is made about anything here. */
export { checkScalar, positionsOf, trace } from "./grad.ts";
export { Tape, zeroOf } from "./tape.ts";
export { Batch } from "./batch.ts";
export { Forward, transposeMany } from "./forward.ts";
