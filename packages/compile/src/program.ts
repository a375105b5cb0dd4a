import {
  contiguous,
  debugLevel,
  deviceStorage,
  literal,
  Storage,
  contiguousView,
  sizeOf,
  BYTES_PER_ELEMENT,
  bytesOf,
  type DeviceBuffer,
  type Program,
  type View,
} from "@jnx/tensor/internal";
import { executor, Tensor, type Aval, type Executor } from "@jnx/tensor";
import { planGraph, type Built } from "./build.ts";
import { Gate, type GateBuffers, type GateSpec } from "./control/gate.ts";
import { labelOf } from "./emit.ts";
import { groupInputs, members } from "./group.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { ownStorage } from "./own-storage.ts";
import type { MemoryPlan } from "./plan.ts";
import { printGraph } from "./print.ts";
import { flopsOf } from "./flops.ts";
import type { ProgramReport } from "./report.ts";

/** How a program is run, where it is part of a larger one. */
export interface RunOptions {
  /** False to queue it only. */
  readonly flush: boolean;
  /** For a gated program, what decides whether it runs. */
  readonly gate?: GateBuffers;
  /** Arrays that results are written into, by their place among them. */
  readonly into?: readonly (Tensor | undefined)[];
}

const AT_ONCE: RunOptions = { flush: true };

/** Results up to this many lie in parts of larger buffers, each apart from all others of the program. */
const FEW = 4;

/** What is known of an output before the program runs. */
interface MadeOutput {
  readonly node: GraphNode;
  readonly aval: Aval;
  readonly slot: number;
  readonly bytes: number;
  readonly view: View;
  /** True if no kernel writes it. */
  readonly empty: boolean;
}

/** A captured graph, fused, planned and linked: ready to be replayed as one submission. */
export class CompiledGraph {
  readonly graph: Graph;
  readonly #built: Built;
  readonly #gate: Gate | undefined;
  #report: ProgramReport | undefined;
  readonly #made: readonly MadeOutput[];
  readonly #plan: MemoryPlan;
  readonly #program: Program;
  readonly #label: string;
  readonly #executor: Executor;
  /** Its own memory, by slot: what it needs on the way, and the constants. */
  readonly #temporaries = new Map<number, Storage>();
  readonly #constants = new Map<number, Storage>();
  readonly #own: readonly (readonly [number, Storage])[];

