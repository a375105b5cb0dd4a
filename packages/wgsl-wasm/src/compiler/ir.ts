/**
 * The intermediate form. Values are nodes without a place of their own (equal ones are one node); what must happen in
 * order (stores, branches, loops, loads from memory that is written) are items of blocks. Blocks form a tree.
 *
 * A slot is a value that depends on the way control came: set at the end of each way, read after them. It becomes one
 * WebAssembly local. Everything else is computed once, where `schedule.ts` says.
 */
import type { Op, ValueType } from "./ops.ts";

/** Before item `index` of a block (which may be its length: the end). */
export interface Position {
  readonly block: Block;
  readonly index: number;
}

export type NodeKind = "const" | "param" | "slot" | "op" | "select" | "load" | "exit";

export class Node {
  readonly id: number;
  readonly kind: NodeKind;
  readonly type: ValueType;
  readonly op: Op | undefined;
  args: readonly Node[];
  /** Lane, memory offset, bits of a constant, number of a parameter. */
  imm: number;
  /** Bits of a v128 constant, or the sixteen lanes of a shuffle. */
  readonly lanes: readonly number[] | undefined;
  /** The place before which the value does not exist: for slots, loads and parameters. */
  readonly pin: Position | undefined;
  /** The next node with the same hash, in the builder's table. */
  alike: Node | undefined;

  // Filled in by schedule.ts.
  uses = 0;
  onlyUser: Node | undefined;
  early: Position | undefined;
  place: Position | undefined;
  live = false;
  local = -1;
  inline = false;
  /** How many users it is inline in. */
  depth = 0;

  constructor(
    id: number,
    kind: NodeKind,
    type: ValueType,
    op: Op | undefined,
    args: readonly Node[],
    imm: number,
    lanes: readonly number[] | undefined,
    pin: Position | undefined,
  ) {
    this.id = id;
    this.kind = kind;
    this.type = type;
    this.op = op;
    this.args = args;
    this.imm = imm;
    this.lanes = lanes;
    this.pin = pin;
  }

  /** The same load by another way to the same address. */
  retarget(addr: Node, offset: number): void {
    this.args = [addr];
    this.imm = offset;
  }
}

/** The innermost loop around a place. */
export function loopOf(block: Block): LoopItem | undefined {
  return block.loop;
}

/** Slot := value; those of one list all at once. */
export interface Assignment {
  readonly slot: Node;
  readonly value: Node;
}

export interface Phi {
  readonly slot: Node;
  readonly init: Node;
  /** The value for the next turn; the slot itself if it does not change. */
  next: Node;
}

export interface StoreItem {
  readonly kind: "store";
  readonly type: ValueType;
  addr: Node;
  offset: number;
  readonly value: Node;
}

/** A load from memory that the kernel also writes: it happens where it stands. */
export interface LoadItem {
  readonly kind: "load";
  readonly node: Node;
  addr: Node;
  offset: number;
}

export interface IfItem {
  readonly kind: "if";
  readonly cond: Node;
  readonly then: Block;
  readonly otherwise: Block;
}

/** `header` decides by `cond` whether `body`, its child, runs once more. Jumps to the loop leave it. */
export interface LoopItem {
  readonly kind: "loop";
  readonly header: Block;
  readonly body: Block;
  cond: Node | undefined;
  readonly phis: Phi[];
  /** What to set when `cond` ends the loop, where jumps leave it too. */
  exitSets: Assignment[];
  hasJumps: boolean;
}

/** Jumps to a scope go to its end. */
export interface ScopeItem {
  readonly kind: "scope";
  readonly block: Block;
  hasJumps: boolean;
}

export interface JumpItem {
  readonly kind: "jump";
  readonly target: LoopItem | ScopeItem;
  sets: Assignment[];
}

export interface SetItem {
  readonly kind: "set";
  sets: Assignment[];
}

/** `bytes` zero bytes from `addr` on. */
export interface FillItem {
  readonly kind: "fill";
  readonly addr: Node;
  readonly bytes: number;
}

export type Item = StoreItem | LoadItem | IfItem | LoopItem | ScopeItem | JumpItem | SetItem | FillItem;

export class Block {
  readonly items: Item[] = [];
  /** Where this block hangs in its parent. */
  readonly parent: Position | undefined;
  readonly depth: number;
  /** The innermost loop that this block belongs to. */
  loop: LoopItem | undefined;
  readonly loopDepth: number;
  /** Loads from read-only memory known here, by address. */
  readonly loads = new Map<string, Node>();

  constructor(parent: Position | undefined, loop: LoopItem | undefined, loopDepth: number) {
    this.parent = parent;
    this.depth = parent === undefined ? 0 : parent.block.depth + 1;
    this.loop = loop;
    this.loopDepth = loopDepth;
  }

  /** A block nested at this block's end. */
  child(): Block {
    return new Block(this.end, this.loop, this.loopDepth);
  }

  get end(): Position {
    return { block: this, index: this.items.length };
  }
}

/** Any index after all items. */
export const END = 1 << 30;

/** A loop nested at the end of `outer`, not yet among its items. Its body is a child of its header. */
export function newLoop(outer: Block): LoopItem {
  const header = new Block(outer.end, undefined, outer.loopDepth + 1);
  const body = new Block({ block: header, index: END }, undefined, outer.loopDepth + 1);
  const loop: LoopItem = { kind: "loop", header, body, cond: undefined, phis: [], exitSets: [], hasJumps: false };
  header.loop = loop;
  body.loop = loop;
  return loop;
}
