import { JnxError } from "@jnx/tensor";

/**
 * A Variable was written from another trace than the one it belongs to: inside `jit` or `grad`, but not passed to it
 * as an argument; or after the trace that made it had ended. Pass the object that holds it as an argument.
 */
export class TraceContextError extends JnxError {
  override name = "TraceContextError";
}

/** A GraphDef, a State and an object do not belong together: leaves are missing, left over, or of the wrong kind. */
export class GraphError extends JnxError {
  override name = "GraphError";
}
