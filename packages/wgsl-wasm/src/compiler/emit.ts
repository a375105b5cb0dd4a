import { Bytes } from "./bytes.ts";
import type { Assignment, Block, IfItem, Item, LoopItem, Node, ScopeItem } from "./ir.ts";
import { opOf, type ValueType } from "./ops.ts";
import type { Schedule } from "./schedule.ts";

const CODES = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  nothing: 0x40,
} as const;
const STORES: Readonly<Record<ValueType, readonly number[]>> = { i32: [0x36], f32: [0x38], v128: [0xfd, 0x0b] };
/** Headers of more items than this are not repeated at the loop's end. */
const SHORT_HEADER = 3;

/** Writes the scheduled items of a function as WebAssembly instructions. */
export class Emitter {
  readonly code = new Bytes();
  /** Types of the locals after the parameters. */
  readonly locals: ValueType[] = [];
  readonly #parameters: number;
  readonly #schedule: Schedule;
  readonly #labels: (LoopItem | ScopeItem | string)[] = [];
  readonly #free: Record<ValueType, number[]> = { i32: [], f32: [], v128: [] };

  constructor(schedule: Schedule, parameters: number) {
    this.#schedule = schedule;
    this.#parameters = parameters;
  }

  /** A loop's header keeps its locals: the body reads them. */
  block(block: Block, then?: () => void, keep = false): void {
    const scheduled = this.#schedule.get(block);
    const mine: Node[] = [];
    for (let index = 0; index <= block.items.length; index++) {
      for (const node of scheduled?.get(index) ?? []) {
        this.#compute(node);
        mine.push(node);
      }
      const item = block.items[index];
      if (item !== undefined) this.#item(item);
    }
    then?.();
    if (!keep) for (const node of mine) this.#free[node.type].push(node.local);
  }

