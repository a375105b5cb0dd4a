import { abstractArray, abstractVector } from "./abstract.ts";
import type { Builder } from "./builder.ts";
import { WgslError, type Place } from "./errors.ts";
import type { Node } from "./ir.ts";
import {
  partCount,
  typeText,
  vectorType,
  type ArrayType,
  type Scalar,
  type ScalarType,
  type StructType,
  type Type,
  type VectorType,
} from "./types.ts";
import {
  abstractOf,
  allAbstract,
  coerce,
  constantsOf,
  fromLanes,
  lanesOf,
  numeric,
  spread,
  wasmType,
  zeroOf,
  type NumericValue,
  type Value,
} from "./values.ts";

/** `f32(x)`, `vec4u(a, b)`, `array<f32, 2>(…)`, `Pair(…)`. */
export function construct(b: Builder, type: Type, args: readonly Value[], place: Place): Value {
  if (args.length === 0) return zeroOf(b, type);
  if (type.kind === "array" || type.kind === "struct") return constructParts(b, type, args, place);
  const [first] = args;
  if (type.kind === "abstract" || first === undefined) throw new WgslError("type", place, "no such constructor");
  if (args.length === 1) return convert(b, type, first, place);
  if (type.kind === "scalar")
    throw new WgslError("type", place, `${typeText(type)} takes one value, got ${args.length}`);
  const lanes = args.flatMap((arg) => {
    const value = numeric(b, arg, place, type.scalar);
    if (value.type.scalar !== type.scalar)
      throw new WgslError("type", place, `${typeText(type)} is made of ${type.scalar}, got ${typeText(value.type)}`);
    return lanesOf(b, value);
  });
  if (lanes.length !== type.size)
    throw new WgslError("type", place, `${typeText(type)} takes ${type.size} lanes, got ${lanes.length}`);
  return fromLanes(b, type, lanes);
}

/** `vec4(…)` without a template: elements of the first argument that has a type, or none yet. */
export function constructVector(b: Builder, size: 2 | 3 | 4, args: readonly Value[], place: Place): Value {
  const numbers = allAbstract(args);
  if (numbers !== undefined) return abstractVector(size, numbers, place);
  for (const { type } of args) {
    if (type.kind === "scalar" || type.kind === "vector")
      return construct(b, vectorType(size, type.scalar), args, place);
  }
  throw new WgslError("type", place, `vec${size} is made of numbers and vectors`);
}

/** `array(a, b, c)`: elements of the type of the first that has one, or none yet. */
export function constructArray(b: Builder, args: readonly Value[], place: Place): Value {
  const numbers = allAbstract(args);
  if (numbers !== undefined) return abstractArray(numbers, place);
  const element = args.find(({ type }) => type.kind !== "abstract")?.type;
  if (element === undefined) throw new WgslError("type", place, "array() of what?");
  return construct(b, { kind: "array", element, length: args.length }, args, place);
}

function constructParts(b: Builder, type: ArrayType | StructType, args: readonly Value[], place: Place): Value {
  const types = type.kind === "struct" ? type.members.map((member) => member.type) : args.map(() => type.element);
  const wanted = type.kind === "struct" ? type.members.length : type.length;
  if (args.length !== wanted)
    throw new WgslError("type", place, `${typeText(type)} takes ${wanted} values, got ${args.length}`);
  const parts = args.flatMap((arg, k) => {
    const member = types[k];
    return member === undefined ? [] : coerce(b, arg, member, place).parts;
  });
  if (parts.length !== partCount(type)) throw new WgslError("type", place, `${typeText(type)}: wrong parts`);
  return { type, parts };
}

