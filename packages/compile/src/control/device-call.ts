import type { CallOp, DeviceBuffer } from "@jnx/tensor/internal";
import type { Aval, Tensor } from "@jnx/tensor";
import type { Graph } from "../graph.ts";
import type { ProgramReport } from "../report.ts";

/** What a call that a capture keeps whole brings: how it runs, what it costs, and how it reads. */
export interface DeviceCall {
  avals(): readonly Aval[];
  /**
   * Queues it. `region` is the state of what encloses it: where that is not active nothing runs, and results are undefined.
   * `free` marks inputs that nobody reads afterwards: results may take their memory over.
   */
  run(inputs: readonly Tensor[], region: DeviceBuffer | undefined, free?: readonly boolean[]): Tensor[];
  /** Its bodies with how often each is queued, and dispatches of its own. */
  cost(): {
    readonly bodies: readonly { readonly report: ProgramReport; readonly times: number }[];
    readonly gates: number;
  };
  /** Compiles the pipelines of its bodies. */
  warmup(): Promise<void>;
  /** Its bodies, as `printGraph` shows them. */
  text(): string;
  /** Its bodies. */
  graphs(): readonly Graph[];
}

/** The device's part of a call, if it has one. */
export function deviceCallOf(op: CallOp): DeviceCall | undefined {
  // Calls with a `loop` are made in this folder alone, all of them with one of these.
  return op.loop as DeviceCall | undefined;
}
