import type { Builder } from "./builder.ts";
import { operandsFirst } from "./chains.ts";
import type { Block, Node } from "./ir.ts";
import { PARAMETERS } from "./memory.ts";
import { invocations, type Three } from "./workgroup.ts";

/** Values of up to this many operations are computed again rather than stored. */
const CHEAP = 24;

/** Where one part of a value is between two pieces. */
export type Kept =
  | { readonly kind: "uniform"; readonly node: Node }
  | { readonly kind: "again"; readonly node: Node; readonly local: Three }
  | { readonly kind: "row"; readonly row: Row };

/** One value of every invocation, side by side. */
export interface Row {
  readonly offset: number;
  readonly type: Node["type"];
}

/** What invocations take from one piece of an entry point to the next. */
export class Rows {
  readonly #b: Builder;
  readonly #size: readonly [number, number, number];
  /** Where the rows begin in the scratch area. */
  readonly #start: number;
  /** Bytes of scratch memory that the rows take. */
  bytes = 0;
  /** Blocks in which there is one invocation. */
  readonly #inside = new Set<Block>();

  readonly #uniform = new Map<Node, boolean>();

  constructor(b: Builder, size: readonly [number, number, number], start: number) {
    this.#b = b;
    this.#size = size;
    this.#start = start;
  }

  markInside(block: Block): void {
    this.#inside.add(block);
  }

  invocations(body: (local: Three) => void): void {
    const outer = this.#b.block;
    invocations(this.#b, this.#size, (local) => {
      let block = this.#b.block;
      // The outermost block of the nest tells what is inside.
      while (block.parent !== undefined && block.parent.block !== outer) block = block.parent.block;
      if (block !== outer) this.#inside.add(block);
      body(local);
    });
  }

  /** True if the value is the same in all invocations of a workgroup: nothing in it comes from inside one. */
  isUniform(node: Node): boolean {
    operandsFirst(
      node,
      (each) => this.#uniform.has(each),
      (each) => this.#uniform.set(each, this.#findUniform(each)),
    );
    return this.#uniform.get(node) === true;
  }

  #findUniform(node: Node): boolean {
    let block = node.pin?.block;
    while (block !== undefined && !this.#inside.has(block)) block = block.parent?.block;
    // What others write meanwhile is not the same for all, wherever it is read.
    const written = node.kind === "load" && node.args.length === 0;
    return (
      block === undefined &&
      !written &&
      (node.kind === "exit" || node.args.every((arg) => this.#uniform.get(arg) === true))
    );
  }

  restore(kept: Kept, local: Three): Node {
    const b = this.#b;
    if (kept.kind === "uniform") return kept.node;
    if (kept.kind === "row")
      return b.orderedLoad(kept.row.type, this.#address(kept.row, local), this.#start + kept.row.offset);
    return this.#again(kept.node, kept.local, local, new Map());
  }

  /** The same computation for the invocation `to` instead of `from`. */
  #again(node: Node, from: Three, to: Three, known: Map<Node, Node>): Node {
    const at = from.indexOf(node);
    if (at >= 0) return to[at] ?? node;
    if (this.isUniform(node)) return node;
    const done = known.get(node);
    if (done !== undefined) return done;
    const b = this.#b;
    const args = node.args.map((arg) => this.#again(arg, from, to, known));
    const [x, y, z] = args;
    const result =
      node.op !== undefined
        ? b.op(node.op.name, args, node.imm, node.lanes)
        : x !== undefined && y !== undefined && z !== undefined
          ? b.select(z, x, y)
          : node;
    known.set(node, result);
    return result;
  }

  #address(row: Row, local: Three): Node {
    const b = this.#b;
    const plane = b.op("i32.add", [b.op("i32.mul", [local[2], b.i32(this.#size[1])]), local[1]]);
    const index = b.op("i32.add", [b.op("i32.mul", [plane, b.i32(this.#size[0])]), local[0]]);
    const bytes = b.op("i32.mul", [index, b.i32(row.type === "v128" ? 16 : 4)]);
    return b.op("i32.add", [b.param(PARAMETERS.scratch), bytes]);
  }

  newRow(type: Node["type"]): Row {
    const row = { offset: this.bytes, type };
    const [x, y, z] = this.#size;
    this.bytes += Math.ceil((x * y * z * (type === "v128" ? 16 : 4)) / 16) * 16;
    return row;
  }

  store(part: Node, row: Row, local: Three): void {
    this.#b.store(row.type, this.#address(row, local), this.#start + row.offset, part);
  }

  /** True for a few operations on the invocation's place and on uniform values. */
  isCheap(node: Node, local: Three): boolean {
    let count = 0;
    const look = (each: Node): boolean => {
      if (local.includes(each) || this.isUniform(each)) return true;
      return ++count <= CHEAP && (each.kind === "op" || each.kind === "select") && each.args.every(look);
    };
    return look(node);
  }
}
