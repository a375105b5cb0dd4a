import { contiguous, deviceStorage, sizeOf, Storage } from "@jnx/tensor/internal";
import { liveNodes } from "../graph.ts";
import { printGraph } from "../print.ts";
import type { Runnable } from "../segments.ts";
import { programOf } from "./bodies.ts";
import { readsOf, type CondSpec } from "./branch.ts";
import { room } from "./buffers.ts";
import type { DeviceCall } from "./device-call.ts";
import { alwaysActive, ifEqual, STATE_BYTES } from "./gate.ts";

/** Elementwise operations up to this many, on arrays up to this size, cost less than a gate: all branches run at once. */
const FEW_OPS = 32;
const FEW_ELEMENTS = 1024;

/** True if it costs less to run all branches in one kernel than to find out which to skip. */
export function isSmall({ branches }: CondSpec): boolean {
  const nodes = branches.flatMap(({ graph }) => liveNodes(graph.outputs));
  const ops = nodes.filter((node) => node.kind === "op");
  return (
    ops.length <= FEW_OPS &&
    nodes.every((node) => node.kind !== "result" && sizeOf(node.shape) <= FEW_ELEMENTS) &&
    ops.every(({ op }) => op.kind === "view" || (op.kind === "map" && op.expensive !== true))
  );
}

/** A choice on the device: every branch is queued behind a gate, and writes into the same memory if it is the one. */
export function condCall(spec: CondSpec): DeviceCall {
  const { name, branches, avals } = spec;
  const programs = (): Runnable[] =>
    branches.map(({ graph }, number) => programOf(graph, name, { gate: ifEqual(number) }));
  return {
    avals: () => avals,
    run: ([index, ...operands], region) => {
      if (index === undefined) throw new Error("jnx internal error: a choice lacks its number");
      const choice = deviceStorage(contiguous(index)).buffer();
      const into = avals.map((aval) => room(aval, name));
      programs().forEach((program, number) => {
        const state = new Storage(STATE_BYTES, `${name} (state)`);
        const gate = { region: region ?? alwaysActive(), choice, state: state.buffer() };
        program.run(readsOf(branches[number] ?? { reads: [] }, operands), { flush: false, gate, into });
        state.free("a choice was made");
      });
      return into;
    },
    cost: () => ({ bodies: programs().map(({ report }) => ({ report, times: 1 })), gates: 0 }),
    warmup: async () => {
      await Promise.all(programs().map((program) => program.warmup()));
    },
    graphs: () => branches.map(({ graph }) => graph),
    text: () =>
      branches
        .map(({ graph, reads }, k) => `\nbranch ${k} of operands ${reads.join(", ")}:\n${printGraph(graph)}`)
        .join(""),
  };
}
