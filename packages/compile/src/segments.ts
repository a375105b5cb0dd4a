import { executor, type Tensor } from "@jnx/tensor";
import { literal, sizeOf, type Storage } from "@jnx/tensor/internal";
import { Capture } from "./capture.ts";
import { freeRooms } from "./control/buffers.ts";
import { evaluateNodes } from "./control/closed.ts";
import { deviceCallOf } from "./control/device-call.ts";
import { stored } from "./control/stored.ts";
import { GateProgram, ifEqual, STATE_BYTES, type GateBuffers, type GateSpec } from "./control/gate.ts";
import { liveNodes, operandsOf, type Graph, type GraphCall, type GraphNode } from "./graph.ts";
import { ownStorage } from "./own-storage.ts";
import { CompiledGraph, type RunOptions } from "./program.ts";
import { printGraph } from "./print.ts";
import type { ProgramReport } from "./report.ts";

/** What a step cache keeps: something that computes a graph's outputs. */
export interface Runnable {
  readonly report: ProgramReport;
  /** True for outputs that are written into the buffer of the input of their index. */
  readonly inPlace: readonly boolean[];
  run(inputs: readonly Tensor[], options?: RunOptions): Tensor[];
  /** Compiles all pipelines at once. */
  warmup(): Promise<void>;
  dispose(): void;
}

/**
 * A graph, compiled: in one piece, or around the loops and choices that it calls. Outputs may take over donated inputs. Those of a
 * loop's or choice's `body` go where whoever runs it says, or each into the input of its own index. With a gate it runs under a
 * condition.
 */
export function compileGraph(
  graph: Graph,
  donated: readonly boolean[],
  label: string,
  gate?: GateSpec,
  body = false,
): Runnable {
  const calls = liveNodes(graph.outputs).some((node) => node.kind === "result");
  if (!calls) return new CompiledGraph(graph, donated, label, gate, body);
  return new SegmentedGraph(graph, donated, { label, gate, body });
}

interface Segment {
  readonly reads: readonly GraphNode[];
  readonly writes: readonly GraphNode[];
  readonly compiled: CompiledGraph | undefined;
  /** What was made on the way, and is read by nobody once the piece has run. */
  readonly dead: readonly GraphNode[];
  /** Loops that run once the piece has. */
  readonly calls: readonly SegmentCall[];
}

interface SegmentCall {
  readonly call: GraphCall;
  readonly results: readonly GraphNode[];
  /** Which of its inputs nobody reads afterwards. */
  readonly free: readonly boolean[];
  readonly dead: readonly GraphNode[];
}

interface SegmentOptions {
  readonly label: string;
  readonly gate: GateSpec | undefined;
  /** True if whoever runs it says where its outputs go: they cannot take anything over then. */
  readonly body: boolean;
}

/**
 * A graph with loops: pieces between them are compiled as any graph is, loops run between the pieces, and all of it is
 * queued without waiting for the device, as one submission. Values that cross a border are stored; whoever reads one last may
 * write its own result there.
 */
class SegmentedGraph implements Runnable {
  readonly inPlace: readonly boolean[];
  readonly #graph: Graph;
  readonly #segments: readonly Segment[];
  readonly #label: string;
  readonly #region: { readonly gate: GateProgram; readonly scratch: Storage } | undefined;

