import { isIdentity, sizeOf } from "@jnx/tensor/internal";
import type { Limits, Shape } from "@jnx/tensor";
import { isAnchor, type Graph } from "./graph.ts";
import { groupInputs, loadsOf, made, members, overShape, span, type Group } from "./group.ts";
import { Inliner } from "./inline.ts";
import { asLines, fitInto, joinLines, readsAlongLines, type LineGroup } from "./lines.ts";

/** Arrays up to this many elements are worth sharing a dispatch for no other reason than being small. */
const TINY = 1024;

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
  readonly #limits: Limits;
  readonly #outputs: ReadonlySet<number>;
  readonly #shapes: ReadonlyMap<number, Shape>;

  /** `donated` are ids of inputs whose buffers outputs may take over: such a pair counts as one binding. */
  constructor(graph: Graph, limits: Limits, maxBuffers: number, donated: ReadonlySet<number>) {
    this.inliner = new Inliner(graph, maxBuffers);
    this.#limits = limits;
    this.#maxBuffers = maxBuffers;
    this.#donated = donated;
    this.#outputs = new Set(graph.outputs.map((node) => node.id));
    this.#shapes = new Map(this.inliner.nodes.map(({ id, shape }) => [id, shape]));
    for (const node of this.inliner.nodes) {
      if (isAnchor(node)) this.#addGroup({ anchor: node, shape: node.shape, roots: new Map() });
      else if (this.inliner.roots.has(node))
        this.#addGroup({ anchor: undefined, shape: node.shape, roots: new Map([[node, this.inliner.compute(node)]]) });
    }
    this.#mergeIntoMakers();
    this.#mergeLines();
    this.#mergeSiblings();
  }

  /** The groups in an order in which each finds its inputs made; those whose last member came late run late. */
  schedule(): Group[] {
    const order: Group[] = [];
    const waiting = new Set(this.#groups);
    while (waiting.size > 0) {
      const ready = [...waiting].filter((group) => [...this.#makersOf(group)].every((maker) => !waiting.has(maker)));
      ready.sort((a, b) => span(a)[1] - span(b)[1]);
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
    for (const group of [...this.#groups].sort((a, b) => span(a)[1] - span(b)[1])) {
      if (group.anchor !== undefined) continue;
      const candidates = [...this.#makersOf(group)].sort((a, b) => span(b)[1] - span(a)[1]);
      for (const maker of candidates) if (this.#merge(maker, group) !== undefined) break;
    }
  }

  /**
   * Reductions along the same lines, with the maps that feed them and those that use what they find, become one walk
   * along the lines: a softmax, a layer normalization, their gradients, a cross-entropy with its gradient.
   */
  #mergeLines(): void {
    for (const group of [...this.#groups].sort((a, b) => span(a)[1] - span(b)[1])) {
      if (!this.#groups.has(group)) continue;
      for (let walk: Group | undefined = group; walk !== undefined;) walk = this.#growWalk(walk);
    }
  }

  #growWalk(group: Group): LineGroup | undefined {
    const walk = asLines(group, this.inliner, this.#limits);
    if (walk === undefined) return undefined;
    for (const other of this.#groups) {
      if (other === group) continue;
      if (!this.#belongTogether(group, other, walk)) continue;
      const fitted = fitInto(walk, other, this.inliner, this.#limits);
      if (fitted === undefined) continue;
      const joined = joinLines(walk, fitted);
      if (!readsAlongLines(joined) || this.#lineBindings(joined, [group, other]) > this.#maxBuffers) continue;
      if (this.#waitsFor(group, other) || this.#waitsFor(other, group)) continue;
      this.#replace([group, other], joined);
      return joined;
    }
    return undefined;
  }

  /** One makes what the other reads, or both read the same array of the lines' size. */
  #belongTogether(group: Group, other: Group, walk: LineGroup): boolean {
    if (this.#makersOf(other).has(group) || this.#makersOf(group).has(other)) return true;
    const inputs = groupInputs(group, this.inliner);
    const size = sizeOf(walk.lines.shape);
    return [...groupInputs(other, this.inliner)].some((id) => inputs.has(id) && sizeOf(this.#nodeShape(id)) === size);
  }

  /** Storage buffers of a walk that takes the place of `parts`: what nobody else reads needs none. */
  #lineBindings(walk: LineGroup, parts: readonly Group[]): number {
    const others = [...this.#groups].filter((group) => !parts.includes(group));
    const wanted = made(walk).filter(
      ({ id }) => this.#outputs.has(id) || others.some((group) => groupInputs(group, this.inliner).has(id)),
    );
    return wanted.length + groupInputs(walk, this.inliner).size;
  }

  #replace(parts: readonly Group[], by: Group): void {
    for (const part of parts) this.#groups.delete(part);
    this.#addGroup(by);
  }

  /** Maps that make something for another group of their shape, share an operand with it, or are tiny, join it. */
  #mergeSiblings(): void {
    for (const group of [...this.#groups]) {
      if (!this.#groups.has(group)) continue;
      for (let grown: Group | undefined = group; grown !== undefined;) grown = this.#joinSibling(grown);
    }
  }

  /** The group with a sibling it could join, or none. */
  #joinSibling(group: Group): Group | undefined {
    if (group.anchor !== undefined || group.lines !== undefined) return undefined;
    for (const other of this.#groups) {
      if (other === group || sizeOf(other.shape) !== sizeOf(group.shape)) continue;
      const related =
        this.#makersOf(other).has(group) ||
        this.#share(group, other) ||
        (sizeOf(group.shape) <= TINY && other.anchor?.op.kind !== "kernel");
      const merged = related ? this.#merge(other, group) : undefined;
      if (merged !== undefined) return merged;
    }
    return undefined;
  }

  #share(a: Group, b: Group): boolean {
    const inputs = groupInputs(a, this.inliner);
    return [...groupInputs(b, this.inliner)].some((id) => inputs.has(id) && sizeOf(this.#nodeShape(id)) > TINY);
  }

  #nodeShape(id: number): Shape {
    return this.#shapes.get(id) ?? [];
  }

  /** One group of both: the roots of `group` (maps alone) moved into `into`, if every rule allows it. */
  #merge(into: Group, group: Group): Group | undefined {
    if (sizeOf(into.shape) !== sizeOf(group.shape) || into.lines !== undefined || group.lines !== undefined)
      return undefined;
    const moved = overShape(group.roots, into.shape);
    if (moved === undefined) return undefined;
    const merged: Group = { anchor: into.anchor, shape: into.shape, roots: new Map([...into.roots, ...moved]) };
    if (!this.#readsOwnInPlace(merged) || this.#bindings(merged) > this.#maxBuffers) return undefined;
    if (this.#waitsFor(into, group) || this.#waitsFor(group, into)) return undefined;
    this.#replace([into, group], merged);
    return merged;
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
