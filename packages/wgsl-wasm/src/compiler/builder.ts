import { bitsOf, foldLane, isComparison } from "./fold.ts";
import { Block, Node, type Item, type NodeKind, type Position } from "./ir.ts";
import { opOf, type Op, type ValueType } from "./ops.ts";
import { simplify } from "./simplify.ts";

/** Makes nodes: equal ones once, constants folded, simple identities applied. Items go to the current block. */
export class Builder {
  readonly entry = new Block(undefined, undefined, 0);
  block: Block = this.entry;
  readonly relaxed: boolean;
  /** How many sums are being taken apart, one for another. */
  depth = 0;
  /** Nodes by hash; those with the same one hang on each other. */
  readonly #known = new Map<number, Node>();
  readonly #integers = new Map<number, Node>();
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
    let node = this.#integers.get(value);
    if (node === undefined)
      this.#integers.set(value, (node = this.#shared("const", "i32", undefined, NONE, value | 0)));
    return node;
  }

  f32(value: number): Node {
    return this.#shared("const", "f32", undefined, NONE, bitsOf(value));
  }

  bits(type: "i32" | "f32", word: number): Node {
    return this.#shared("const", type, undefined, NONE, word | 0);
  }

  v128(lanes: readonly number[]): Node {
    return this.#shared("const", "v128", undefined, NONE, 0, lanes);
  }

  param(index: number): Node {
    return this.#shared("param", "i32", undefined, NONE, index);
  }

  /** A value that ways into the current place will set. */
  slot(type: ValueType, block: Block = this.block, index: number = block.items.length): Node {
    return this.#pinned("slot", type, NONE, 0, { block, index });
  }

  /** What a loop's slot holds after the loop: the same local, known only from here on. */
  exit(slot: Node): Node {
    return this.#pinned("exit", slot.type, [slot], 0, this.block.end);
  }

  op(name: string, args: readonly Node[], imm = 0, lanes?: readonly number[]): Node {
    const op = opOf(name);
    const simpler = this.#fold(op, args) ?? simplify(this, name, args, imm);
    if (simpler !== undefined) return simpler;
    return this.#shared("op", op.type, op, op.commutes ? inOrder(args) : args, imm, lanes);
  }

  select(cond: Node, then: Node, otherwise: Node): Node {
    if (then === otherwise) return then;
    if (cond.kind === "const") return cond.imm !== 0 ? then : otherwise;
    return this.#shared("select", then.type, undefined, [then, otherwise, cond], 0);
  }

  /** A load that may happen at any time: from memory nobody writes, at an address that always exists. */
  constantLoad(type: ValueType, addr: Node, offset: number): Node {
    return this.#shared("load", type, undefined, [addr], offset);
  }

  /** A load from memory that the kernel does not write, valid from here on. */
  readOnlyLoad(type: ValueType, addr: Node, offset: number): Node {
    const key = `${type}${addr.id}+${offset}`;
    for (let block: Block | undefined = this.block; block !== undefined; block = block.parent?.block) {
      const known = block.loads.get(key);
      if (known !== undefined) return known;
    }
    const load = this.#pinned("load", type, [addr], offset, this.block.end);
    this.block.loads.set(key, load);
    return load;
  }

  /** A load that happens exactly here. */
  orderedLoad(type: ValueType, addr: Node, offset: number): Node {
    const pin = { block: this.block, index: this.block.items.length + 1 };
    const node = this.#pinned("load", type, NONE, offset, pin);
    this.add({ kind: "load", node, addr, offset });
    return node;
  }

  store(type: ValueType, addr: Node, offset: number, value: Node): void {
    this.add({ kind: "store", type, addr, offset, value });
  }

  #fold({ name, type }: Op, args: readonly Node[]): Node | undefined {
    for (const arg of args) if (arg.kind !== "const") return undefined;
    if (type !== "v128") {
      const word = args.some((arg) => arg.type === "v128")
        ? undefined
        : foldLane(
            name,
            args.map((arg) => arg.imm),
          );
      return word === undefined ? undefined : this.bits(type, word);
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

  #pinned(kind: NodeKind, type: ValueType, args: readonly Node[], imm: number, pin: Position): Node {
    return new Node(this.#count++, kind, type, undefined, args, imm, undefined, pin);
  }

  #shared(
    kind: NodeKind,
    type: ValueType,
    op: Op | undefined,
    args: readonly Node[],
    imm: number,
    lanes?: readonly number[],
  ): Node {
    const hash = hashOf(kind, type, op, args, imm, lanes);
    const first = this.#known.get(hash);
    for (let node = first; node !== undefined; node = node.alike)
      if (
        node.kind === kind &&
        node.type === type &&
        node.op === op &&
        node.imm === imm &&
        equal(node.args, args) &&
        equal(node.lanes ?? NONE, lanes ?? NONE)
      )
        return node;
    const made = new Node(this.#count++, kind, type, op, args, imm, lanes, undefined);
    made.alike = first;
    this.#known.set(hash, made);
    return made;
  }
}

const NONE: readonly never[] = [];

/** Constants last, else by age, so that a + b and b + a are one node. */
function inOrder(args: readonly Node[]): readonly Node[] {
  const [a, b] = args;
  if (a === undefined || b === undefined) return args;
  return a.kind === "const" || (a.id > b.id && b.kind !== "const") ? [b, a] : args;
}

function hashOf(
  kind: NodeKind,
  type: ValueType,
  op: Op | undefined,
  args: readonly Node[],
  imm: number,
  lanes?: readonly number[],
): number {
  let hash = (op?.id ?? kind.length) * 31 + imm * 7 + type.length;
  for (const arg of args) hash = (hash * 33 + arg.id + 1) | 0;
  if (lanes !== undefined) for (const lane of lanes) hash = (hash * 33 + lane + 1) | 0;
  return hash | 0;
}

function equal<T>(a: readonly T[], b: readonly T[]): boolean {
  if (a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}
