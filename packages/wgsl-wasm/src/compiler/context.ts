import type {
  Attribute,
  Declaration,
  Expression,
  FunctionDeclaration,
  GlobalDeclaration,
  Module,
  TypeName,
} from "./ast.ts";
import { WgslError, type Place } from "./errors.ts";
import {
  layoutOf,
  memberOffsets,
  roundUp,
  simpleType,
  sizeOf,
  strideOf,
  typeText,
  vectorType,
  type StructType,
  type Type,
} from "./types.ts";
import type { Value } from "./values.ts";

/** A storage or uniform binding. */
export interface BoundVariable {
  readonly kind: "binding";
  readonly name: string;
  readonly group: number;
  readonly binding: number;
  readonly access: "uniform" | "read" | "read_write";
  readonly type: Type;
  readonly byteStride: number;
  /** Its place in the table that `run` is given. */
  order: number;
}

/** A workgroup variable: bytes of the scratch area. */
export interface WorkgroupVariable {
  readonly kind: "workgroup";
  readonly name: string;
  readonly type: Type;
  readonly offset: number;
}

export type MemoryVariable = BoundVariable | WorkgroupVariable;

/** What a module declares, with types resolved and memory laid out. */
export class Context {
  readonly module: Module;
  readonly bindings: readonly BoundVariable[];
  readonly memory = new Map<string, MemoryVariable>();
  /** Bytes of workgroup memory, at `workgroupStart` in the scratch area. */
  readonly workgroupStart: number;
  readonly workgroupBytes: number;
  readonly constants = new Map<string, Value>();
  readonly #types = new Map<string, Type>();
  /** Evaluates a constant expression of a context to a whole number. */
  readonly evaluate: (expression: Expression, context: Context) => number;

  constructor(module: Module, evaluate: (expression: Expression, context: Context) => number, workgroupStart: number) {
    this.module = module;
    this.evaluate = evaluate;
    this.workgroupStart = workgroupStart;
    let at = workgroupStart;
    const bindings: BoundVariable[] = [];
    for (const item of module.values()) {
      if (item.kind !== "global") continue;
      const variable = item.space === "workgroup" ? this.#workgroup(item, roundUp(at, 16)) : this.#binding(item);
      if (variable.kind === "workgroup") at = variable.offset + layoutOf(variable.type).bytes;
      else if (bindings.some(({ group, binding }) => group === variable.group && binding === variable.binding))
        throw new WgslError("binding", item, `${item.name}: its @group and @binding are taken`);
      else bindings.push(variable);
      this.memory.set(item.name, variable);
    }
    this.workgroupBytes = roundUp(at, 16) - workgroupStart;
    bindings.sort((a, b) => a.group - b.group || a.binding - b.binding);
    bindings.forEach((binding, order) => (binding.order = order));
    this.bindings = bindings;
  }

  whole(expression: Expression): number {
    return this.evaluate(expression, this);
  }

  function(name: string): FunctionDeclaration | undefined {
    const item = this.module.get(name);
    return item?.kind === "function" ? item : undefined;
  }

  /** A type by name, aliases followed; undefined if it names something else. */
  type(name: TypeName): Type | undefined {
    if (name.args.length > 0) return this.#templated(name);
    const known = this.#types.get(name.name) ?? simpleType(name.name);
    if (known !== undefined) return known;
    const item = this.module.get(name.name);
    const type = item === undefined ? undefined : this.#declared(item);
    if (type !== undefined) this.#types.set(name.name, type);
    return type;
  }

  mustType(name: TypeName): Type {
    const type = this.type(name);
    if (type === undefined) throw new WgslError("type", name, `${name.name} is no type of the subset`);
    return type;
  }

  #declared(item: Declaration): Type | undefined {
    if (item.kind === "alias") return this.mustType(item.type);
    if (item.kind !== "struct") return undefined;
    const members = item.members.map(({ name, type, attributes }) => {
      if (attributes.some((attribute) => attribute.name === "align" || attribute.name === "size"))
        throw new WgslError("unsupported", type, "@align and @size are outside the subset");
      return { name, type: this.mustType(type) };
    });
    return { kind: "struct", name: item.name, members } satisfies StructType;
  }

  #templated(name: TypeName): Type | undefined {
    const [first, second] = name.args;
    if (first === undefined || "kind" in first) throw new WgslError("type", name, `${name.name} of what?`);
    const vector = /^vec([234])$/.exec(name.name);
    if (vector !== null) {
      const element = this.mustType(first);
      if (element.kind !== "scalar") throw new WgslError("type", name, `no vector of ${typeText(element)}`);
      return vectorType(sizeOf(vector[1]), element.scalar);
    }
    if (name.name !== "array") throw new WgslError("type", name, `${name.name} is outside the subset`);
    if (second !== undefined && !("kind" in second)) throw new WgslError("type", name, "an array's length is a number");
    const length = second === undefined ? undefined : this.whole(second);
    if (length !== undefined && length < 1) throw new WgslError("type", name, `an array of ${length} elements`);
    return { kind: "array", element: this.mustType(first), length };
  }

  #workgroup(item: GlobalDeclaration, offset: number): WorkgroupVariable {
    return { kind: "workgroup", name: item.name, type: this.mustType(item.type), offset };
  }

  #binding(item: GlobalDeclaration): BoundVariable {
    const { name, space } = item;
    if (space !== "storage" && space !== "uniform")
      throw new WgslError("unsupported", item, `module variables in ${space} are outside the subset`);
    const type = this.mustType(item.type);
    const access = space === "uniform" ? "uniform" : item.access;
    if (access !== "uniform" && access !== "read" && access !== "read_write")
      throw new WgslError("binding", item, `access ${access} is outside the subset`);
    const flat = type.kind === "array" && type.length === undefined;
    if (access !== "uniform" && (!flat || (type.element.kind !== "scalar" && type.element.kind !== "vector")))
      throw new WgslError("binding", item, `storage is a flat array of scalars or vectors, not ${typeText(type)}`);
    const byteStride = type.kind === "array" ? strideOf(type) : layoutOf(type).bytes;
    const group = this.#attribute(item.attributes, "group", item);
    const binding = this.#attribute(item.attributes, "binding", item);
    return { kind: "binding", name, group, binding, access, type, byteStride, order: 0 };
  }

  #attribute(attributes: readonly Attribute[], name: string, place: Place): number {
    const [value] = attributes.find((attribute) => attribute.name === name)?.args ?? [];
    if (value === undefined) throw new WgslError("binding", place, `@${name} is missing`);
    return this.whole(value);
  }
}

/** Byte offset of a member, and its type. */
export function memberOf(type: StructType, name: string): { index: number; offset: number; type: Type } | undefined {
  const index = type.members.findIndex((member) => member.name === name);
  const member = type.members[index];
  return member === undefined ? undefined : { index, offset: memberOffsets(type)[index] ?? 0, type: member.type };
}
