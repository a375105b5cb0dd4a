import { contiguousView, isIdentity, remapExpr, sizeOf, type Expr, type MapOp, type View } from "@jnx/tensor/internal";
import { isAnchor, liveNodes, operandsOf, type Graph, type GraphNode, type OpNode } from "./graph.ts";
import { Sorted } from "./sorted.ts";

/** Above this many ops (an expensive op counts as many), a value used in several places is stored, not computed again. */
const RECOMPUTE_LIMIT = 16;
const EXPENSIVE = 1000;
/** No expression is a longer chain of ops than this: kernels stay of a size that drivers compile. */
const LONGEST = 256;
/** Up to this many elements, repeating a cheap computation for each beats a kernel that does it once. */
const FEW_REPETITIONS = 4096;

/** So many arrays always fit in beside what a reduction reads. */
const FEW_OPERANDS = 4;

/** A kernel's operand as it lies: the node whose buffer is bound, and how to walk it. */
export interface OperandRef {
  readonly node: GraphNode;
  readonly view: View;
}

/**
 * Which nodes get memory of their own, and the expression of everything else. Inputs, constants, reductions and
 * kernels are stored; maps and views live inside the kernels that use them, unless an output, a kernel's fixed operand
 * or too many users ask for them.
 */
export class Inliner {
  readonly nodes: readonly GraphNode[];
  /** Maps (and copies of views) that are written to memory. */
  readonly roots = new Set<OpNode | GraphNode>();
  /** Those of them, by id, that end a chain: what reads them is in another kernel. */
  readonly ends = new Set<number>();
  readonly #exprs = new Map<GraphNode, Expr>();
  readonly #operands = new Map<OpNode, readonly OperandRef[]>();
  /** Who reads a node, once for each time. */
  readonly #users = new Map<GraphNode, GraphNode[]>();

  /** `maxBuffers`: how many a dispatch can bind, its results included. */
  constructor(graph: Graph, maxBuffers: number) {
    this.nodes = liveNodes(graph.outputs);
    for (const node of this.nodes) this.#users.set(node, []);
    for (const node of this.nodes) for (const input of operandsOf(node)) this.#users.get(input)?.push(node);
    for (const output of graph.outputs) if (!isAnchor(output) && output.kind !== "literal") this.roots.add(output);
    this.#chooseOperands();
    this.#chooseBroadcast();
    this.#chooseCombined();
    this.#chooseShared();
    this.#chooseViewed();
    this.#chooseLong();
    this.#settle(undefined);
    this.#exprs.clear();
    this.#settle(maxBuffers - 1);
  }

  /** True if the node's elements are in a buffer when a later kernel runs. */
  isStored(node: GraphNode): boolean {
    return node.kind === "input" || node.kind === "constant" || isAnchor(node) || this.roots.has(node);
  }

  /** What to bind for a kernel op's operands. */
  operandsOf(node: OpNode): readonly OperandRef[] {
    return this.#operands.get(node) ?? [];
  }

  /** How a consumer reads the node: a load if it is stored, else its expression. Slots are node ids. */
  read(node: GraphNode): Expr {
    if (this.isStored(node))
      return { kind: "load", slot: node.id, dtype: node.dtype, view: contiguousView(node.shape) };
    return this.compute(node);
  }

  /** The node's own expression, whether or not it is stored. */
  compute(node: GraphNode): Expr {
    const known = this.#exprs.get(node);
    if (known !== undefined) return known;
    const expr = this.#build(node);
    this.#exprs.set(node, expr);
    return expr;
  }

