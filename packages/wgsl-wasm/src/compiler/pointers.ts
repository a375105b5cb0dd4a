/**
 * Addresses that are linear in the counter of their innermost loop become pointers that step along with it, and
 * accesses a constant apart share one pointer. Where there are many arrays, one stepped offset serves all of them:
 * a pointer each would not fit the machine's registers.
 */
import type { Builder } from "./builder.ts";
import { loopOf, type Block, type LoadItem, type LoopItem, type Node, type StoreItem } from "./ir.ts";
import { LinearForms, type Linear } from "./linear.ts";
import { eachItem, markLive } from "./liveness.ts";

/** Accesses up to this far apart share a pointer; no buffer lies below this address. */
const REACH = 4096;
/** More stepped pointers than this in one loop share an offset. */
const MAX_POINTERS = 6;

interface Access {
  readonly form: Linear;
  /** Distance from the form's counters and atoms in bytes. */
  readonly distance: number;
  readonly move: (addr: Node, offset: number) => void;
}

interface Group {
  readonly counters: Linear["counters"];
  readonly atoms: Linear["atoms"];
  readonly base: number;
  readonly accesses: Access[];
}

export function stepPointers(b: Builder): void {
  const loops = innermostLoops(b.entry);
  const forms = new Map([...loops].map((loop) => [loop, new LinearForms(b, loop)]));
  const found = new Map<LoopItem, Access[]>();
  const note = (block: Block, addr: Node, offset: number, move: Access["move"]): void => {
    const loop = loopOf(block);
    const at = loop === undefined ? undefined : forms.get(loop);
    if (loop === undefined || at === undefined || at.isInvariant(addr)) return;
    const form = at.of(addr);
    if (form === undefined || form.counters.size === 0) return;
    const accesses = found.get(loop) ?? [];
    accesses.push({ form, distance: form.constant + offset, move });
    found.set(loop, accesses);
  };
  for (const node of markLive(b.entry)) {
    node.live = false;
    const [addr] = node.args;
    if (node.kind === "load" && addr !== undefined && node.pin !== undefined)
      note(node.pin.block, addr, node.imm, (to, offset) => node.retarget(to, offset));
  }
  eachItem(b.entry, (item, block) => {
    if (item.kind === "store" || item.kind === "load") note(block, item.addr, item.offset, mover(item));
  });
  for (const [loop, accesses] of found) {
    const linear = forms.get(loop);
    if (linear !== undefined) stepLoop(b, loop, linear, accesses);
  }
}

function mover(item: StoreItem | LoadItem): Access["move"] {
  return (to, offset) => {
    item.addr = to;
    item.offset = offset;
  };
}

/** Loops that hold no other loop. */
function innermostLoops(root: Block): Set<LoopItem> {
  const loops = new Set<LoopItem>();
  const outer = new Set<LoopItem>();
  eachItem(root, (item, block) => {
    if (item.kind !== "loop") return;
    loops.add(item);
    for (let loop = loopOf(block); loop !== undefined; loop = loopOf(loop.header.parent?.block ?? root))
      outer.add(loop);
  });
  for (const loop of outer) loops.delete(loop);
  return loops;
}

function stepLoop(b: Builder, loop: LoopItem, linear: LinearForms, accesses: readonly Access[]): void {
  const groups = groupsOf(accesses);
  const shared = groups.length > MAX_POINTERS;
  const offsets = new Map<string, Node>();
  for (const { counters, atoms, base, accesses: members } of groups) {
    const rest = linear.restOf({ counters, atoms, constant: base });
    let pointer: Node;
    if (shared) {
      const key = keyOf(counters);
      const offset = offsets.get(key) ?? stepped(b, loop, linear, counters, b.i32(0));
      offsets.set(key, offset);
      pointer = b.op("i32.add", [rest, offset]);
    } else pointer = stepped(b, loop, linear, counters, rest);
    for (const access of members) access.move(pointer, access.distance - base);
  }
}

/** A slot of the loop that holds rest + counters * coefficients. */
function stepped(b: Builder, loop: LoopItem, linear: LinearForms, counters: Linear["counters"], rest: Node): Node {
  const slot = b.slot("i32", loop.header, 0);
  let init = rest;
  let step = b.i32(0);
  for (const [counter, coefficient] of counters) {
    const start = loop.phis.find((phi) => phi.slot === counter)?.init ?? b.i32(0);
    init = b.op("i32.add", [init, b.op("i32.mul", [start, coefficient])]);
    step = b.op("i32.add", [step, b.op("i32.mul", [linear.steps.get(counter) ?? b.i32(0), coefficient])]);
  }
  loop.phis.push({ slot, init, next: b.op("i32.add", [slot, step]) });
  return slot;
}

/** Accesses with one pointer: the same but for a small constant. */
function groupsOf(accesses: readonly Access[]): Group[] {
  const open = new Map<string, Group>();
  const groups: Group[] = [];
  for (const access of [...accesses].sort((p, q) => p.distance - q.distance)) {
    const { counters, atoms } = access.form;
    const key = `${keyOf(counters)}|${keyOf(atoms)}`;
    let group = open.get(key);
    if (group === undefined || access.distance - group.base >= REACH) {
      group = { counters, atoms, base: access.distance, accesses: [] };
      open.set(key, group);
      groups.push(group);
    }
    group.accesses.push(access);
  }
  return groups;
}

function keyOf(terms: ReadonlyMap<Node, Node | number>): string {
  return [...terms]
    .filter(([, factor]) => factor !== 0)
    .map(([node, factor]) => `${node.id}*${typeof factor === "number" ? factor : `n${factor.id}`}`)
    .sort()
    .join("+");
}
