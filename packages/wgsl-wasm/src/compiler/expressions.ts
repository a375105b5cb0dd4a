import { abstractElement, abstractLanes, abstractValue } from "./abstract.ts";
import type { Expression } from "./ast.ts";
import { callBuiltin, isBuiltin } from "./builtins.ts";
import { bitcast, construct, constructArray, constructVector } from "./convert.ts";
import { WgslError, type Place } from "./errors.ts";
import { callLibrary, isLibrary } from "./library.ts";
import type { Machine } from "./machine.ts";
import { binary, unary } from "./operators.ts";
import { loadReference, referenceOf } from "./references.ts";
import { lanesIn, swizzle } from "./swizzle.ts";
import {
  ABSTRACT_FLOAT,
  ABSTRACT_INT,
  BOOL,
  F32,
  I32,
  partCount,
  typeText,
  U32,
  type AbstractType,
  type ScalarType,
  type Type,
} from "./types.ts";
import { abstractOf, coerce, constantOf, numeric, type Value } from "./values.ts";
import { memberOf } from "./context.ts";

export function evaluate(m: Machine, expression: Expression): Value {
  switch (expression.kind) {
    case "literal":
      return literal(m, expression);
    case "name":
      return named(m, expression);
    case "unary":
      if (expression.operator === "&" || expression.operator === "*")
        throw new WgslError("pointer", expression, "pointers are outside the subset");
      return unary(m.b, expression.operator, evaluate(m, expression.operand), expression);
    case "binary":
      if (expression.operator === "&&" || expression.operator === "||") return shortCircuit(m, expression);
      return binary(m.b, expression.operator, evaluate(m, expression.left), evaluate(m, expression.right), expression);
    case "index":
    case "member": {
      const reference = referenceOf(m, expression);
      return reference === undefined ? partOf(m, expression) : loadReference(m, reference, expression);
    }
    case "call":
      return call(m, expression);
  }
}

/** A number as written: one without a suffix has no type yet. */
interface Literal {
  readonly type: ScalarType | AbstractType;
  readonly number: number;
}

/** What a suffix says, and the largest number that may stand before it. */
const SUFFIXES: Readonly<Record<string, { readonly type: ScalarType; readonly most: number }>> = {
  i: { type: I32, most: 0x7fffffff },
  u: { type: U32, most: 0xffffffff },
  // Less than half a step above the largest float.
  f: { type: F32, most: 2 ** 128 - 2 ** 103 - 2 ** 75 },
};

/** Numbers without one: whole ones have a few bits more in WGSL. */
const WHOLE = { type: ABSTRACT_INT, most: Number.MAX_SAFE_INTEGER };
const FRACTION = { type: ABSTRACT_FLOAT, most: Number.MAX_VALUE };

/** What texts of numbers mean: kernels are full of the same ones. */
const literals = new Map<string, Literal>();

function literal(m: Machine, place: Expression & { kind: "literal" }): Value {
  const { text } = place;
  if (text === "true" || text === "false") return { type: BOOL, parts: [m.b.i32(Number(text === "true"))] };
  let known = literals.get(text);
  if (known === undefined) literals.set(text, (known = readNumber(text, place)));
  const { type, number } = known;
  return type.kind === "abstract"
    ? abstractValue(type, [number])
    : { type, parts: [constantOf(m.b, type.scalar, number)] };
}

function readNumber(text: string, place: Place): Literal {
  const hex = /^0[xX]/.test(text);
  const suffix = /[iu]$/.exec(text)?.[0] ?? (hex && !/[pP]/.test(text) ? "" : (/[fh]$/.exec(text)?.[0] ?? ""));
  const digits = suffix === "" ? text : text.slice(0, -1);
  if (suffix === "h") throw new WgslError("unsupported", place, "f16 is outside the subset");
  const number = hex && /[pP.]/.test(digits) ? hexFloat(digits) : Number(digits);
  const whole = /^0[xX][0-9a-fA-F]+$|^\d+$/.test(digits);
  if (Number.isNaN(number) || (whole && /^0\d/.test(digits)))
    throw new WgslError("syntax", place, `${text} is no number`);
  const { type, most } = SUFFIXES[suffix] ?? (whole ? WHOLE : FRACTION);
  if (number > most) throw new WgslError("constant", place, `${text} does not fit ${typeText(type)}`);
  return { type, number };
}

