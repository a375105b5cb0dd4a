import { isIdentity, sizeOf } from "@jnx/tensor/internal";
import type { Limits, Shape } from "@jnx/tensor";
import { Dependencies } from "./dependencies.ts";
import { isAnchor, type Graph } from "./graph.ts";
import { groupInputs, inputsOfBoth, lastOf, loadsOf, made, members, overShape, type Group } from "./group.ts";
import { Inliner } from "./inline.ts";
import { asLines, fitInto, joinLines, readsAlongLines, type LineGroup } from "./lines.ts";
import { Sorted } from "./sorted.ts";

/** Arrays up to this many elements are worth sharing a dispatch for no other reason than being small. */
const TINY = 1024;
/** Of groups that merely are alike or read the same, so many are tried, the nearest: in a long graph most others wait for each other. */
const NEAREST = 64;
/** No kernel makes more values than this. */
const MOST_MADE = 64;

/**
 * Groups nodes into kernels by structural kind: maps join the kernel that makes what they read, element for element;
 * then maps of one shape join each other. A merge is refused when it would need more buffers than a stage can bind,
 * or make two groups wait for each other.
 */
export class Fuser {
  readonly inliner: Inliner;
  readonly #dependencies: Dependencies;
  /** Groups of few elements, by how many. */
  readonly #tiny = new Map<number, Sorted<Group>>();
  readonly #maxBuffers: number;
  readonly #donated: ReadonlySet<number>;
  readonly #limits: Limits;
  readonly #outputs: ReadonlySet<number>;
  readonly #shapes: ReadonlyMap<number, Shape>;

  /** `donated` are ids of inputs whose buffers outputs may take over: such a pair counts as one binding. */
  constructor(graph: Graph, limits: Limits, maxBuffers: number, donated: ReadonlySet<number>) {
    this.inliner = new Inliner(graph, maxBuffers);
    this.#dependencies = new Dependencies(this.inliner);
    this.#limits = limits;
    this.#maxBuffers = maxBuffers;
    this.#donated = donated;
    this.#outputs = new Set(graph.outputs.map((node) => node.id));
    this.#shapes = new Map(this.inliner.nodes.map(({ id, shape }) => [id, shape]));
    for (const node of this.inliner.nodes) {
      if (isAnchor(node)) this.#dependencies.add({ anchor: node, shape: node.shape, roots: new Map() });
      else if (this.inliner.roots.has(node)) {
        const roots = new Map([[node, this.inliner.compute(node)]]);
        this.#dependencies.add({ anchor: undefined, shape: node.shape, roots });
      }
    }
    this.#mergeIntoMakers();
    this.#mergeLines();
    this.#mergeSiblings();
  }

  /** The groups in an order in which each finds its inputs made; those whose last member came late run late. */
  schedule(): Group[] {
    return this.#dependencies.schedule();
  }

  #byLast(): Group[] {
    return [...this.#dependencies.groups].sort((a, b) => lastOf(a) - lastOf(b));
  }