  #compute(node: Node): void {
    this.#tree(node);
    if (node.local < 0) node.local = this.#free[node.type].pop() ?? this.#newLocal(node.type);
    this.code.byte(0x21);
    this.code.unsigned(node.local);
  }

  #newLocal(type: ValueType): number {
    return this.#parameters + this.locals.push(type) - 1;
  }

  #localOf(node: Node): number {
    const owner = node.kind === "exit" ? (node.args[0] ?? node) : node;
    if (owner.local < 0) owner.local = this.#newLocal(owner.type);
    return owner.local;
  }

  /** Leaves the value on the stack. */
  #value(node: Node): void {
    if (node.kind === "const" && (node.type !== "v128" || node.inline)) return this.#constant(node);
    if (node.inline) return this.#tree(node);
    this.code.byte(0x20);
    this.code.unsigned(node.kind === "param" ? node.imm : this.#localOf(node));
  }

  #constant(node: Node): void {
    if (node.type === "i32") {
      this.code.byte(0x41);
      this.code.signed(node.imm);
    } else if (node.type === "f32") {
      this.code.byte(0x43);
      this.code.word(node.imm);
    } else {
      this.code.bytes([0xfd, 0x0c]);
      for (const lane of node.lanes ?? []) this.code.word(lane);
    }
  }

  #tree(node: Node): void {
    const [first] = node.args;
    if (node.kind === "const") return this.#constant(node);
    if (node.op?.splats === true && first?.kind === "load" && first.inline && first.args[0] !== undefined)
      return this.#load("v128.load32_splat", first.args[0], first.imm);
    if (node.kind === "load" && first !== undefined) return this.#load(`${node.type}.load`, first, node.imm);
    for (const arg of node.args) this.#value(arg);
    if (node.kind === "select") return this.code.byte(0x1b);
    if (node.op === undefined) throw new Error(`a ${node.kind} cannot be computed`);
    this.code.bytes(node.op.code);
    if (node.op.immediate === "lane") this.code.byte(node.imm);
    else if (node.op.immediate === "lanes") this.code.bytes(node.lanes ?? []);
  }

  #load(name: string, addr: Node, offset: number): void {
    this.#value(addr);
    this.code.bytes(opOf(name).code);
    this.#memory(offset);
  }

  /** Alignment (four bytes, a hint) and offset. */
  #memory(offset: number): void {
    this.code.byte(2);
    this.code.unsigned(offset);
  }

  #item(item: Item): void {
    switch (item.kind) {
      case "store":
        this.#value(item.addr);
        this.#value(item.value);
        this.code.bytes(STORES[item.type]);
        return this.#memory(item.offset);
      case "load":
        if (!item.node.live) return;
        this.#load(`${item.node.type}.load`, item.addr, item.offset);
        this.code.byte(0x21);
        return this.code.unsigned(this.#localOf(item.node));
      case "fill":
        this.#value(item.addr);
        this.code.bytes([0x41, 0, 0x41]);
        this.code.signed(item.bytes);
        return this.code.bytes([0xfc, 0x0b, 0]);
      case "set":
        return this.#assign(item.sets);
      case "jump":
        this.#assign(item.sets);
        return this.#branch(CODES.br, item.target);
      case "if":
        return this.#if(item);
      case "loop":
        return this.#loop(item);
      case "scope":
        return this.#labelled(item.hasJumps ? item : undefined, () => this.block(item.block));
    }
  }

  /** All values first, then all slots, so that slots may change places. */
  #assign(sets: readonly Assignment[]): void {
    const needed = sets.filter(
      ({ slot, value }) => slot.live && value !== slot && !(value.kind === "exit" && value.args[0] === slot),
    );
    for (const { value } of needed) this.#value(value);
    for (const { slot } of [...needed].reverse()) {
      this.code.byte(0x21);
      this.code.unsigned(this.#localOf(slot));
    }
  }

  #branch(code: number, target: LoopItem | ScopeItem | string): void {
    this.code.byte(code);
    this.code.unsigned(this.#labels.length - 1 - this.#labels.lastIndexOf(target));
  }

  #labelled(label: LoopItem | ScopeItem | string | undefined, body: () => void, code: number = CODES.block): void {
    if (label === undefined) return body();
    this.code.bytes([code, CODES.nothing]);
    this.#labels.push(label);
    body();
    this.#labels.pop();
    this.code.byte(CODES.end);
  }

  #if(item: IfItem): void {
    const start = this.code.length;
    this.#value(item.cond);
    this.code.bytes([CODES.if, CODES.nothing]);
    this.#labels.push("if");
    const opened = this.code.length;
    this.block(item.then);
    const middle = this.code.length;
    this.code.byte(CODES.else);
    this.block(item.otherwise);
    this.#labels.pop();
    if (this.code.length === middle + 1) {
      if (middle === opened) return this.code.cut(start);
      this.code.cut(middle);
    }
    this.code.byte(CODES.end);
  }

  #loop(item: LoopItem): void {
    this.#assign(item.phis.map(({ slot, init }) => ({ slot, value: init })));
    this.#labelled(item.hasJumps ? item : undefined, () => {
      this.#labelled(item.cond === undefined ? undefined : "leave", () => this.#turns(item));
      this.#assign(item.exitSets);
    });
  }

  /** The test stands before the loop and again at its end, so that a turn has one branch. */
  #turns(item: LoopItem): void {
    const { cond } = item;
    const next = (): void => this.#assign(item.phis.map(({ slot, next: value }) => ({ slot, value })));
    const leave = (): void => {
      if (cond === undefined) return;
      this.#value(cond);
      this.code.byte(0x45);
      this.#branch(CODES.brIf, "leave");
    };
    if (cond === undefined || item.header.items.length > SHORT_HEADER) {
      const turn = (): void => this.block(item.header, () => (leave(), this.block(item.body, next)), true);
      return this.#labelled("again", () => (turn(), this.#branch(CODES.br, "again")), CODES.loop);
    }
    this.block(item.header, leave, true);
    const again = (): void =>
      this.block(item.header, () => (this.#value(cond), this.#branch(CODES.brIf, "again")), true);
    this.#labelled("again", () => this.block(item.body, () => (next(), again())), CODES.loop);
  }
}
