import type { Builder } from "./builder.ts";
import type { BoundVariable, MemoryVariable } from "./context.ts";
import type { Node } from "./ir.ts";
import { strideOf, type ArrayType } from "./types.ts";

/** Parameters of `run`, by number. */
export const PARAMETERS = {
  begin: 0,
  end: 1,
  groupsX: 2,
  groupsY: 3,
  groupsZ: 4,
  scratch: 5,
  bindings: 6,
} as const;

/** Bytes at the start of the scratch area that hold the fault word, in modules that check indices. */
export const FAULT_BYTES = 16;

/** Where bindings and workgroup variables lie in linear memory. */
export class Memory {
  readonly #b: Builder;
  readonly clamp: boolean;

  constructor(b: Builder, clamp: boolean) {
    this.#b = b;
    this.clamp = clamp;
  }

  addressOf(variable: MemoryVariable): { readonly addr: Node; readonly offset: number } {
    const b = this.#b;
    if (variable.kind === "workgroup") return { addr: b.param(PARAMETERS.scratch), offset: variable.offset };
    return { addr: b.constantLoad("i32", b.param(PARAMETERS.bindings), 8 * variable.order), offset: 0 };
  }

  /** Elements of an array: what its type says, or what the binding holds. */
  lengthOf(variable: MemoryVariable, type: ArrayType): Node {
    const b = this.#b;
    if (type.length !== undefined || variable.kind === "workgroup") return b.i32(type.length ?? 0);
    const bytes = b.constantLoad("i32", b.param(PARAMETERS.bindings), 8 * variable.order + 4);
    return b.op("i32.div_u", [bytes, b.i32(strideOf(type))]);
  }

  /** An index moved into its array; one that had to be is reported in the fault word. */
  clampIndex(variable: MemoryVariable, index: Node, type: ArrayType): Node {
    const b = this.#b;
    const length = this.lengthOf(variable, type);
    if (index.kind === "const" && length.kind === "const" && index.imm >>> 0 < length.imm) return index;
    const outside = b.op("i32.ge_u", [index, length]);
    const report = b.block.child();
    const order = variable.kind === "binding" ? variable.order : 0xffff;
    report.items.push({
      kind: "store",
      type: "i32",
      addr: b.param(PARAMETERS.scratch),
      offset: 0,
      value: b.i32(order + 1),
    });
    const otherwise = b.block.child();
    b.add({ kind: "if", cond: outside, then: report, otherwise });
    // An empty binding has no element to move to; nothing is bound that is empty.
    return b.select(outside, b.op("i32.sub", [length, b.i32(1)]), index);
  }
}

/** A binding as the module tells its user. */
export function describe({ group, binding, name, access, byteStride }: BoundVariable): {
  group: number;
  binding: number;
  name: string;
  access: BoundVariable["access"];
  byteStride: number;
} {
  return { group, binding, name, access, byteStride };
}