function hexFloat(digits: string): number {
  const [, whole = "", fraction = "", exponent = "0"] = /^0[xX]([^.pP]*)\.?([^pP]*)(?:[pP](.*))?$/.exec(digits) ?? [];
  return parseInt(`0${whole}${fraction}`, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
}

function named(m: Machine, expression: Expression & { kind: "name" }): Value {
  const { name } = expression;
  const binding = m.scope.find(name);
  if (binding?.kind === "value") return binding.value;
  if (binding === undefined) {
    const item = m.context.module.get(name);
    if (item?.kind === "const") return constant(m, name);
    if (item === undefined) throw new WgslError("name", expression, `${name} is not declared`);
  }
  const reference = referenceOf(m, expression);
  if (reference === undefined) throw new WgslError("name", expression, `${name} is no value`);
  return loadReference(m, reference, expression);
}

/** A module constant, evaluated when it is first used. */
function constant(m: Machine, name: string): Value {
  const known = m.context.constants.get(name);
  if (known !== undefined) return known;
  const item = m.context.module.get(name);
  if (item?.kind !== "const") throw new Error(`${name} is no constant`);
  if (m.calls.includes(item)) throw new WgslError("constant", item, `${name} needs itself`);
  m.calls.push(item);
  let value: Value | undefined;
  m.within(m.context, () => (value = evaluate(m, item.value)));
  m.calls.pop();
  if (value === undefined) throw new Error(`${name} has no value`);
  if (item.type !== undefined) value = coerce(m.b, value, m.context.mustType(item.type), item);
  if (value.parts.some((part) => part.kind !== "const"))
    throw new WgslError("constant", item, `${name} is no constant expression`);
  m.context.constants.set(name, value);
  return value;
}

/** A member or an element of a value that lies nowhere. */
function partOf(m: Machine, expression: Expression & { kind: "member" | "index" }): Value {
  const base = evaluate(m, expression.base);
  const { type } = base;
  if (expression.kind === "member") {
    if (type.kind === "struct") {
      const member = memberOf(type, expression.member);
      if (member === undefined)
        throw new WgslError("name", expression, `${type.name} has no member ${expression.member}`);
      const start = type.members.slice(0, member.index).reduce((sum, { type: t }) => sum + partCount(t), 0);
      return { type: member.type, parts: base.parts.slice(start, start + partCount(member.type)) };
    }
    const abstract = abstractOf(base);
    if (abstract !== undefined && abstract.type.size > 1 && abstract.type.lengths.length === 0)
      return abstractLanes(abstract, lanesIn(expression.member, abstract.type.size, expression));
    if (type.kind !== "vector") throw new WgslError("type", expression, `${typeText(type)} has no members`);
    return swizzle(m.b, { type, parts: base.parts }, expression.member, expression);
  }
  const [index] = numeric(m.b, evaluate(m, expression.index), expression.index).parts;
  if (index?.kind !== "const")
    throw new WgslError("private-array", expression, "elements of a value are chosen by constants, after unrolling");
  return elementOf(m, base, index.imm, expression);
}

function elementOf(m: Machine, base: Value, index: number, place: Expression): Value {
  const { type } = base;
  const abstract = abstractOf(base);
  if (abstract !== undefined) {
    const element = abstractElement(abstract, index);
    if (element !== undefined) return element;
    throw new WgslError("type", place, `${typeText(type)} has no element ${index}`);
  }
  const length = type.kind === "array" ? (type.length ?? 0) : type.kind === "vector" ? type.size : 0;
  if (index < 0 || index >= length) throw new WgslError("type", place, `index ${index} is outside [0, ${length})`);
  if (type.kind === "vector") return swizzle(m.b, { type, parts: base.parts }, "xyzw".charAt(index), place);
  if (type.kind !== "array") throw new WgslError("type", place, `${typeText(type)} has no elements`);
  const count = partCount(type.element);
  return { type: type.element, parts: base.parts.slice(index * count, (index + 1) * count) };
}

/** `a && b`: where b does nothing but compute, both are computed. */
function shortCircuit(m: Machine, expression: Expression & { kind: "binary" }): Value {
  const and = expression.operator === "&&";
  const left = truth(m, expression.left);
  if (left.kind === "const")
    return (left.imm !== 0) === and
      ? { type: BOOL, parts: [truth(m, expression.right)] }
      : { type: BOOL, parts: [left] };
  const block = m.b.block.child();
  const right = m.b.inside(block, () => truth(m, expression.right));
  if (block.items.length === 0 && block.loads.size === 0)
    return { type: BOOL, parts: [m.b.op(and ? "i32.and" : "i32.or", [left, right])] };
  const other = m.b.block.child();
  m.b.add({ kind: "if", cond: left, then: and ? block : other, otherwise: and ? other : block });
  const slot = m.b.slot("i32");
  block.items.push({ kind: "set", sets: [{ slot, value: right }] });
  other.items.push({ kind: "set", sets: [{ slot, value: m.b.i32(Number(!and)) }] });
  return { type: BOOL, parts: [slot] };
}

/** A bool scalar. */
export function truth(m: Machine, expression: Expression): ReturnType<Machine["b"]["i32"]> {
  const value = evaluate(m, expression);
  const [node] = value.parts;
  if (value.type !== BOOL || node === undefined)
    throw new WgslError("type", expression, `bool expected, got ${typeText(value.type)}`);
  return node;
}

const BARE: Readonly<Record<string, 2 | 3 | 4>> = { vec2: 2, vec3: 3, vec4: 4 };

function call(m: Machine, expression: Expression & { kind: "call" }): Value {
  const { callee, args } = expression;
  const declared = m.context.function(callee.name);
  if (callee.name === "bitcast") {
    const [to] = callee.args;
    const [arg] = args;
    if (to === undefined || "kind" in to || arg === undefined || args.length !== 1)
      throw new WgslError("type", expression, "bitcast<T>(x) takes one type and one value");
    return bitcast(m.b, m.context.mustType(to), evaluate(m, arg), expression);
  }
  if (callee.name === "arrayLength") return arrayLength(m, args, expression);
  const values = args.map((arg) => evaluate(m, arg));
  if (declared !== undefined) {
    const result = m.call(declared, values, expression);
    if (result === undefined) throw new WgslError("type", expression, `${callee.name} returns nothing`);
    return result;
  }
  const bare = callee.args.length === 0 ? BARE[callee.name] : undefined;
  if (bare !== undefined) return constructVector(m.b, bare, values, expression);
  const type: Type | undefined = m.context.type(callee);
  if (type !== undefined) return construct(m.b, type, values, expression);
  if (callee.name === "array") return constructArray(m.b, values, expression);
  if (isLibrary(callee.name)) return callLibrary(m, callee.name, values, expression);
  if (isBuiltin(callee.name)) return callBuiltin(m.b, callee.name, values, expression);
  throw new WgslError("unsupported", expression, `the function ${callee.name} is unknown, or outside the subset`);
}

/** `arrayLength(&x)`. */
function arrayLength(m: Machine, args: readonly Expression[], place: Expression): Value {
  const [arg] = args;
  const reference = arg?.kind === "unary" && arg.operator === "&" ? referenceOf(m, arg.operand) : undefined;
  if (reference?.kind !== "memory" || reference.type.kind !== "array")
    throw new WgslError("type", place, "arrayLength takes & and a storage array");
  return { type: U32, parts: [m.memory.lengthOf(reference.variable, reference.type)] };
}
