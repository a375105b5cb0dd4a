import type { Expression } from "./ast.ts";
import { memberOf, type MemoryVariable } from "./context.ts";
import type { Variable } from "./environment.ts";
import { WgslError, type Place } from "./errors.ts";
import type { Node } from "./ir.ts";
import { lanesIn } from "./swizzle.ts";
import type { Machine } from "./machine.ts";
import { memberOffsets, partCount, scalarType, strideOf, typeText, type Type } from "./types.ts";
import { coerce, laneOf, numeric, partTypes, wasmType, type Value } from "./values.ts";

/** A part of a variable: its parts from `start` on, or one lane of the vec4 there. */
interface VariableReference {
  readonly kind: "variable";
  readonly variable: Variable;
  readonly type: Type;
  readonly start: number;
  readonly lane?: number;
}

/** A part of a binding or of workgroup memory. */
interface MemoryReference {
  readonly kind: "memory";
  readonly variable: MemoryVariable;
  readonly type: Type;
  readonly addr: Node;
  readonly offset: number;
  /** True for a lane of a vec4<bool>, which lies there as a mask. */
  readonly mask?: boolean;
}

export type Reference = VariableReference | MemoryReference;

/** What an expression refers to, or undefined if it is a value that lies nowhere. */
export function referenceOf(m: Machine, expression: Expression): Reference | undefined {
  switch (expression.kind) {
    case "name":
      return nameReference(m, expression.name);
    case "member": {
      const base = referenceOf(m, expression.base);
      return base === undefined ? undefined : memberReference(base, expression.member, expression);
    }
    case "index": {
      const base = referenceOf(m, expression.base);
      if (base === undefined) return undefined;
      return indexReference(m, base, indexNode(m, expression.index), expression);
    }
    default:
      return undefined;
  }
}

function nameReference(m: Machine, name: string): Reference | undefined {
  const binding = m.scope.find(name);
  if (binding?.kind === "variable")
    return { kind: "variable", variable: binding.variable, type: binding.variable.type, start: 0 };
  if (binding !== undefined) return undefined;
  const variable = m.context.memory.get(name);
  if (variable === undefined) return undefined;
  const { addr, offset } = m.memory.addressOf(variable);
  return { kind: "memory", variable, type: variable.type, addr, offset };
}

function memberReference(base: Reference, member: string, place: Place): Reference | undefined {
  const { type } = base;
  if (type.kind === "struct") {
    const found = memberOf(type, member);
    if (found === undefined) throw new WgslError("name", place, `${type.name} has no member ${member}`);
    if (base.kind === "memory") return { ...base, type: found.type, offset: base.offset + found.offset };
    const before = type.members.slice(0, found.index).reduce((sum, { type: t }) => sum + partCount(t), 0);
    return { ...base, type: found.type, start: base.start + before };
  }
  if (type.kind !== "vector") throw new WgslError("type", place, `${typeText(type)} has no members`);
  const lanes = lanesIn(member, type.size, place);
  const [lane] = lanes;
  return lanes.length > 1 || lane === undefined ? undefined : laneReference(base, lane);
}

function laneReference(base: Reference, lane: number): Reference {
  const scalar = base.type.kind === "vector" ? base.type.scalar : "f32";
  const type = scalarType(scalar);
  const wide = base.type.kind === "vector" && base.type.size === 4;
  if (base.kind === "memory") return { ...base, type, offset: base.offset + 4 * lane, mask: wide && scalar === "bool" };
  return wide ? { ...base, type, lane } : { ...base, type, start: base.start + lane };
}

function indexNode(m: Machine, expression: Expression): Node {
  const value = numeric(m.b, m.evaluate(expression), expression, "i32");
  const [node] = value.parts;
  if (node === undefined || value.type.kind !== "scalar" || wasmType(value.type.scalar) !== "i32")
    throw new WgslError("type", expression, `an index is i32 or u32, not ${typeText(value.type)}`);
  return node;
}

function indexReference(m: Machine, base: Reference, index: Node, place: Place): Reference {
  const { type } = base;
  if (type.kind === "vector") {
    if (index.kind !== "const")
      throw new WgslError("private-array", place, "lanes of a vector are chosen by constants (after unrolling)");
    return laneReference(base, inRange(index.imm, type.size, place));
  }
  if (type.kind !== "array") throw new WgslError("type", place, `${typeText(type)} has no elements`);
  if (base.kind === "variable") {
    if (index.kind !== "const")
      throw new WgslError(
        "private-array",
        place,
        "private arrays are indexed by constants, after unrolling loops of at most 16 trips",
      );
    const at = inRange(index.imm, type.length ?? 0, place);
    return { ...base, type: type.element, start: base.start + at * partCount(type.element) };
  }
  if (index.kind === "const" && type.length !== undefined) inRange(index.imm, type.length, place);
  const stride = strideOf(type);
  const checked = m.memory.clamp ? m.memory.clampIndex(base.variable, index, type) : index;
  if (checked.kind === "const" && checked.imm >= 0 && checked.imm < 1 << 20)
    return { ...base, type: type.element, offset: base.offset + checked.imm * stride };
  const bytes = m.b.op("i32.mul", [checked, m.b.i32(stride)]);
  return { ...base, type: type.element, addr: m.b.op("i32.add", [base.addr, bytes]) };
}