  #build(node: GraphNode): Expr {
    if (node.kind === "literal") return { kind: "literal", dtype: node.dtype, value: node.value };
    if (node.kind !== "op" || isAnchor(node))
      return { kind: "load", slot: node.id, dtype: node.dtype, view: contiguousView(node.shape) };
    const { op, attrs, inputs } = node;
    if (op.kind === "map") {
      const args = inputs.map((input) => this.read(input));
      // The op's attrs are its own; the emitter hands them back to it.
      const map = op as MapOp<unknown>;
      return { kind: "map", op: map, attrs, args, dtype: node.dtype, view: contiguousView(node.shape) };
    }
    const [input] = inputs;
    if (op.kind !== "view" || input === undefined) throw new Error(`jnx internal error: ${op.name} cannot be inlined`);
    return remapExpr(this.read(input), (view) => {
      const seen = op.view(view, attrs);
      if (seen === undefined) throw new Unviewable(input);
      return seen;
    });
  }

  /** Kernels bind buffers: each operand is a stored node seen through views that the kernel accepts. */
  #chooseOperands(): void {
    for (const node of this.nodes) {
      if (node.kind !== "op" || node.op.kind !== "kernel") continue;
      this.#operands.set(
        node,
        node.inputs.map((input, k) => this.#operand(node, input, k)),
      );
    }
  }

  #operand(kernel: OpNode, input: GraphNode, k: number): OperandRef {
    const chain: OpNode[] = [];
    let base = input;
    while (base.kind === "op" && base.op.kind === "view" && !this.roots.has(base)) {
      chain.unshift(base);
      base = base.inputs[0] ?? base;
    }
    let view: View | undefined = contiguousView(base.shape);
    for (const { op, attrs } of chain) view = view && op.kind === "view" ? op.view(view, attrs) : undefined;
    const accepted = view !== undefined && kernel.op.kind === "kernel" && kernel.op.accepts(view, k, kernel.attrs);
    const node = accepted ? base : input;
    if (!this.isStored(node)) this.roots.add(node);
    return { node, view: accepted && view !== undefined ? view : contiguousView(input.shape) };
  }

  /** What is computed for few elements and then repeated is computed for the few: a bias correction, a row's maximum. */
  #chooseBroadcast(): void {
    // Computed from numbers alone: cheaper again in each element than in a kernel of its own.
    const known = new Set<GraphNode>();
    const weights = new Map<GraphNode, number>();
    // Maps that read the result of a reduction or kernel, through other maps and views.
    const following = new Set<GraphNode>();
    for (const node of this.nodes) {
      weights.set(node, this.#weight(node, weights));
      if (operandsOf(node).some((input) => isAnchor(input) || following.has(input))) following.add(node);
      const free =
        node.kind === "op" &&
        !isAnchor(node) &&
        node.inputs.length > 0 &&
        node.inputs.every((input) => known.has(input));
      if (node.kind === "literal" || free) known.add(node);
      if (node.kind !== "op" || node.op.kind !== "view" || free) continue;
      let source = node.inputs[0];
      if (source === undefined || sizeOf(source.shape) >= sizeOf(node.shape)) continue;
      while (source !== undefined && source.kind === "op" && source.op.kind === "view" && !this.roots.has(source))
        source = source.inputs[0];
      // Counting costs less than reading what was counted.
      if (source === undefined || !this.#isMap(source) || operandsOf(source).length === 0) continue;
      // A few cheap repetitions cost less than a kernel; what follows a reduction rides in that one's kernel for nothing.
      const few = sizeOf(node.shape) <= FEW_REPETITIONS && this.#weight(source, weights) <= RECOMPUTE_LIMIT;
      if (!few || following.has(source)) this.roots.add(source);
    }
  }

  /**
   * What several reductions found, put together for another reduction alone, rides in the kernel of the last of them:
   * it hands on one array then, not one for each.
   */
  #chooseCombined(): void {
    for (const node of this.nodes) {
      const [operand] = node.kind === "op" && node.op.kind === "reduce" ? node.inputs : [];
      if (operand === undefined || !this.#isMap(operand) || this.#users.get(operand)?.length !== 1) continue;
      const read = this.#readThroughMaps(operand);
      const found = [...read].filter((one) => isAnchor(one) && one.op.kind === "reduce");
      if (found.length > 1 && read.size <= FEW_OPERANDS) this.roots.add(operand);
    }
  }

  /** What a map reads element by element, other maps and reshapes made in passing; nothing if those are very many. */
  #readThroughMaps(map: GraphNode): ReadonlySet<GraphNode> {
    const read = new Set<GraphNode>();
    const seen = new Set<GraphNode>();
    const stack = [map];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (seen.has(node)) continue;
      if (seen.size === LONGEST) return new Set();
      seen.add(node);
      for (const input of operandsOf(node)) {
        if ((this.#isMap(input) && !this.roots.has(input)) || isReshape(input)) stack.push(input);
        else if (input.kind !== "literal") read.add(input);
      }
    }
    return read;
  }

  /** Values that several kernels would compute again at a price are stored once. */
  #chooseShared(): void {
    const weights = new Map<GraphNode, number>();
    for (const node of this.nodes) weights.set(node, this.#weight(node, weights));
    const users = new Map<GraphNode, Set<GraphNode>>();
    for (const node of [...this.nodes].reverse()) {
      const own = users.get(node) ?? new Set<GraphNode>();
      if (this.#isMap(node) && own.size > 1 && (weights.get(node) ?? 0) > RECOMPUTE_LIMIT) this.roots.add(node);
      const via = this.isStored(node) ? new Set([node]) : own;
      for (const input of operandsOf(node)) {
        const known = users.get(input);
        if (known === undefined) users.set(input, new Set(via));
        else for (const user of via) known.add(user);
      }
    }
  }

  /** A chain of maps seen through several views is as many chains: x + xᵀ, again and again, doubles each time. */
  #chooseViewed(): void {
    const ways = new Map<GraphNode, number>();
    for (const node of [...this.nodes].reverse()) {
      const own = this.#users.get(node) ?? [];
      const through = own
        .filter((user) => user.kind === "op" && user.op.kind === "view")
        .reduce((sum, view) => sum + (ways.get(view) ?? 0), 0);
      ways.set(node, through + (own.some((user) => user.kind === "op" && user.op.kind !== "view") ? 1 : 0));
    }
    const weights = new Map<GraphNode, number>();
    for (const node of this.nodes) {
      const weight = this.#weight(node, weights);
      if (this.#isMap(node) && (ways.get(node) ?? 0) > 1 && weight > RECOMPUTE_LIMIT) this.roots.add(node);
      weights.set(node, this.isStored(node) ? 0 : weight);
    }
  }

  /** What would make a chain too long is stored. */
  #chooseLong(): void {
    const lengths = new Map<GraphNode, number>();
    for (const node of this.nodes) {
      if (node.kind !== "op" || isAnchor(node)) continue;
      const length = 1 + Math.max(0, ...node.inputs.map((input) => lengths.get(input) ?? 0));
      if (length >= LONGEST) {
        this.roots.add(node);
        this.ends.add(node.id);
      }
      lengths.set(node, this.isStored(node) ? 0 : length);
    }
  }

  /** A part to store of an expression that reads more buffers than `most`. `loads` are what the nodes before it read. */
  #tooWide(node: GraphNode, most: number, loads: Map<GraphNode, ReadonlySet<number>>): GraphNode | undefined {
    const reads = new Set<number>();
    for (const input of operandsOf(node))
      (this.isStored(input) ? [input.id] : (loads.get(input) ?? [])).forEach((id) => reads.add(id));
    loads.set(node, reads);
    if (reads.size <= most || node.kind !== "op" || node.op.kind === "kernel") return undefined;
    const parts = node.inputs.filter((input) => !this.isStored(input));
    return parts.sort((a, b) => (loads.get(b)?.size ?? 0) - (loads.get(a)?.size ?? 0))[0];
  }

  #isMap(node: GraphNode): boolean {
    return node.kind === "op" && node.op.kind === "map";
  }

  #weight(node: GraphNode, weights: ReadonlyMap<GraphNode, number>): number {
    if (node.kind !== "op" || isAnchor(node)) return 0;
    const own = node.op.kind !== "map" ? 0 : node.op.expensive === true ? EXPENSIVE : 1;
    return node.inputs.reduce((sum, input) => sum + (weights.get(input) ?? 0), own);
  }

  /**
   * Builds every expression, in order. What no strides can view becomes a root, and so does a part of what reads more than
   * `most` buffers, if that is given.
   */
  #settle(most: number | undefined): void {
    const loads = new Map<GraphNode, ReadonlySet<number>>();
    const waiting = new Sorted(idOf, this.nodes);
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      const part = this.#unviewable(node) ?? (most === undefined ? undefined : this.#tooWide(node, most, loads));
      if (part !== undefined) for (const user of this.#store(part, node)) waiting.add(user);
    }
  }

  /** Builds a node's expression, or says what in it must be stored so that it can be. */
  #unviewable(node: GraphNode): GraphNode | undefined {
    try {
      if (this.roots.has(node)) this.compute(node);
      else if (node.kind === "op" && node.op.kind === "reduce") node.inputs.forEach((input) => this.read(input));
      return undefined;
    } catch (error) {
      if (error instanceof Unviewable) return error.node;
      throw error;
    }
  }

  /** Makes a node a root, and forgets and returns what was built through it, up to the `last` node that was built. */
  #store(node: GraphNode, last: GraphNode): ReadonlySet<GraphNode> {
    this.roots.add(node);
    const found = new Set<GraphNode>();
    const stack = [node];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      for (const user of this.#users.get(next) ?? []) {
        if (user.id > last.id || found.has(user)) continue;
        found.add(user);
        this.#exprs.delete(user);
        if (!this.isStored(user)) stack.push(user);
      }
    }
    return found;
  }
}

function idOf(node: GraphNode): number {
  return node.id;
}

/** True for a view that leaves every element where it is. */
function isReshape(node: GraphNode): boolean {
  if (node.kind !== "op" || node.op.kind !== "view") return false;
  const [input] = node.inputs;
  const view = input && node.op.view(contiguousView(input.shape), node.attrs);
  return view !== undefined && isIdentity(view) && sizeOf(view.shape) === sizeOf(input?.shape ?? []);
}

/** A reshape of something transposed, say: its input must be copied into row-major order. */
class Unviewable extends Error {
  readonly node: GraphNode;
  constructor(node: GraphNode) {
    super("this view cannot be expressed by strides");
    this.node = node;
  }
}