  /**
   * `donated` are the indices of inputs whose buffers the outputs may take over, with `inPlace` each only that of its own index;
   * with a gate it runs under a condition.
   */
  constructor(graph: Graph, donated: readonly boolean[], label: string, gate?: GateSpec, inPlace = false) {
    this.graph = graph;
    this.#executor = executor();
    this.#label = label;
    const computed = { ...graph, outputs: [...new Set(graph.outputs.filter((node) => node.kind === "op"))] };
    // An input that is handed out again must keep its contents.
    const returned = new Set(graph.outputs);
    const free = graph.inputs.filter((input) => donated[input.index] === true && !returned.has(input));
    const given = inPlace
      ? new Map(free.map((input) => [input.id, graph.outputs[input.index]?.id ?? -1]))
      : new Set(free.map((input) => input.id));
    const built = planGraph(computed, given, this.#executor.limits, (kernel) => this.#compileEarly(kernel));
    this.#built = built;
    this.#plan = built.plan;
    const steps = built.steps.map((step) => ({ kind: "launch" as const, ...step }));
    this.#gate = gate && new Gate(gate, steps, built.slotCount, label);
    const slots = built.slotCount + (this.#gate?.slots ?? 0);
    this.#program = this.#executor.createProgram(this.#gate?.steps ?? steps, slots, label);
    for (const [slot, bytes] of built.temporaries)
      this.#temporaries.set(slot, ownStorage(bytes, `${label} (temporary)`));
    this.#findConstants();
    this.#own = [...this.#constants, ...this.#temporaries];
    this.#made = graph.outputs.map((node) => this.#known(node));
    if (debugLevel() >= 2) console.log(`jit ${label}:\n${this.report.kernels.join("\n")}`);
    if (debugLevel() >= 4) console.log(this.report.graph);
  }

  /** Made when it is asked for: the first call of a step should not wait for it. */
  get report(): ProgramReport {
    this.#report ??= reportOf(this.graph, this.#built, this.#gate !== undefined);
    return this.#report;
  }

  /** True for outputs that are written into the buffer of the input of their index. */
  get inPlace(): readonly boolean[] {
    return this.graph.outputs.map((node, k) => node.kind === "op" && this.#plan.slots.get(node.id) === k);
  }

  /** One that does not compile is an error of the run, which knows its op. */
  #compileEarly(kernel: Parameters<Executor["warmup"]>[0][number]): void {
    this.#executor.warmup([kernel]).catch(() => undefined);
  }

  #findConstants(): void {
    for (const node of this.graph.nodes) {
      const slot = node.kind === "constant" ? this.#plan.constants.get(node.id) : undefined;
      if (slot === undefined || node.kind !== "constant") continue;
      const settled = contiguous(node.tensor);
      const storage = deviceStorage(settled);
      storage.pins++;
      this.#constants.set(slot, storage);
    }
  }

  /** Runs the program: one submission. Donated inputs whose buffers were taken over are gone afterwards. */
  run(inputs: readonly Tensor[], { flush, gate, into }: RunOptions = AT_ONCE): Tensor[] {
    const buffers = new Array<DeviceBuffer | undefined>(this.#program.slots);
    const settled: (Storage | undefined)[] = [];
    for (let index = 0; index < inputs.length; index++) settled.push(this.#settle(inputs[index], index));
    // Not before: an op that settles one of them lets go of what small host-made arrays among the others had on the device.
    for (let index = 0; index < settled.length; index++) buffers[index] = settled[index]?.buffer();
    for (const [slot, storage] of this.#own) buffers[slot] = storage.buffer();
    const made = into && this.#place(into, buffers);
    if (gate !== undefined) this.#gate?.bind(buffers, gate);
    this.#allocate(buffers);
    this.#executor.replay(this.#program, this.#filled(buffers));
    // The device starts on it while the host goes on.
    if (flush) this.#executor.flush();
    return this.#collect(made ?? new Map(), inputs, settled, buffers);
  }

  /** New memory for results: of few, parts of larger buffers, which come with their bind groups. */
  #allocate(buffers: (DeviceBuffer | undefined)[]): void {
    const { fresh } = this.#plan;
    if (fresh.size === 0) return;
    const others = fresh.size <= FEW ? buffers.filter((buffer) => buffer !== undefined) : undefined;
    for (const [slot, bytes] of fresh) {
      if (buffers[slot] !== undefined) continue;
      const buffer = this.#executor.allocate(bytes, this.#label, others);
      buffers[slot] = buffer;
      others?.push(buffer);
    }
  }

  /** Binds the arrays that results are written into. */
  #place(into: readonly (Tensor | undefined)[], buffers: (DeviceBuffer | undefined)[]): Map<GraphNode, Tensor> {
    const made = new Map<GraphNode, Tensor>();
    into.forEach((target, k) => {
      const output = this.#made[k];
      if (target === undefined || output === undefined || output.slot < 0) return;
      buffers[output.slot] = deviceStorage(target).buffer();
      made.set(output.node, target);
    });
    return made;
  }

  async warmup(): Promise<void> {
    await this.#executor.warmup(this.#program.steps.flatMap((step) => (step.kind === "launch" ? [step.kernel] : [])));
  }

  /** The storage of an input as kernels expect it, row-major from its start; none for inputs that nothing reads. */
  #settle(input: Tensor | undefined, index: number): Storage | undefined {
    const node = this.graph.inputs[index];
    if (node === undefined || input === undefined || sizeOf(node.shape) === 0) return undefined;
    return deviceStorage(contiguous(input));
  }

  /** Slots that no kernel binds still need some buffer. */
  #filled(buffers: readonly (DeviceBuffer | undefined)[]): DeviceBuffer[] {
    let filler: DeviceBuffer | undefined;
    const filled: DeviceBuffer[] = [];
    for (let slot = 0; slot < buffers.length; slot++)
      filled.push(buffers[slot] ?? (filler ??= someOf(buffers) ?? ownStorage(BYTES_PER_ELEMENT, "filler").buffer()));
    return filled;
  }

