import { isIdentity, remapExpr, reshapeView, sizeOf, type Expr } from "@jnx/tensor/internal";
import type { Shape } from "@jnx/tensor";
import { isAnchor, type AnchorNode, type Graph, type GraphNode } from "./graph.ts";
import { Inliner } from "./inline.ts";

/** Arrays up to this many elements are worth sharing a dispatch for no other reason than being small. */
const TINY = 1024;

/**
 * One kernel to be: an anchor (a reduction or a kernel op) with the maps that follow it, or maps alone. All `roots`
 * have as many elements as `shape`; `exprs` are over it. A load of a member's own id is the value computed here.
 */
export interface Group {
  readonly anchor: AnchorNode | undefined;
  readonly shape: Shape;
  readonly roots: Map<GraphNode, Expr>;
}

/** What a group reads that another group, or nobody here, makes. */
export function groupInputs(group: Group, inliner: Inliner): Set<number> {
  const found = new Set<number>();
  const { anchor } = group;
  if (anchor !== undefined) {
    for (const { node } of inliner.operandsOf(anchor)) found.add(node.id);
    if (anchor.op.kind === "reduce")
      for (const input of anchor.inputs) loadsOf(inliner.read(input)).forEach((load) => found.add(load.slot));
  }
  for (const expr of group.roots.values()) for (const load of loadsOf(expr)) found.add(load.slot);
  for (const id of members(group)) found.delete(id);
  return found;
}

/** Ids of the values that a group makes. */
export function members(group: Group): number[] {
  return [...(group.anchor === undefined ? [] : [group.anchor.id]), ...[...group.roots.keys()].map((root) => root.id)];
}

export function loadsOf(root: Expr): Extract<Expr, { kind: "load" }>[] {
  const seen = new Set<Expr>();
  const found: Extract<Expr, { kind: "load" }>[] = [];
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    if (expr.kind === "load") found.push(expr);
    else if (expr.kind === "map") expr.args.forEach(visit);
  };
  visit(root);
  return found;
}

/**
 * Groups nodes into kernels by structural kind: maps join the kernel that makes what they read, element for element;
 * then maps of one shape join each other. A merge is refused when it would need more buffers than a stage can bind,
 * or make two groups wait for each other.
 */
export class Fuser {
  readonly inliner: Inliner;
  readonly #groups = new Set<Group>();
  readonly #makers = new Map<number, Group>();
  readonly #maxBuffers: number;
  readonly #donated: ReadonlySet<number>;

  /** `donated` are ids of inputs whose buffers outputs may take over: such a pair counts as one binding. */
  constructor(graph: Graph, maxBuffers: number, donated: ReadonlySet<number>) {
    this.inliner = new Inliner(graph, maxBuffers);
    this.#maxBuffers = maxBuffers;
    this.#donated = donated;
    for (const node of this.inliner.nodes) {
      if (isAnchor(node)) this.#addGroup({ anchor: node, shape: node.shape, roots: new Map() });
      else if (this.inliner.roots.has(node))
        this.#addGroup({ anchor: undefined, shape: node.shape, roots: new Map([[node, this.inliner.compute(node)]]) });
    }
    this.#mergeIntoMakers();
    this.#mergeSiblings();
  }