/** One value as another type: a scalar spreads over a vector, vectors convert lane by lane. */
function convert(b: Builder, to: ScalarType | VectorType, arg: Value, place: Place): Value {
  const value = numeric(b, withoutFractions(b, to.scalar, arg), place, to.scalar);
  if (value.type.kind === "scalar") {
    const [lane] = convertParts(b, value, to.scalar);
    if (lane === undefined) throw new WgslError("type", place, "no value");
    return spread(b, to, lane);
  }
  if (to.kind === "scalar" || to.size !== value.type.size)
    throw new WgslError("type", place, `${typeText(value.type)} does not convert to ${typeText(to)}`);
  return { type: to, parts: convertParts(b, value, to.scalar) };
}

/** Constants that an explicit conversion changes: a fraction is cut off and saturates, a bool tells what is not zero. */
function withoutFractions(b: Builder, to: Scalar, arg: Value): Value {
  const abstract = abstractOf(arg);
  if (abstract === undefined) return arg;
  const { type, numbers } = abstract;
  if (to !== "bool" && (to === "f32" || type.scalar === "abstract-int")) return arg;
  return constantsOf(
    b,
    type,
    to,
    numbers.map((number) => saturated(number, to)),
  );
}

function saturated(number: number, to: Scalar): number {
  if (to === "u32") return Math.min(Math.max(Math.trunc(number), 0), 0xffffffff);
  return to === "i32" ? Math.min(Math.max(Math.trunc(number), -0x80000000), 0x7fffffff) : number;
}

function convertParts(b: Builder, value: NumericValue, to: Scalar): Node[] {
  const packed = value.type.kind === "vector" && value.type.size === 4;
  return value.parts.map((part) =>
    packed ? convertVector(b, value.type.scalar, to, part) : convertScalar(b, value.type.scalar, to, part),
  );
}

function convertScalar(b: Builder, from: Scalar, to: Scalar, x: Node): Node {
  if (from === to) return x;
  if (to === "bool") return from === "f32" ? b.op("f32.ne", [x, b.f32(0)]) : b.op("i32.ne", [x, b.i32(0)]);
  if (to === "f32") return b.op(from === "i32" ? "f32.convert_i32_s" : "f32.convert_i32_u", [x]);
  if (from === "f32") return b.op(to === "i32" ? "i32.trunc_sat_f32_s" : "i32.trunc_sat_f32_u", [x]);
  return x;
}

function convertVector(b: Builder, from: Scalar, to: Scalar, x: Node): Node {
  if (from === to) return x;
  const zero = b.v128([0, 0, 0, 0]);
  if (to === "bool") return b.op(from === "f32" ? "f32x4.ne" : "i32x4.ne", [x, zero]);
  if (from === "bool") {
    const one = to === "f32" ? 0x3f800000 : 1;
    return b.op("v128.and", [x, b.v128([one, one, one, one])]);
  }
  if (to === "f32") return b.op(from === "i32" ? "f32x4.convert_i32x4_s" : "f32x4.convert_i32x4_u", [x]);
  if (from === "f32") return b.op(to === "i32" ? "i32x4.trunc_sat_f32x4_s" : "i32x4.trunc_sat_f32x4_u", [x]);
  return x;
}

/** The same bits under another type of the same size. */
export function bitcast(b: Builder, to: Type, arg: Value, place: Place): Value {
  const value = numeric(b, arg, place);
  const sizes =
    to.kind === "vector" && value.type.kind === "vector" ? to.size === value.type.size : to.kind === value.type.kind;
  if ((to.kind !== "scalar" && to.kind !== "vector") || !sizes || to.scalar === "bool" || value.type.scalar === "bool")
    throw new WgslError("type", place, `bitcast: ${typeText(value.type)} to ${typeText(to)} is outside the subset`);
  const packed = to.kind === "vector" && to.size === 4;
  if (packed || wasmType(to.scalar) === wasmType(value.type.scalar)) return { type: to, parts: value.parts };
  const name = to.scalar === "f32" ? "f32.reinterpret_i32" : "i32.reinterpret_f32";
  return { type: to, parts: value.parts.map((part) => b.op(name, [part])) };
}