  constructor(graph: Graph, donated: readonly boolean[], { label, gate, body }: SegmentOptions) {
    this.inPlace = graph.outputs.map(() => false);
    this.#graph = graph;
    this.#label = label;
    this.#segments = segmentsOf(graph, body ? [] : donated, { label, gate, body });
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
    if (!options.flush) return this.#queue(inputs, options);
    const outputs = executor().together(() => this.#queue(inputs, options));
    executor().flush();
    return outputs;
  }

  #queue(inputs: readonly Tensor[], options: RunOptions): Tensor[] {
    const values = new Map<GraphNode, Tensor>(this.#graph.inputs.flatMap((node, k) => pair(node, inputs[k])));
    const of = (node: GraphNode): Tensor => {
      const value = values.get(node) ?? fixed(node);
      if (value === undefined) throw new Error(`jnx internal error: ${this.#label} lacks a value between two pieces`);
      return value;
    };
    const given = new Map(this.#graph.outputs.map((node, k) => [node, options.into?.[k]] as const));
    const gate = this.#open(options.gate);
    const within = gate === undefined ? {} : { gate };
    const bury = (nodes: readonly GraphNode[]): void => {
      freeRooms(
        nodes.flatMap((node) => values.get(node) ?? []),
        "a compiled function has gone past this value",
      );
    };
    for (const { reads, writes, compiled, dead: read, calls } of this.#segments) {
      const into = writes.map((node) => given.get(node));
      const made = compiled?.run(reads.map(of), { flush: false, into, ...within });
      made?.forEach((tensor, k) => pair(writes[k], tensor).forEach(([node, value]) => values.set(node, value)));
      bury(read);
      for (const { call, results, free, dead } of calls) {
        const operands = call.inputs.map(of);
        const outputs = deviceCallOf(call.op)?.run(operands, gate?.region, free) ?? call.op.run(operands);
        bury(dead);
        for (const node of results) {
          const output = node.kind === "result" ? outputs[node.index] : undefined;
          if (output !== undefined) values.set(node, output);
        }
      }
    }
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
    flops: sum(({ flops }) => flops),
    bytesAtBorders: sum(({ bytesAtBorders }) => bytesAtBorders),
    temporaryBytes: all.reduce((total, { report }) => total + report.temporaryBytes, 0),
    kernels: all.flatMap(({ report, times }) =>
      report.kernels.map((line) => (times === 1 ? line : `${times} × ${line}`)),
    ),
    graph: "",
  };
}

/** Ops by how many loops in a row they come after. */
function segmentsOf(graph: Graph, donated: readonly boolean[], options: SegmentOptions): Segment[] {
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
  const numbers = new Map<GraphNode, number>();
  for (const node of live)
    for (const operand of node.kind === "result" ? operandsOf(node) : [])
      if (operand.kind === "literal" && sizeOf(operand.shape) > 0)
        numbers.set(operand, Math.min(at(node) - 1, numbers.get(operand) ?? last));
  const parts = Array.from({ length: last + 1 }, (_, k) => {
    // What calls read is in memory, numbers too: written by a kernel, for a write from the host would split the submission.
    const writes = [...crossing].filter((node) => (node.kind === "op" ? at(node) : numbers.get(node)) === k);
    const byCall = new Map<GraphCall, GraphNode[]>();
    for (const node of live)
      if (node.kind === "result" && at(node) === k + 1) byCall.set(node.call, [...(byCall.get(node.call) ?? []), node]);
    const reads = readsOf(writes, (node) => at(node) < k || node.kind !== "op");
    return { writes, reads, calls: [...byCall].map(([call, results]) => ({ call, results })) };
  });
  const lives = new Lifetimes(graph, parts, donated);
  const placed = (writes: readonly GraphNode[]): boolean =>
    options.body && writes.some((node) => graph.outputs.includes(node));
  return parts.map(({ writes, reads, calls }) => ({
    writes,
    reads,
    dead: lives.deadAfter(reads),
    compiled: piece(writes, reads, placed(writes) ? [] : lives.freeFor(reads), options),
    calls: calls.map(({ call, results }) => ({
      call,
      results,
      free: lives.freeFor(call),
      dead: lives.deadAfter(call),
    })),
  }));
}

/** Who reads in a piece's turn: the piece, then the calls after it. */
interface Readers {
  readonly reads: readonly GraphNode[];
  readonly calls: readonly { readonly call: GraphCall }[];
}

/** Who reads each value last: a piece, named by its reads, or a call. */
class Lifetimes {
  readonly #last = new Map<GraphNode, object>();
  readonly #own: (node: GraphNode) => boolean;

  constructor({ inputs, outputs }: Graph, parts: readonly Readers[], donated: readonly boolean[]) {
    const kept = new Set<GraphNode>([...outputs, ...inputs.filter(({ index }) => donated[index] !== true)]);
    this.#own = (node) => !kept.has(node) && node.kind !== "constant";
    for (const { reads, calls } of parts) {
      for (const node of reads) this.#last.set(node, reads);
      for (const { call } of calls) for (const node of call.inputs) this.#last.set(node, call);
    }
  }

  /** Which operands of a reader are its to overwrite. */
  freeFor(reader: readonly GraphNode[] | GraphCall): boolean[] {
    const list = "op" in reader ? reader.inputs : reader;
    return list.map(
      (node) => this.#own(node) && this.#last.get(node) === reader && list.indexOf(node) === list.lastIndexOf(node),
    );
  }

  /** What was made on the way and is read by nobody after this reader. */
  deadAfter(reader: readonly GraphNode[] | GraphCall): GraphNode[] {
    return [...new Set("op" in reader ? reader.inputs : reader)].filter(
      (node) => node.kind !== "input" && this.#own(node) && this.#last.get(node) === reader,
    );
  }
}

/** The values that ops between borders start from. */
function readsOf(writes: readonly GraphNode[], outside: (node: GraphNode) => boolean): readonly GraphNode[] {
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
  return [...reads];
}

/** The ops between borders as a graph of their own. */
function piece(
  writes: readonly GraphNode[],
  reads: readonly GraphNode[],
  free: readonly boolean[],
  { label, gate }: SegmentOptions,
): CompiledGraph | undefined {
  if (writes.length === 0) return undefined;
  const capture = new Capture(label);
  const known = new Map(reads.map((node, index) => [node, capture.input(index, node)] as const));
  const outputs = capture.run(() =>
    evaluateNodes(writes, [], known).map((x, k) => (writes[k]?.kind === "literal" ? stored(x, k) : x)),
  );
  return new CompiledGraph(capture.finish(outputs), free, label, gate && ifEqual(1));
}