  /** The groups in an order in which each finds its inputs made; those whose last member came late run late. */
  schedule(): Group[] {
    const order: Group[] = [];
    const waiting = new Set(this.#groups);
    while (waiting.size > 0) {
      const ready = [...waiting].filter((group) => [...this.#makersOf(group)].every((maker) => !waiting.has(maker)));
      ready.sort((a, b) => Math.max(...members(a)) - Math.max(...members(b)));
      const [next] = ready;
      if (next === undefined) throw new Error("jnx internal error: fused groups wait for each other");
      waiting.delete(next);
      order.push(next);
    }
    return order;
  }

  #addGroup(group: Group): void {
    this.#groups.add(group);
    for (const id of members(group)) this.#makers.set(id, group);
  }

  #makersOf(group: Group): Set<Group> {
    const makers = new Set<Group>();
    for (const id of groupInputs(group, this.inliner)) {
      const maker = this.#makers.get(id);
      if (maker !== undefined && maker !== group) makers.add(maker);
    }
    return makers;
  }

  #mergeIntoMakers(): void {
    for (const group of [...this.#groups].sort((a, b) => Math.max(...members(a)) - Math.max(...members(b)))) {
      if (group.anchor !== undefined) continue;
      const candidates = [...this.#makersOf(group)].sort((a, b) => Math.max(...members(b)) - Math.max(...members(a)));
      for (const maker of candidates) if (this.#tryMerge(maker, group)) break;
    }
  }

  /** Maps that make something for another group of their shape, share an operand with it, or are tiny, join it. */
  #mergeSiblings(): void {
    for (const group of [...this.#groups]) {
      if (group.anchor !== undefined || !this.#groups.has(group)) continue;
      for (const other of [...this.#groups]) {
        if (other === group || sizeOf(other.shape) !== sizeOf(group.shape)) continue;
        const related =
          this.#makersOf(other).has(group) ||
          this.#share(group, other) ||
          (sizeOf(group.shape) <= TINY && other.anchor === undefined);
        if (related && this.#tryMerge(other, group)) break;
      }
    }
  }

  #share(a: Group, b: Group): boolean {
    const inputs = groupInputs(a, this.inliner);
    return [...groupInputs(b, this.inliner)].some((id) => inputs.has(id) && sizeOf(this.#nodeShape(id)) > TINY);
  }

  #nodeShape(id: number): Shape {
    return this.inliner.nodes.find((node) => node.id === id)?.shape ?? [];
  }

  /** Moves the roots of `group` (maps alone) into `into`, if every rule allows it. */
  #tryMerge(into: Group, group: Group): boolean {
    if (sizeOf(into.shape) !== sizeOf(group.shape)) return false;
    const moved = this.#reshaped(group, into.shape);
    if (moved === undefined) return false;
    const merged: Group = { anchor: into.anchor, shape: into.shape, roots: new Map([...into.roots, ...moved]) };
    if (!this.#readsOwnInPlace(merged) || this.#bindings(merged) > this.#maxBuffers) return false;
    if (this.#waitsFor(into, group) || this.#waitsFor(group, into)) return false;
    this.#groups.delete(into);
    this.#groups.delete(group);
    this.#addGroup(merged);
    return true;
  }

  #reshaped(group: Group, shape: Shape): Map<GraphNode, Expr> | undefined {
    try {
      return new Map(
        [...group.roots].map(([root, expr]) => [root, remapExpr(expr, (view) => reshapeView(view, shape) ?? refuse())]),
      );
    } catch (error) {
      if (error instanceof Refused) return undefined;
      throw error;
    }
  }

  /** Values made in the group must be read at the very position where they are made. */
  #readsOwnInPlace(group: Group): boolean {
    const own = new Set(members(group));
    const inHooks = [...group.roots.values()].flatMap(loadsOf);
    if (!inHooks.every((load) => !own.has(load.slot) || isIdentity(load.view))) return false;
    const { anchor } = group;
    if (anchor === undefined) return true;
    const before =
      anchor.op.kind === "reduce"
        ? anchor.inputs.flatMap((input) => loadsOf(this.inliner.read(input)).map((load) => load.slot))
        : [];
    return [...before, ...this.inliner.operandsOf(anchor).map(({ node }) => node.id)].every((id) => !own.has(id));
  }

  /** Storage buffers that one dispatch binds, an output that takes over a donated input counted once. */
  #bindings(group: Group): number {
    const inputs = groupInputs(group, this.inliner);
    const outputs = [...group.roots.keys()];
    let reusable = outputs.filter((root) => root.kind === "op").length;
    let count = outputs.length + (group.anchor === undefined ? 0 : 1);
    for (const id of inputs) {
      const shape = this.#nodeShape(id);
      if (this.#donated.has(id) && reusable > 0 && sizeOf(shape) === sizeOf(group.shape)) reusable--;
      else count++;
    }
    return count;
  }

  /** True if `group` needs something that `maker` makes by way of a third group. */
  #waitsFor(group: Group, maker: Group): boolean {
    const seen = new Set<Group>();
    const stack = [...this.#makersOf(group)].filter((one) => one !== maker);
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next === maker) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      stack.push(...this.#makersOf(next));
    }
    return false;
  }
}

class Refused extends Error {}

function refuse(): never {
  throw new Refused("these strides do not survive a reshape");
}
