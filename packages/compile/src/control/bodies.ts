import { bind, type MapOp } from "@jnx/tensor/internal";
import { executor, type Executor, type Tensor } from "@jnx/tensor";
import { Capture } from "../capture.ts";
import type { Graph } from "../graph.ts";
import { printGraph } from "../print.ts";
import { compileGraph, type Runnable } from "../segments.ts";
import { evaluateNodes } from "./closed.ts";
import type { GateSpec } from "./gate.ts";

/** Compiled bodies kept; the one unused for longest goes first. */
const BODIES_KEPT = 64;
const bodies = new WeakMap<Executor, Map<string, Runnable>>();
/** A graph's own, so that a loop of a compiled program does not print its body at every call. */
const compiled = new WeakMap<Graph, Map<string, { readonly owner: Executor; readonly runnable: Runnable }>>();

/**
 * A body's program, gated or not. Bodies that read the same compile once: an eager loop traces its function anew at every
 * call.
 */
export function programOf(body: Graph, label: string, gate?: GateSpec): Runnable {
  const owner = executor();
  const kind = gate === undefined ? label : `${label} ${gate.at} ${gate.mask} ${gate.which} ${gate.counting}`;
  const byKind = compiled.get(body) ?? new Map<string, { owner: Executor; runnable: Runnable }>();
  compiled.set(body, byKind);
  const own = byKind.get(kind);
  if (own?.owner === owner) return own.runnable;
  const known = bodies.get(owner) ?? new Map<string, Runnable>();
  bodies.set(owner, known);
  const settled = storedOutputs(body, label);
  const text = `${kind}: ${printGraph(settled)} ${body.inputs.map((input) => (input.weak ? "*" : ".")).join("")}`;
  const unread = body.inputs.map(() => false);
  const runnable = known.get(text) ?? compileGraph(settled, unread, label, gate);
  byKind.set(kind, { owner, runnable });
  known.delete(text);
  known.set(text, runnable);
  if (known.size > BODIES_KEPT) known.delete([...known.keys()][0] ?? "");
  return runnable;
}

/** The same value in memory of its own, whatever it is: an operand, a number, or what another result is already. */
const storeOp: MapOp<number> = {
  kind: "map",
  name: "store",
  infer: ([x]) => ({ shape: x?.shape ?? [], dtype: x?.dtype ?? "float32", weak: x?.weak ?? false }),
  wgsl: ([x = ""]) => x,
  vjp: (_context, ct) => [ct],
};

/** The graph with every result computed by it, each in its own memory; calls of no loop are made of their ops. */
function storedOutputs(body: Graph, label: string): Graph {
  const capture = new Capture(label);
  const symbols = body.inputs.map((input, k) => capture.input(k, input));
  const seen = new Set<object>();
  const outputs = capture.run(() =>
    evaluateNodes(body.outputs, symbols).map((output, k): Tensor => {
      const node = capture.nodeOf(output);
      if (node.kind === "op" && !seen.has(node)) {
        seen.add(node);
        return output;
      }
      return output.size === 0 ? output : bind(storeOp, [output], k);
    }),
  );
  return capture.finish(outputs);
}
