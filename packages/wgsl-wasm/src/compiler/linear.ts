import type { Builder } from "./builder.ts";
import type { Block, LoopItem, Node } from "./ir.ts";
import { early } from "./schedule.ts";

/** counter * coefficient + … + atom * number + … + constant, modulo 2^32. */
export interface Linear {
  readonly counters: ReadonlyMap<Node, Node>;
  readonly atoms: ReadonlyMap<Node, number>;
  readonly constant: number;
}

/** Sums in sums: what lies deeper is no address. */
const DEEPEST = 64;

/** Takes 32-bit arithmetic apart as seen from one loop: what changes with its counters, and what does not change in it. */
export class LinearForms {
  readonly #b: Builder;
  readonly #header: Block;
  /** Counters of the loop, each with what a turn adds to it. */
  readonly steps = new Map<Node, Node>();
  readonly #invariant = new Map<Node, boolean>();
  readonly #forms = new Map<Node, Linear | undefined>();
  #depth = 0;

  constructor(b: Builder, loop: LoopItem) {
    this.#b = b;
    this.#header = loop.header;
    for (const { slot, next } of loop.phis) {
      const [x, y] = next.op?.name === "i32.add" ? next.args : [];
      const step = x === slot ? y : y === slot ? x : undefined;
      if (step !== undefined && this.isInvariant(step)) this.steps.set(slot, step);
    }
  }

  isInvariant(node: Node): boolean {
    const known = this.#invariant.get(node);
    if (known !== undefined) return known;
    let block = early(node)?.block;
    while (block !== undefined && block !== this.#header) block = block.parent?.block;
    this.#invariant.set(node, block === undefined);
    return block === undefined;
  }

  /** Undefined where the value changes in the loop otherwise than by its counters. */
  of(node: Node): Linear | undefined {
    if (this.#forms.has(node)) return this.#forms.get(node);
    if (this.#depth > DEEPEST) return undefined;
    this.#depth++;
    const form = this.#formOf(node);
    this.#depth--;
    this.#forms.set(node, form);
    return form;
  }

  #formOf(node: Node): Linear | undefined {
    if (node.kind === "const") return constantForm(node.imm);
    if (this.steps.has(node)) return { counters: new Map([[node, this.#b.i32(1)]]), atoms: NO_ATOMS, constant: 0 };
    const [x, y] = node.args;
    const invariant = this.isInvariant(node);
    if (x !== undefined && y !== undefined) {
      const form = this.#ofOperation(node.op?.name ?? "", x, y, invariant);
      if (form !== undefined) return form;
    }
    return invariant ? { counters: NO_COUNTERS, atoms: new Map([[node, 1]]), constant: 0 } : undefined;
  }

  #ofOperation(name: string, x: Node, y: Node, invariant: boolean): Linear | undefined {
    // A product of things that do not change is one thing that does not change.
    if (invariant && name === "i32.mul" && y.kind !== "const") return undefined;
    switch (name) {
      case "i32.add":
      case "i32.sub": {
        const left = this.of(x);
        const right = left === undefined ? undefined : this.of(y);
        return left === undefined || right === undefined
          ? undefined
          : this.#sum(left, right, name === "i32.add" ? 1 : -1);
      }
      case "i32.shl":
        return y.kind === "const" ? this.#scaled(x, this.#b.i32(1 << y.imm)) : undefined;
      case "i32.mul":
        if (y.kind === "const" || this.isInvariant(y)) return this.#scaled(x, y);
        return this.isInvariant(x) ? this.#scaled(y, x) : undefined;
      default:
        return undefined;
    }
  }

  #sum(x: Linear, y: Linear, sign: number): Linear {
    const constant = (x.constant + sign * y.constant) | 0;
    return {
      counters: this.#sumOfCounters(x.counters, y.counters, sign),
      atoms: sumOfAtoms(x.atoms, y.atoms, sign),
      constant,
    };
  }

  #sumOfCounters(x: Linear["counters"], y: Linear["counters"], sign: number): Linear["counters"] {
    if (y.size === 0) return x;
    const b = this.#b;
    const counters = new Map(x);
    for (const [counter, coefficient] of y) {
      const known = counters.get(counter) ?? b.i32(0);
      counters.set(counter, b.op(sign === 1 ? "i32.add" : "i32.sub", [known, coefficient]));
    }
    return counters;
  }

  #scaled(node: Node, by: Node): Linear | undefined {
    const b = this.#b;
    const form = this.of(node);
    if (form === undefined) return undefined;
    const counters = new Map([...form.counters].map(([counter, factor]) => [counter, b.op("i32.mul", [factor, by])]));
    if (by.kind === "const") {
      const atoms = new Map([...form.atoms].map(([atom, factor]) => [atom, Math.imul(factor, by.imm)]));
      return { counters, atoms, constant: Math.imul(form.constant, by.imm) };
    }
    const rest = this.restOf(form);
    const product = b.op("i32.mul", [rest, by]);
    if (product.kind === "const") return { ...constantForm(product.imm), counters };
    return { counters, atoms: new Map([[product, 1]]), constant: 0 };
  }

  /** All but the counters, as a value. */
  restOf({ atoms, constant }: Linear): Node {
    const b = this.#b;
    let sum: Node | undefined;
    for (const [atom, factor] of [...atoms].sort(([p], [q]) => p.id - q.id)) {
      if (factor === 0) continue;
      const term = b.op("i32.mul", [atom, b.i32(factor)]);
      sum = sum === undefined ? term : b.op("i32.add", [sum, term]);
    }
    return sum === undefined ? b.i32(constant) : b.op("i32.add", [sum, b.i32(constant)]);
  }
}

const NO_COUNTERS: Linear["counters"] = new Map();
const NO_ATOMS: Linear["atoms"] = new Map();

function constantForm(constant: number): Linear {
  return { counters: NO_COUNTERS, atoms: NO_ATOMS, constant };
}

function sumOfAtoms(x: Linear["atoms"], y: Linear["atoms"], sign: number): Linear["atoms"] {
  if (y.size === 0) return x;
  const atoms = new Map(x);
  for (const [atom, factor] of y) atoms.set(atom, ((atoms.get(atom) ?? 0) + sign * factor) | 0);
  return atoms;
}