  #mergeIntoMakers(): void {
    for (const group of this.#byLast()) {
      if (group.anchor !== undefined) continue;
      const candidates = [...this.#dependencies.makersOf(group)].sort((a, b) => lastOf(b) - lastOf(a));
      for (const maker of candidates) if (this.#merge(maker, group) !== undefined) break;
    }
  }

  /**
   * Reductions along the same lines, with the maps that feed them and those that use what they find, become one walk
   * along the lines: a softmax, a layer normalization, their gradients, a cross-entropy with its gradient.
   */
  #mergeLines(): void {
    for (const group of this.#byLast()) {
      if (!this.#dependencies.has(group)) continue;
      for (let walk: Group | undefined = group; walk !== undefined;) walk = this.#growWalk(walk);
    }
  }

  #growWalk(group: Group): LineGroup | undefined {
    const walk = asLines(group, this.inliner, this.#limits);
    if (walk === undefined) return undefined;
    for (const other of this.#besideWalk(group, walk)) {
      const fitted = fitInto(walk, other, this.inliner, this.#limits);
      if (fitted === undefined || made(walk).length + made(other).length > MOST_MADE) continue;
      const joined = joinLines(walk, fitted);
      if (!readsAlongLines(joined) || this.#lineBindings(joined, [group, other]) > this.#maxBuffers) continue;
      if (this.#eitherWaits(group, other)) continue;
      this.#dependencies.replace([group, other], joined);
      return joined;
    }
    return undefined;
  }

  /** What makes or reads a part of the walk, or reads the same array of the lines' size. */
  #besideWalk(group: Group, walk: LineGroup): Group[] {
    const size = sizeOf(walk.lines.shape);
    return this.#beside(
      [
        ...this.#dependencies.makersOf(group),
        ...this.#dependencies.readersOf(group),
        ...this.#sharing(group, (elements) => elements === size),
      ],
      group,
    );
  }

  /** Those that read an array of such a size that the group reads too. */
  #sharing(group: Group, counts: (size: number) => boolean): Group[] {
    return [...groupInputs(group, this.inliner)]
      .filter((id) => counts(sizeOf(this.#nodeShape(id))))
      .flatMap((id) => this.#dependencies.readersOfValue(id).nearest(group, NEAREST));
  }

  /** Each of them once, without the group itself, in the order in which they came. */
  #beside(groups: Iterable<Group>, group: Group): Group[] {
    const others = new Set(groups);
    others.delete(group);
    return this.#dependencies.inOrder(others);
  }

  /** Storage buffers of a walk that takes the place of `parts`: what nobody else reads needs none. */
  #lineBindings(walk: LineGroup, parts: readonly Group[]): number {
    const wanted = made(walk).filter(
      ({ id }) =>
        this.#outputs.has(id) || [...this.#dependencies.readersOfValue(id)].some((group) => !parts.includes(group)),
    );
    return wanted.length + groupInputs(walk, this.inliner).size;
  }

  /** Maps that make something for another group of their shape, share an operand with it, or are tiny, join it. */
  #mergeSiblings(): void {
    for (const group of [...this.#dependencies.groups]) {
      if (sizeOf(group.shape) <= TINY && group.anchor?.op.kind !== "kernel") this.#tinyOf(group).add(group);
    }
    for (const group of [...this.#dependencies.groups]) {
      if (!this.#dependencies.has(group)) continue;
      for (let grown: Group | undefined = group; grown !== undefined;) grown = this.#joinSibling(grown);
    }
  }

  /** The group with a sibling it could join, or none. */
  #joinSibling(group: Group): Group | undefined {
    if (group.anchor !== undefined || group.lines !== undefined) return undefined;
    for (const other of this.#siblings(group)) {
      const merged = this.#merge(other, group);
      if (merged !== undefined) return merged;
    }
    return undefined;
  }

  #siblings(group: Group): Group[] {
    const size = sizeOf(group.shape);
    const related = [...this.#dependencies.readersOf(group), ...this.#sharing(group, (elements) => elements > TINY)];
    const tiny = size <= TINY ? this.#tinyOf(group).nearest(group, NEAREST) : [];
    return this.#beside([...related, ...tiny], group).filter((other) => sizeOf(other.shape) === size);
  }

  #tinyOf({ shape }: Group): Sorted<Group> {
    const size = sizeOf(shape);
    const known = this.#tiny.get(size) ?? new Sorted(lastOf);
    this.#tiny.set(size, known);
    return known;
  }

  #nodeShape(id: number): Shape {
    return this.#shapes.get(id) ?? [];
  }

  /** One group of both: the roots of `group` (maps alone) moved into `into`, if every rule allows it. */
  #merge(into: Group, group: Group): Group | undefined {
    if (sizeOf(into.shape) !== sizeOf(group.shape) || into.lines !== undefined || group.lines !== undefined)
      return undefined;
    if (this.#bindings(into, group) > this.#maxBuffers || made(into).length + made(group).length > MOST_MADE)
      return undefined;
    const moved = overShape(group.roots, into.shape);
    if (moved === undefined) return undefined;
    const merged: Group = { anchor: into.anchor, shape: into.shape, roots: new Map([...into.roots, ...moved]) };
    if (!this.#readsOwnInPlace(merged) || this.#eitherWaits(into, group)) return undefined;
    this.#dependencies.replace([into, group], merged);
    const tiny = this.#tiny.get(sizeOf(into.shape));
    for (const part of [into, group]) tiny?.delete(part);
    if (merged.anchor?.op.kind !== "kernel") tiny?.add(merged);
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

  /** Storage buffers that one dispatch of both binds, an output that takes over a donated input counted once. */
  #bindings(into: Group, group: Group): number {
    const outputs = [...into.roots.keys(), ...group.roots.keys()];
    let reusable = outputs.filter((root) => root.kind === "op").length;
    let count = outputs.length + (into.anchor === undefined ? 0 : 1);
    for (const id of inputsOfBoth(into, group, this.inliner)) {
      const shape = this.#nodeShape(id);
      if (this.#donated.has(id) && reusable > 0 && sizeOf(shape) === sizeOf(into.shape)) reusable--;
      else count++;
    }
    return count;
  }

  /** True if one needs what the other makes by way of a third group, or what ends a chain there. */
  #eitherWaits(a: Group, b: Group): boolean {
    const after = (group: Group, maker: Group): boolean =>
      made(maker).some(({ id }) => this.inliner.ends.has(id) && groupInputs(group, this.inliner).has(id)) ||
      this.#dependencies.waitsFor(group, maker);
    return after(a, b) || after(b, a);
  }
}
