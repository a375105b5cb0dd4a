import { bitsOf, foldLane, isComparison } from "./fold.ts";
import { Block, Node, type Item, type NodeParts } from "./ir.ts";
import { OPS, opOf, type ValueType } from "./ops.ts";
import { simplify } from "./simplify.ts";

/** Makes nodes: equal ones once, constants folded, simple identities applied. Items go to the current block. */
export class Builder {
  readonly entry = new Block(undefined, undefined, 0);
  block: Block = this.entry;
  readonly relaxed: boolean;
  readonly #known = new Map<number, Node[]>();
  #count = 0;

  constructor(relaxed: boolean) {
    this.relaxed = relaxed;
  }

  add(item: Item): void {
    this.block.items.push(item);
  }

  /** Runs `build` with `block` as the current one. */
  inside<T>(block: Block, build: () => T): T {
    const outer = this.block;
    this.block = block;
    const result = build();
    this.block = outer;
    return result;
  }

  i32(value: number): Node {
    return this.#shared({ kind: "const", type: "i32", imm: value | 0 });
  }

  f32(value: number): Node {
    return this.#shared({ kind: "const", type: "f32", imm: bitsOf(value) });
  }

  bits(type: "i32" | "f32", word: number): Node {
    return this.#shared({ kind: "const", type, imm: word | 0 });
  }

  v128(lanes: readonly number[]): Node {
    return this.#shared({ kind: "const", type: "v128", lanes });
  }

  param(index: number): Node {
    return this.#shared({ kind: "param", type: "i32", imm: index });
  }

  /** A value that ways into the current place will set. */
  slot(type: ValueType, block: Block = this.block, index: number = block.items.length): Node {
    return this.#fresh({ kind: "slot", type, pin: { block, index } });
  }

  /** What a loop's slot holds after the loop: the same local, known only from here on. */
  exit(slot: Node): Node {
    return this.#fresh({ kind: "exit", type: slot.type, args: [slot], pin: this.block.end });
  }

  op(name: string, args: readonly Node[], imm = 0, lanes?: readonly number[]): Node {
    const folded = this.#fold(name, args) ?? simplify(this, name, args, imm);
    if (folded !== undefined) return folded;
    const op = opOf(name);
    const [a, b] = args;
    // Constants last, else by age, so that a + b and b + a are one node.
    const swap =
      op.commutes && a !== undefined && b !== undefined && (a.kind === "const" || (a.id > b.id && b.kind !== "const"));
    return this.#shared({ kind: "op", type: op.type, op, args: swap ? [b, a] : args, imm, lanes });
  }

  select(cond: Node, then: Node, otherwise: Node): Node {
    if (then === otherwise) return then;
    if (cond.kind === "const") return cond.imm !== 0 ? then : otherwise;
    return this.#shared({ kind: "select", type: then.type, args: [then, otherwise, cond] });
  }

  /** A load that may happen at any time: from memory nobody writes, at an address that always exists. */
  constantLoad(type: ValueType, addr: Node, offset: number): Node {
    return this.#shared({ kind: "load", type, args: [addr], imm: offset });
  }

  /** A load from memory that the kernel does not write, valid from here on. */
  readOnlyLoad(type: ValueType, addr: Node, offset: number): Node {
    const key = `${type}${addr.id}+${offset}`;
    for (let block: Block | undefined = this.block; block !== undefined; block = block.parent?.block) {
      const known = block.loads.get(key);
      if (known !== undefined) return known;
    }
    const load = this.#fresh({ kind: "load", type, args: [addr], imm: offset, pin: this.block.end });
    this.block.loads.set(key, load);
    return load;
  }

  /** A load that happens exactly here. */
  orderedLoad(type: ValueType, addr: Node, offset: number): Node {
    const pin = { block: this.block, index: this.block.items.length + 1 };
    const node = this.#fresh({ kind: "load", type, imm: offset, pin });
    this.add({ kind: "load", node, addr, offset });
    return node;
  }

  store(type: ValueType, addr: Node, offset: number, value: Node): void {
    this.add({ kind: "store", type, addr, offset, value });
  }

  #fold(name: string, args: readonly Node[]): Node | undefined {
    for (const arg of args) if (arg.kind !== "const") return undefined;
    const type = OPS.get(name)?.type;
    if (type !== "v128") {
      const word = args.some((arg) => arg.type === "v128")
        ? undefined
        : foldLane(
            name,
            args.map((arg) => arg.imm),
          );
      return word === undefined || type === undefined ? undefined : this.bits(type, word);
    }
    if (args.some((arg) => arg.lanes === undefined)) return undefined;
    const lanes: number[] = [];
    for (let k = 0; k < 4; k++) {
      const word = foldLane(
        name,
        args.map((arg) => arg.lanes?.[k] ?? 0),
      );
      if (word === undefined) return undefined;
      lanes.push(isComparison(name) ? -word : word);
    }
    return this.v128(lanes);
  }

  #fresh(parts: NodeParts): Node {
    return new Node(this.#count++, parts);
  }

  #shared(parts: NodeParts): Node {
    let hash = (parts.op?.id ?? parts.kind.length) * 31 + (parts.imm ?? 0) * 7 + parts.type.length;
    for (const arg of parts.args ?? []) hash = (hash * 33 + arg.id + 1) | 0;
    for (const lane of parts.lanes ?? []) hash = (hash * 33 + lane + 1) | 0;
    const bucket = this.#known.get(hash);
    if (bucket === undefined) {
      const node = this.#fresh(parts);
      this.#known.set(hash, [node]);
      return node;
    }
    const known = bucket.find((node) => same(node, parts));
    if (known !== undefined) return known;
    const node = this.#fresh(parts);
    bucket.push(node);
    return node;
  }
}

function same(node: Node, parts: NodeParts): boolean {
  if (node.kind !== parts.kind || node.type !== parts.type || node.op !== parts.op) return false;
  if (node.imm !== (parts.imm ?? 0) || node.pin !== undefined) return false;
  return equal(node.args, parts.args ?? []) && equal(node.lanes ?? [], parts.lanes ?? []);
}

function equal<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, k) => item === b[k]);
}
