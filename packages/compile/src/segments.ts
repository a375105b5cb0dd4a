import { executor, type Tensor } from "@jnx/tensor";
import { literal } from "@jnx/tensor/internal";
import { Capture } from "./capture.ts";
import { evaluateNodes } from "./control/closed.ts";
import { liveNodes, operandsOf, type Graph, type GraphCall, type GraphNode } from "./graph.ts";
import { CompiledGraph, type ProgramReport } from "./program.ts";
import { printGraph } from "./print.ts";

/** What a step cache keeps: something that computes a graph's outputs. */
export interface Runnable {
  readonly report: ProgramReport;
  run(inputs: readonly Tensor[], options?: { readonly flush: boolean }): Tensor[];
  dispose(): void;
}

/** A graph, compiled: in one piece, or around the loops that it calls. */
export function compileGraph(graph: Graph, donated: readonly boolean[], label: string): Runnable {
  const calls = liveNodes(graph.outputs).some((node) => node.kind === "result");
  return calls ? new SegmentedGraph(graph, label) : new CompiledGraph(graph, donated, label);
}

interface Segment {
  readonly reads: readonly GraphNode[];
  readonly writes: readonly GraphNode[];
  readonly compiled: CompiledGraph | undefined;
  /** Loops that run once the segment has. */
  readonly calls: readonly { readonly call: GraphCall; readonly results: readonly GraphNode[] }[];
}

/**
 * A graph with loops: pieces between them are compiled as any graph is, loops run between the pieces, and all of it is
 * queued without waiting for the device. Values that cross a border are stored.
 */
class SegmentedGraph implements Runnable {
  readonly #graph: Graph;
  readonly #segments: readonly Segment[];
  readonly #label: string;

  constructor(graph: Graph, label: string) {
    this.#graph = graph;
    this.#label = label;
    this.#segments = segmentsOf(graph, label);
  }

  get report(): ProgramReport {
    const parts = this.#segments.flatMap(({ compiled }) => (compiled === undefined ? [] : [compiled.report]));
    const sum = (of: (part: ProgramReport) => number): number => parts.reduce((total, part) => total + of(part), 0);
    const loops = this.#segments.flatMap(({ calls }) => calls.map(({ call }) => `${call.op.name}, a loop`));
    return {
      dispatches: sum((part) => part.dispatches),
      pipelines: sum((part) => part.pipelines),
      bytesMoved: sum((part) => part.bytesMoved),
      temporaryBytes: sum((part) => part.temporaryBytes),
      kernels: [...parts.flatMap((part) => part.kernels), ...loops],
      graph: printGraph(this.#graph),
    };
  }

  run(inputs: readonly Tensor[], options: { readonly flush: boolean } = { flush: true }): Tensor[] {
    const values = new Map<GraphNode, Tensor>(this.#graph.inputs.flatMap((node, k) => pair(node, inputs[k])));
    const of = (node: GraphNode): Tensor => {
      const value = values.get(node) ?? fixed(node);
      if (value === undefined) throw new Error(`jnx internal error: ${this.#label} lacks a value between two pieces`);
      return value;
    };
    for (const { reads, writes, compiled, calls } of this.#segments) {
      const made = compiled?.run(reads.map(of), { flush: false });
      made?.forEach((tensor, k) => pair(writes[k], tensor).forEach(([node, value]) => values.set(node, value)));
      for (const { call, results } of calls) {
        const outputs = call.op.run(call.inputs.map(of));
        for (const node of results) {
          const output = node.kind === "result" ? outputs[node.index] : undefined;
          if (output !== undefined) values.set(node, output);
        }
      }
    }
    if (options.flush) executor().flush();
    return this.#graph.outputs.map(of);
  }

  dispose(): void {
    for (const { compiled } of this.#segments) compiled?.dispose();
  }
}

function pair(node: GraphNode | undefined, value: Tensor | undefined): [GraphNode, Tensor][] {
  return node === undefined || value === undefined ? [] : [[node, value]];
}

/** The value of a leaf that every call shares. */
function fixed(node: GraphNode): Tensor | undefined {
  if (node.kind === "constant") return node.tensor;
  return node.kind === "literal" ? literal(node.value, node.shape, node.dtype, node.weak) : undefined;
}

/** Ops by how many loops in a row they come after. */
function segmentsOf(graph: Graph, label: string): Segment[] {
  const live = liveNodes(graph.outputs);
  const stage = new Map<GraphNode, number>();
  for (const node of live) {
    const before = Math.max(0, ...operandsOf(node).map((operand) => stage.get(operand) ?? 0));
    stage.set(node, node.kind === "result" ? before + 1 : before);
  }
  const last = Math.max(0, ...stage.values());
  const at = (node: GraphNode): number => stage.get(node) ?? 0;
  const crossing = new Set<GraphNode>(graph.outputs);
  for (const node of live)
    for (const operand of operandsOf(node)) if (node.kind === "result" || at(operand) < at(node)) crossing.add(operand);
  return Array.from({ length: last + 1 }, (_, k) => {
    const writes = [...crossing].filter((node) => node.kind === "op" && at(node) === k);
    const byCall = new Map<GraphCall, GraphNode[]>();
    for (const node of live)
      if (node.kind === "result" && at(node) === k + 1) byCall.set(node.call, [...(byCall.get(node.call) ?? []), node]);
    const calls = [...byCall].map(([call, results]) => ({ call, results }));
    return { writes, calls, ...piece(writes, (node) => at(node) < k || node.kind !== "op", label) };
  });
}

/** The ops between borders as a graph of their own. */
function piece(
  writes: readonly GraphNode[],
  outside: (node: GraphNode) => boolean,
  label: string,
): { reads: readonly GraphNode[]; compiled: CompiledGraph | undefined } {
  if (writes.length === 0) return { reads: [], compiled: undefined };
  const reads = new Set<GraphNode>();
  const seen = new Set<GraphNode>();
  const stack = [...writes];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.kind === "literal" || node.kind === "constant") continue;
    if (outside(node)) reads.add(node);
    else stack.push(...operandsOf(node));
  }
  const list = [...reads];
  const capture = new Capture(label);
  const known = new Map(list.map((node, index) => [node, capture.input(index, node)] as const));
  const outputs = capture.run(() => evaluateNodes(writes, [], known));
  const donated = list.map(() => false);
  return { reads: list, compiled: new CompiledGraph(capture.finish(outputs), donated, label) };
}
