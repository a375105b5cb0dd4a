/** For the other @jnx packages; no promise is made about anything here. */
export { checkScalar, positionsOf, reach, trace } from "./grad.ts";
export { Tape } from "./tape.ts";
