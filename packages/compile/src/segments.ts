import { executor, type Tensor } from "@jnx/tensor";
import { literal, type Storage } from "@jnx/tensor/internal";
import { Capture } from "./capture.ts";
import { evaluateNodes } from "./control/closed.ts";
import { deviceCallOf } from "./control/device-call.ts";
import { GateProgram, ifEqual, STATE_BYTES, type GateBuffers, type GateSpec } from "./control/gate.ts";
import { liveNodes, operandsOf, type Graph, type GraphCall, type GraphNode } from "./graph.ts";
import { ownStorage } from "./own-storage.ts";
import { CompiledGraph, type RunOptions } from "./program.ts";
import { printGraph } from "./print.ts";
import type { ProgramReport } from "./report.ts";

/** What a step cache keeps: something that computes a graph's outputs. */
export interface Runnable {
  readonly report: ProgramReport;
  run(inputs: readonly Tensor[], options?: RunOptions): Tensor[];
  /** Compiles all pipelines at once. */
  warmup(): Promise<void>;
  dispose(): void;
}

/** A graph, compiled: in one piece, or around the loops and choices that it calls. With a gate it runs under a condition. */
export function compileGraph(graph: Graph, donated: readonly boolean[], label: string, gate?: GateSpec): Runnable {
  const calls = liveNodes(graph.outputs).some((node) => node.kind === "result");
  return calls ? new SegmentedGraph(graph, label, gate) : new CompiledGraph(graph, donated, label, gate);
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
  readonly #region: { readonly gate: GateProgram; readonly scratch: Storage } | undefined;

  constructor(graph: Graph, label: string, gate: GateSpec | undefined) {
    this.#graph = graph;
    this.#label = label;
    this.#segments = segmentsOf(graph, label, gate !== undefined);
    this.#region = gate && {
      gate: new GateProgram(gate, label),
      scratch: ownStorage(STATE_BYTES, `${label} (state)`),
    };
  }

  get report(): ProgramReport {
    const parts = this.#segments.flatMap(({ compiled }) => compiled?.report ?? []);
    const calls = this.#segments.flatMap((segment) => segment.calls.map(({ call }) => call));
    return { ...withCalls(parts, calls, this.#region === undefined ? 0 : 1), graph: printGraph(this.#graph) };
  }

  run(inputs: readonly Tensor[], options: RunOptions = { flush: true }): Tensor[] {
    const values = new Map<GraphNode, Tensor>(this.#graph.inputs.flatMap((node, k) => pair(node, inputs[k])));
    const of = (node: GraphNode): Tensor => {
      const value = values.get(node) ?? fixed(node);
      if (value === undefined) throw new Error(`jnx internal error: ${this.#label} lacks a value between two pieces`);
      return value;
    };
    const given = new Map(this.#graph.outputs.map((node, k) => [node, options.into?.[k]] as const));
    const gate = this.#open(options.gate);
    const within = gate === undefined ? {} : { gate };
    for (const { reads, writes, compiled, calls } of this.#segments) {
      const into = writes.map((node) => given.get(node));
      const made = compiled?.run(reads.map(of), { flush: false, into, ...within });
      made?.forEach((tensor, k) => pair(writes[k], tensor).forEach(([node, value]) => values.set(node, value)));
      for (const { call, results } of calls) {
        const operands = call.inputs.map(of);
        const outputs = deviceCallOf(call.op)?.run(operands, gate?.region) ?? call.op.run(operands);
        for (const node of results) {
          const output = node.kind === "result" ? outputs[node.index] : undefined;
          if (output !== undefined) values.set(node, output);
        }
      }
    }
    if (options.flush) executor().flush();
    return this.#graph.outputs.map(of);
  }

  async warmup(): Promise<void> {
    const calls = this.#segments.flatMap((segment) => segment.calls.map(({ call }) => deviceCallOf(call.op)));
    await Promise.all([
      ...this.#segments.map(({ compiled }) => compiled?.warmup()),
      ...calls.map((call) => call?.warmup()),
    ]);
  }

  /** Decides once whether all pieces run: what they are gated by. */
  #open(outer: GateBuffers | undefined): GateBuffers | undefined {
    if (this.#region === undefined || outer === undefined) return undefined;
    this.#region.gate.run(outer);
    return { region: outer.state, choice: outer.state, state: this.#region.scratch.buffer() };
  }

  dispose(): void {
    for (const { compiled } of this.#segments) compiled?.dispose();
    this.#region?.gate.dispose();
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

/** Pieces and what they call, in sum: a body counts as often as it is queued, its pipelines once. */
function withCalls(parts: readonly ProgramReport[], calls: readonly GraphCall[], gates: number): ProgramReport {
  const costs = calls.flatMap(({ op }) => deviceCallOf(op)?.cost() ?? []);
  const all = [...parts.map((report) => ({ report, times: 1 })), ...costs.flatMap(({ bodies }) => bodies)];
  const sum = (of: (part: ProgramReport) => number): number =>
    all.reduce((total, { report, times }) => total + times * of(report), 0);
  return {
    dispatches: sum(({ dispatches }) => dispatches) + gates + costs.reduce((total, cost) => total + cost.gates, 0),
    pipelines: all.reduce((total, { report }) => total + report.pipelines, 0),
    bytesMoved: sum(({ bytesMoved }) => bytesMoved),
    temporaryBytes: all.reduce((total, { report }) => total + report.temporaryBytes, 0),
    kernels: all.flatMap(({ report, times }) =>
      report.kernels.map((line) => (times === 1 ? line : `${times} × ${line}`)),
    ),
    graph: "",
  };
}

/** Ops by how many loops in a row they come after. */
function segmentsOf(graph: Graph, label: string, gated: boolean): Segment[] {
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
    return { writes, calls, ...piece(writes, (node) => at(node) < k || node.kind !== "op", label, gated) };
  });
}

/** The ops between borders as a graph of their own. */
function piece(
  writes: readonly GraphNode[],
  outside: (node: GraphNode) => boolean,
  label: string,
  gated: boolean,
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
  return {
    reads: list,
    compiled: new CompiledGraph(capture.finish(outputs), donated, label, gated ? ifEqual(1) : undefined),
  };
}