  #collect(
    made: Map<GraphNode, Tensor>,
    inputs: readonly Tensor[],
    settled: readonly (Storage | undefined)[],
    buffers: readonly (DeviceBuffer | undefined)[],
  ): Tensor[] {
    return this.#made.map((output) => {
      const { node } = output;
      let tensor = made.get(node);
      if (tensor === undefined) made.set(node, (tensor = this.#output(output, inputs, settled, buffers)));
      return tensor;
    });
  }

  #known(node: GraphNode): MadeOutput {
    const { shape, dtype, weak } = node;
    const size = sizeOf(shape);
    const slot = this.#plan.slots.get(node.id) ?? -1;
    const empty = size === 0 || node.kind === "literal" || node.kind === "constant" || node.kind === "input";
    return {
      node,
      aval: { shape, dtype, weak },
      slot,
      bytes: bytesOf(dtype, size),
      view: contiguousView(shape),
      empty,
    };
  }

  #output(
    { node, aval, slot, bytes, view, empty }: MadeOutput,
    inputs: readonly Tensor[],
    settled: readonly (Storage | undefined)[],
    buffers: readonly (DeviceBuffer | undefined)[],
  ): Tensor {
    if (empty) return unmade(node, inputs);
    return new Tensor(aval, { kind: "device", storage: this.#storage(bytes, settled[slot], buffers[slot]), view });
  }

  /** Of an output: the donor's memory if there is one. */
  #storage(bytes: number, donor: Storage | undefined, buffer: DeviceBuffer | undefined): Storage {
    if (donor !== undefined)
      return donor.surrender(
        bytes,
        this.#label,
        "this tensor's memory was updated in place by a compiled step; read it before the step, or copy it",
      );
    if (buffer === undefined) throw new Error("jnx internal error: an output has no buffer");
    return Storage.around(buffer, bytes, this.#label);
  }

  /** Gives the program's memory back. */
  dispose(): void {
    this.#program.dispose();
    this.#gate?.dispose();
    for (const storage of this.#temporaries.values()) storage.free("the compiled program is gone");
    for (const storage of this.#constants.values()) storage.pins--;
  }
}

function someOf(buffers: readonly (DeviceBuffer | undefined)[]): DeviceBuffer | undefined {
  return buffers.find((buffer) => buffer !== undefined);
}

/** An output that no kernel writes. */
function unmade(node: GraphNode, inputs: readonly Tensor[]): Tensor {
  const { shape, dtype, weak } = node;
  if (node.kind === "literal") return literal(node.value, shape, dtype, weak);
  if (node.kind === "constant") return node.tensor;
  return (node.kind === "input" ? inputs[node.index] : undefined) ?? literal(0, shape, dtype);
}

function reportOf(graph: Graph, built: Built, gated: boolean): ProgramReport {
  const { order, steps, temporaries } = built;
  const costs = order.map((_, k) => costOf(graph, built, k));
  const sum = (of: (cost: GroupCost) => number): number => costs.reduce((total, cost) => total + of(cost), 0);
  return {
    dispatches: steps.length + Number(gated),
    pipelines: new Set(steps.map((step) => step.kernel.code)).size + Number(gated),
    flops: flopsOf(graph),
    bytesMoved: sum(({ moved }) => moved),
    bytesAtBorders: sum(({ atBorder }) => atBorder),
    temporaryBytes: [...temporaries.values()].reduce((total, bytes) => total + bytes, 0),
    kernels: order.map((group, k) => {
      const what = `${labelOf(group)} [${group.shape.join(",")}] makes ${members(group).length}`;
      return `${what}, ${costs[k]?.atBorder ?? 0} bytes`;
    }),
    graph: printGraph(graph),
  };
}

interface GroupCost {
  readonly moved: number;
  readonly atBorder: number;
}

/** What the k-th group reads and writes: at its border, and dispatch by dispatch. */
function costOf(graph: Graph, { order, fuser, plan, parts }: Built, k: number): GroupCost {
  const [group, part] = [order[k], parts[k]];
  if (group === undefined || part === undefined) return { moved: 0, atBorder: 0 };
  const crossing = [...groupInputs(group, fuser.inliner), ...(plan.writes.get(group) ?? []).map((node) => node.id)];
  // A slot that is read and overwritten is moved twice.
  const bySlot = new Map<number, number>(part.workspaces);
  let atBorder = 0;
  for (const id of crossing) {
    const [node, slot] = [graph.nodes[id], plan.slots.get(id)];
    if (node === undefined || slot === undefined) continue;
    const bytes = bytesOf(node.dtype, sizeOf(node.shape));
    atBorder += bytes;
    bySlot.set(slot, (bySlot.get(slot) ?? 0) + bytes);
  }
  const moved = part.steps
    .flatMap(({ slots }) => [...new Set(slots)])
    .reduce((sum, slot) => sum + (bySlot.get(slot) ?? 0), 0);
  return { moved, atBorder };
}
