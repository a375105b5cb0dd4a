import { BYTES_PER_ELEMENT, bytesOf, isIdentity, sizeOf } from "@jnx/tensor/internal";
import type { Graph, GraphNode } from "./graph.ts";
import type { Fuser } from "./fuse.ts";
import { groupInputs, hookExprs, loadsOf, made, type Group, type Load } from "./group.ts";

/** Where a value lives while a program runs. Slots 0 … n−1 are the program's inputs. */
export interface MemoryPlan {
  /** The slot of every value that has memory, by node id. */
  readonly slots: ReadonlyMap<number, number>;
  readonly slotCount: number;
  /** Slots of closed-over tensors, by node id. */
  readonly constants: ReadonlyMap<number, number>;
  /** Slots that the program owns, with their bytes: values that live and die within one call, sharing memory in turn. */
  readonly temporaries: Map<number, number>;
  /** Slots of outputs that need a fresh buffer at every call, with their bytes. */
  readonly fresh: ReadonlyMap<number, number>;
  /** What each group must write: its members that someone outside needs. */
  readonly writes: ReadonlyMap<Group, readonly GraphNode[]>;
}

/**
 * Gives every stored value a slot. A value takes over the buffer of an operand that dies in its own kernel when it is
 * read there position for position: donated inputs (a Variable's old value) and temporaries alike. Other temporaries
 * share buffers as soon as the last reader of the former has run.
 */
export class Planner {
  readonly #graph: Graph;
  readonly #fuser: Fuser;
  readonly #order: readonly Group[];
  readonly #donated: ReadonlySet<number>;
  readonly #heirs: ReadonlyMap<number, number> | undefined;
  readonly #slots = new Map<number, number>();
  readonly #constants = new Map<number, number>();
  readonly #temporaries = new Map<number, number>();
  readonly #fresh = new Map<number, number>();
  readonly #writes = new Map<Group, readonly GraphNode[]>();
  readonly #lastUse = new Map<number, number>();
  /** The value that came into a temporary slot last. */
  readonly #holders = new Map<number, number>();
  /** Temporary slots whose value is dead, by their bytes; of one size the first that was free goes first. */
  readonly #free = new Map<number, number[]>();
  #next: number;

  /** `heirs`, if given, say which output alone may take over the buffer of a donated input. */
  constructor(
    graph: Graph,
    fuser: Fuser,
    order: readonly Group[],
    donated: ReadonlySet<number>,
    heirs?: ReadonlyMap<number, number>,
  ) {
    this.#heirs = heirs;
    this.#graph = graph;
    this.#fuser = fuser;
    this.#order = order;
    this.#donated = donated;
    this.#next = graph.inputs.length;
  }

  plan(): MemoryPlan {
    for (const input of this.#graph.inputs) this.#slots.set(input.id, input.index);
    for (const node of this.#fuser.inliner.nodes) {
      if (node.kind !== "constant") continue;
      this.#constants.set(node.id, this.#next);
      this.#slots.set(node.id, this.#next++);
    }
    this.#order.forEach((group, time) => {
      for (const id of groupInputs(group, this.#fuser.inliner)) this.#lastUse.set(id, time);
    });
    const outputs = new Set(this.#graph.outputs.map((node) => node.id));
    this.#order.forEach((group, time) => this.#place(group, time, outputs));
    return {
      slots: this.#slots,
      slotCount: this.#next,
      constants: this.#constants,
      temporaries: this.#temporaries,
      fresh: this.#fresh,
      writes: this.#writes,
    };
  }

  #place(group: Group, time: number, outputs: ReadonlySet<number>): void {
    const written = made(group).filter((node) => outputs.has(node.id) || this.#lastUse.has(node.id));
    this.#writes.set(group, written);
    const taken = new Set<number>();
    const loads = hookExprs(group).flatMap(loadsOf);
    for (const node of written) {
      const slot = this.#takeOver(group, loads, node, time, outputs, taken) ?? this.#allocate(node, outputs);
      this.#slots.set(node.id, slot);
      if (this.#temporaries.has(slot)) this.#holders.set(slot, node.id);
    }
    this.#release(group, time);
  }

  /** The slot of an operand that dies here and is read only where it would be overwritten. */
  #takeOver(
    group: Group,
    loads: readonly Load[],
    node: GraphNode,
    time: number,
    outputs: ReadonlySet<number>,
    taken: Set<number>,
  ): number | undefined {
    if (!group.roots.has(node) && group.lines?.full.has(node) !== true) return undefined;
    const fixed = this.#fixedReads(group);
    for (const { slot: id } of loads) {
      const slot = this.#slots.get(id);
      if (slot === undefined || taken.has(slot) || fixed.has(id) || outputs.has(id) || this.#lastUse.get(id) !== time)
        continue;
      const owner = this.#node(id);
      // An output may only move into a buffer that is the caller's to keep; a temporary only into a temporary.
      const fits = outputs.has(node.id) ? this.#inherits(id, node.id) : this.#temporaries.has(slot);
      // One binding has one element type, so a buffer is not taken over by another dtype.
      if (!fits || owner.dtype !== node.dtype || sizeOf(owner.shape) !== sizeOf(node.shape)) continue;
      if (!loads.every((load) => load.slot !== id || isIdentity(load.view))) continue;
      taken.add(slot);
      return slot;
    }
    return undefined;
  }

  #inherits(input: number, output: number): boolean {
    return this.#donated.has(input) && (this.#heirs === undefined || this.#heirs.get(input) === output);
  }

  /** Operands that the kernel reads elsewhere than in its store hook: they cannot be overwritten while it runs. */
  #fixedReads(group: Group): Set<number> {
    const { anchor } = group;
    if (anchor === undefined) return new Set();
    const bound = this.#fuser.inliner.operandsOf(anchor).map(({ node }) => node.id);
    const loaded =
      anchor.op.kind === "reduce"
        ? anchor.inputs.flatMap((input) => loadsOf(this.#fuser.inliner.read(input)).map((load) => load.slot))
        : [];
    return new Set([...bound, ...loaded]);
  }

  #allocate(node: GraphNode, outputs: ReadonlySet<number>): number {
    const bytes = Math.max(BYTES_PER_ELEMENT, bytesOf(node.dtype, sizeOf(node.shape)));
    if (outputs.has(node.id)) {
      this.#fresh.set(this.#next, bytes);
      return this.#next++;
    }
    return this.#temporary(bytes);
  }

  /** A slot of at least so many bytes that nothing live is in. */
  #temporary(bytes: number): number {
    const fits = [...this.#free].filter(([size, slots]) => size >= bytes && slots.length > 0).map(([size]) => size);
    const best = this.#free.get(Math.min(...fits))?.shift();
    if (best !== undefined) return best;
    this.#temporaries.set(this.#next, bytes);
    return this.#next++;
  }

  /** Frees what nobody reads after this group, unless it took it over. */
  #release(group: Group, time: number): void {
    for (const id of groupInputs(group, this.#fuser.inliner)) {
      const slot = this.#slots.get(id);
      if (slot === undefined || this.#holders.get(slot) !== id || this.#lastUse.get(id) !== time) continue;
      const bytes = this.#temporaries.get(slot) ?? 0;
      const free = this.#free.get(bytes);
      if (free === undefined) this.#free.set(bytes, [slot]);
      else free.push(slot);
    }
  }

  #node(id: number): GraphNode {
    const node = this.#graph.nodes[id];
    if (node === undefined) throw new Error(`jnx internal error: no node ${id}`);
    return node;
  }
}
