import { identityOf, type CallOp } from "@jnx/tensor/internal";
import { executor, type Executor, type Tensor } from "@jnx/tensor";
import { Capture } from "../capture.ts";
import { liveNodes, type Graph } from "../graph.ts";
import { printGraph } from "../print.ts";
import { compileGraph, type Runnable } from "../segments.ts";
import { evaluateNodes } from "./closed.ts";
import { deviceCallOf } from "./device-call.ts";
import type { GateSpec } from "./gate.ts";
import { keptBodies } from "./kept-bodies.ts";
import { stored } from "./stored.ts";

/** Compiled bodies kept; the one unused for longest goes first. */
const BODIES_KEPT = 64;
/** A graph's own, so that a loop of a compiled program does not print its body at every call. */
const compiled = new WeakMap<Graph, Map<string, { readonly owner: Executor; readonly runnable: Runnable }>>();

/** How a body's program is made. */
interface BodyOptions {
  /** With a gate it runs under a condition. */
  readonly gate?: GateSpec | undefined;
  /** So many inputs at the start may be overwritten, each by the output of its index. */
  readonly inPlace?: number;
}

/**
 * A body's program, gated or not. Bodies that read the same compile once: an eager loop traces its function anew at every
 * call.
 */
export function programOf(body: Graph, label: string, { gate, inPlace = 0 }: BodyOptions = {}): Runnable {
  const owner = executor();
  const gated = gate === undefined ? "" : ` ${gate.at} ${gate.mask} ${gate.which} ${gate.counting}`;
  const kind = `${label}${gated}${inPlace > 0 ? ` !${inPlace}` : ""}`;
  const byKind = compiled.get(body) ?? new Map<string, { owner: Executor; runnable: Runnable }>();
  compiled.set(body, byKind);
  const before = byKind.get(kind);
  if (before?.owner === owner) return before.runnable;
  const known = keptBodies.get(owner) ?? new Map<string, Runnable>();
  keptBodies.set(owner, known);
  const own = namedOnly(body);
  // A call of no loop is told by its name alone: its ops tell what it does. Within an inner loop it stays whole, and is itself alone.
  const settled = own.length === 0 ? body : storedOutputs(body, label);
  const whole = own.length === 0 ? [] : namedOnly(settled).map(identityOf);
  const text = `${kind}: ${printGraph(settled)} ${whole.join(",")} ${body.inputs.map((input) => (input.weak ? "*" : ".")).join("")}`;
  const given = body.inputs.map((_, k) => k < inPlace);
  const runnable = known.get(text) ?? compileGraph(storedOutputs(body, label), given, label, gate, true);
  byKind.set(kind, { owner, runnable });
  known.delete(text);
  known.set(text, runnable);
  if (known.size > BODIES_KEPT) known.delete([...known.keys()][0] ?? "");
  return runnable;
}

/** The calls in a graph, and in the bodies of its loops, of which its text says the name and no more. */
function namedOnly(graph: Graph): CallOp[] {
  const ops = new Set(liveNodes(graph.outputs).flatMap((node) => (node.kind === "result" ? [node.call.op] : [])));
  return [...ops].flatMap((op) => deviceCallOf(op)?.graphs().flatMap(namedOnly) ?? [op]);
}

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
      return output.size === 0 ? output : stored(output, k);
    }),
  );
  return capture.finish(outputs);
}