function inRange(index: number, length: number, place: Place): number {
  if (index < 0 || index >= length) throw new WgslError("type", place, `index ${index} is outside [0, ${length})`);
  return index;
}

export function loadReference(m: Machine, reference: Reference, place: Place): Value {
  if (reference.kind === "memory") {
    const parts = loadParts(m, reference, reference.type, reference.offset, place);
    const lane = (bits: Node): Node => m.b.op("i32.and", [bits, m.b.i32(1)]);
    return { type: reference.type, parts: reference.mask === true ? parts.map(lane) : parts };
  }
  const parts = m.read(reference.variable).slice(reference.start, reference.start + partCount(reference.type));
  const [first] = parts;
  const { lane, type } = reference;
  if (lane === undefined || first === undefined || type.kind !== "scalar") return { type: reference.type, parts };
  return { type, parts: [laneOf(m.b, first, type.scalar, lane)] };
}

function loadParts(m: Machine, ref: MemoryReference, type: Type, offset: number, place: Place): Node[] {
  const load = (part: "i32" | "f32" | "v128", at: number): Node => loadOne(m, ref, part, at);
  switch (type.kind) {
    case "scalar":
      return [load(wasmType(type.scalar), offset)];
    case "vector":
      return partTypes(type).map((part, k) => load(part, offset + 4 * k));
    case "struct": {
      const offsets = memberOffsets(type);
      return type.members.flatMap((member, k) => loadParts(m, ref, member.type, offset + (offsets[k] ?? 0), place));
    }
    case "array": {
      if (type.length === undefined) throw new WgslError("type", place, `${ref.variable.name} cannot be read whole`);
      return Array.from({ length: type.length }, (_, k) =>
        loadParts(m, ref, type.element, offset + k * strideOf(type), place),
      ).flat();
    }
    case "abstract":
      return [];
  }
}

function loadOne(m: Machine, ref: MemoryReference, type: "i32" | "f32" | "v128", offset: number): Node {
  const { variable, addr } = ref;
  if (variable.kind === "workgroup" || variable.access === "read_write") return m.b.orderedLoad(type, addr, offset);
  // An element that an index chooses may lie anywhere until a guard has been passed.
  const exists = variable.access === "uniform" && addr === m.memory.addressOf(variable).addr;
  return exists ? m.b.constantLoad(type, addr, offset) : m.b.readOnlyLoad(type, addr, offset);
}

export function storeReference(m: Machine, reference: Reference, value: Value, place: Place): void {
  const { parts } = coerce(m.b, value, reference.type, place);
  if (reference.kind === "variable") return storeVariable(m, reference, parts);
  const { variable } = reference;
  if (variable.kind === "binding" && variable.access !== "read_write")
    throw new WgslError("binding", place, `${variable.name} is only read`);
  if (m.once) throw new WgslError("barrier", place, "the header of a loop that holds a barrier may not write memory");
  const mask = (truth: Node): Node => m.b.op("i32.sub", [m.b.i32(0), truth]);
  storeParts(m, reference, reference.type, reference.mask === true ? parts.map(mask) : parts, place);
}

function storeVariable(m: Machine, { variable, start, lane, type }: VariableReference, parts: readonly Node[]): void {
  const whole = [...m.read(variable)];
  const [first] = parts;
  const old = whole[start];
  if (lane !== undefined && type.kind === "scalar" && first !== undefined && old !== undefined) {
    const bits = type.scalar === "bool" ? m.b.op("i32.sub", [m.b.i32(0), first]) : first;
    whole[start] = m.b.op(`${type.scalar === "f32" ? "f32x4" : "i32x4"}.replace_lane`, [old, bits], lane);
  } else whole.splice(start, parts.length, ...parts);
  m.write(variable, whole);
}

function storeParts(m: Machine, ref: MemoryReference, type: Type, parts: readonly Node[], place: Place): void {
  if (type.kind === "scalar" || type.kind === "vector") {
    partTypes(type).forEach((part, k) => {
      const node = parts[k];
      if (node !== undefined) m.b.store(part, ref.addr, ref.offset + 4 * k, node);
    });
    return;
  }
  if (type.kind === "abstract") return;
  const fields =
    type.kind === "struct"
      ? type.members.map((member, k) => ({ type: member.type, at: memberOffsets(type)[k] ?? 0 }))
      : Array.from({ length: type.length ?? 0 }, (_, k) => ({ type: type.element, at: k * strideOf(type) }));
  let start = 0;
  for (const field of fields) {
    const count = partCount(field.type);
    storeParts(m, { ...ref, offset: ref.offset + field.at }, field.type, parts.slice(start, start + count), place);
    start += count;
  }
}
