/**
 * Gives every value a place: as late as its uses allow, but outside of all loops that it does not depend on. A value
 * used once, where it is placed, has no place of its own: it is computed on the stack.
 */
import { operandsFirst } from "./chains.ts";
import { END, type Block, type Item, type Node, type Position } from "./ir.ts";
import { eachItem, markLive } from "./liveness.ts";

/** Values to compute before item `index` of a block, in order. */
export type Schedule = ReadonlyMap<Block, ReadonlyMap<number, readonly Node[]>>;

export function schedule(root: Block): Schedule {
  const live = markLive(root);
  const uses = new Uses();
  eachItem(root, (item, block, index) => useOperands(uses, item, { block, index }));
  const placed = usersFirst(live).filter(needsPlace);
  for (const node of placed) {
    const late = uses.of(node);
    if (late === undefined) throw new Error("a live value has no use");
    node.place = outOfLoops(late, early(node));
    for (const arg of node.args) uses.add(arg, node.place, node);
  }
  const slots = new Map<Block, Map<number, Node[]>>();
  for (const node of placed) {
    const depth = (node.onlyUser?.depth ?? 0) + 1;
    node.inline = depth < MOST_INLINE && isInline(node, uses);
    node.depth = node.inline ? depth : 0;
    if (!node.inline) file(slots, node);
  }
  for (const at of slots.values()) for (const nodes of at.values()) nodes.reverse();
  return slots;
}

/** Every node before those that it uses. */
function usersFirst(nodes: readonly Node[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  // What is open, each with the operand that comes next.
  const open: { readonly node: Node; next: number }[] = [];
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    open.push({ node, next: 0 });
  };
  for (const node of nodes) {
    visit(node);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const arg = top.node.args[top.next++];
      if (arg !== undefined) visit(arg);
      else {
        order.push(top.node);
        open.pop();
      }
    }
  }
  return order.reverse();
}

function file(slots: Map<Block, Map<number, Node[]>>, node: Node): void {
  const { place } = node;
  if (place === undefined) return;
  let at = slots.get(place.block);
  if (at === undefined) slots.set(place.block, (at = new Map()));
  const index = Math.min(place.index, place.block.items.length);
  const nodes = at.get(index);
  if (nodes === undefined) at.set(index, [node]);
  else nodes.push(node);
}

/** Slots, parameters and loads that happen in order have their place already; scalar constants need none. */
function needsPlace(node: Node): boolean {
  if (node.kind === "const") return node.type === "v128";
  if (node.kind === "load") return node.args.length > 0;
  return node.kind === "op" || node.kind === "select";
}

class Uses {
  readonly #late = new Map<Node, Position>();

  add(node: Node, at: Position, user?: Node): void {
    const known = this.#late.get(node);
    this.#late.set(node, known === undefined ? at : meet(known, at));
    node.uses++;
    node.onlyUser = user;
  }

  of(node: Node): Position | undefined {
    return this.#late.get(node);
  }
}

function useOperands(uses: Uses, item: Item, at: Position): void {
  switch (item.kind) {
    case "store":
      uses.add(item.addr, at);
      uses.add(item.value, at);
      return;
    case "fill":
      return uses.add(item.addr, at);
    case "load":
      if (item.node.live) uses.add(item.addr, at);
      return;
    case "if":
      return uses.add(item.cond, at);
    case "loop":
      if (item.cond !== undefined) uses.add(item.cond, { block: item.header, index: END });
      for (const { slot, init, next } of item.phis) {
        if (!slot.live) continue;
        uses.add(init, at);
        if (next !== slot) uses.add(next, { block: item.body, index: END });
      }
      for (const { slot, value } of item.exitSets) if (slot.live) uses.add(value, at);
      return;
    case "jump":
    case "set":
      for (const { slot, value } of item.sets) if (slot.live) uses.add(value, at);
      return;
    case "scope":
      return;
  }
}

/** The last place from which both are reached. */
function meet(a: Position, b: Position): Position {
  let p = a;
  let q = b;
  while (p.block !== q.block) {
    if (p.block.depth > q.block.depth) p = above(p);
    else q = above(q);
  }
  return p.index <= q.index ? p : q;
}

function above(position: Position): Position {
  const { parent } = position.block;
  if (parent === undefined) throw new Error("a place above all blocks");
  return parent;
}

/** Operations on the stack inside each other: the emitter calls itself for each, and what is deeper gets a local. */
const MOST_INLINE = 256;

/** Values known to need nothing that has a place: long chains of them would be walked again from each of their users. */
const anywhere = new WeakSet<Node>();

/** The first place where all that a value needs is there. */
export function early(node: Node): Position | undefined {
  operandsFirst(node, isPlaced, place);
  return knownEarly(node);
}

/** True if `knownEarly` says it. */
function isPlaced(node: Node): boolean {
  return node.kind === "exit" || node.early !== undefined || node.args.length === 0 || anywhere.has(node);
}

/** A slot as seen after its loop is there from then on, though the slot itself belongs to the loop. */
function knownEarly(node: Node): Position | undefined {
  return node.kind === "exit" ? node.pin : (node.early ?? node.pin);
}

function place(node: Node): void {
  let latest = node.pin;
  for (const arg of node.args) {
    const at = knownEarly(arg);
    if (at !== undefined && (latest === undefined || isAfter(at, latest))) latest = at;
  }
  node.early = latest;
  if (latest === undefined) anywhere.add(node);
}

function isAfter(a: Position, b: Position): boolean {
  return a.block === b.block ? a.index > b.index : a.block.depth > b.block.depth;
}

/** Up from `late` to the outermost loop level that `first` allows. */
function outOfLoops(late: Position, first: Position | undefined): Position {
  let best = late;
  for (let at = late; at.block !== first?.block;) {
    const { parent } = at.block;
    if (parent === undefined) break;
    if (at.block.loopDepth > parent.block.loopDepth) best = parent;
    at = parent;
  }
  return best;
}

/** True if the only use is where the value would be computed anyway. */
function isInline(node: Node, uses: Uses): boolean {
  if (node.uses !== 1) return false;
  const { place, onlyUser } = node;
  const at = onlyUser === undefined ? uses.of(node) : onlyUser.place;
  return place !== undefined && at !== undefined && place.block === at.block && place.index === at.index;
}
