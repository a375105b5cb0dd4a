import { abstractValue, elementIn, materialType, type AbstractValue } from "./abstract.ts";
import type { Builder } from "./builder.ts";
import { WgslError, type Place } from "./errors.ts";
import type { Node } from "./ir.ts";
import { buildVector, splat } from "./lanes.ts";
import type { ValueType } from "./ops.ts";
import {
  partCount,
  scalarType,
  typeText,
  vectorType,
  type AbstractType,
  type Scalar,
  type ScalarType,
  type Type,
  type VectorType,
} from "./types.ts";

/** A typed value: the nodes that it consists of, in order of the type's parts, or a number that has no type yet. */
export interface Value {
  readonly type: Type;
  readonly parts: readonly Node[];
  /** The numbers, where the type is abstract. */
  readonly numbers?: readonly number[];
}

export interface NumericValue extends Value {
  readonly type: ScalarType | VectorType;
}

/** The value as what it is made of before it has a type; undefined if it has one. */
export function abstractOf({ type, numbers }: Value): AbstractValue | undefined {
  return type.kind === "abstract" && numbers !== undefined ? abstractValue(type, numbers) : undefined;
}

/** All of them as numbers without a type; undefined if one has a type. */
export function allAbstract(values: readonly Value[]): AbstractValue[] | undefined {
  const numbers = values.map(abstractOf).filter((each) => each !== undefined);
  return numbers.length === values.length ? numbers : undefined;
}

/** The WebAssembly type of every part of a type. */
export function partTypes(type: Type): ValueType[] {
  switch (type.kind) {
    case "scalar":
      return [wasmType(type.scalar)];
    case "abstract":
      return ["i32"];
    case "vector":
      return type.size === 4 ? ["v128"] : new Array<ValueType>(type.size).fill(wasmType(type.scalar));
    case "array": {
      const element = partTypes(type.element);
      return Array.from({ length: type.length ?? 0 }, () => element).flat();
    }
    case "struct":
      return type.members.flatMap((member) => partTypes(member.type));
  }
}

export function wasmType(scalar: Scalar): "i32" | "f32" {
  return scalar === "f32" ? "f32" : "i32";
}

export function zeroOf(b: Builder, type: Type): Value {
  const parts = partTypes(type).map((part) =>
    part === "v128" ? b.v128([0, 0, 0, 0]) : part === "f32" ? b.f32(0) : b.i32(0),
  );
  return { type, parts };
}

export function constantOf(b: Builder, scalar: Scalar, number: number): Node {
  if (scalar === "bool") return b.i32(Number(number !== 0));
  return scalar === "f32" ? b.f32(number) : b.i32(number | 0);
}

/** The value with a concrete type: numbers without one become `scalar`, or what WGSL takes when nothing says. */
export function concrete(b: Builder, value: Value, place: Place, scalar?: Scalar): Value {
  const abstract = abstractOf(value);
  if (abstract === undefined) return value;
  const { type, numbers } = abstract;
  const isInt = type.scalar === "abstract-int";
  const wanted = scalar ?? (isInt ? "i32" : "f32");
  const [low, high] = wanted === "u32" ? [0, 0xffffffff] : [-0x80000000, 0x7fffffff];
  for (const number of numbers) {
    if (wanted === "bool" || (!isInt && wanted !== "f32"))
      throw new WgslError("type", place, `${number} is no ${wanted}`);
    if (wanted === "f32" ? !Number.isFinite(Math.fround(number)) : number < low || number > high)
      throw new WgslError("type", place, `${number} does not fit ${wanted}`);
  }
  return constantsOf(b, type, wanted, numbers);
}

/** Numbers as constants of `scalar`, in the form of an abstract type. */
export function constantsOf(b: Builder, like: AbstractType, scalar: Scalar, numbers: readonly number[]): Value {
  const { size } = like;
  const nodes = numbers.map((number) => constantOf(b, scalar, number));
  const element = size === 1 ? scalarType(scalar) : vectorType(size, scalar);
  const parts = Array.from({ length: nodes.length / size }, (_, k) =>
    fromLanes(b, element, nodes.slice(k * size, (k + 1) * size)),
  ).flatMap((each) => each.parts);
  return { type: materialType(like, scalar), parts };
}

/** The value as `type`, where WGSL converts by itself: numbers without a type only. */
export function coerce(b: Builder, value: Value, type: Type, place: Place): Value {
  const scalar = value.type.kind === "abstract" ? elementIn(type, value.type) : undefined;
  if (scalar !== undefined) return { type, parts: concrete(b, value, place, scalar).parts };
  if (value.type.kind !== "abstract" && sameShape(value.type, type)) return { type, parts: value.parts };
  throw new WgslError("type", place, `${typeText(type)} expected, got ${typeText(value.type)}`);
}

function sameShape(a: Type, b: Type): boolean {
  return a === b || (typeText(a) === typeText(b) && partCount(a) === partCount(b));
}

export function numeric(b: Builder, value: Value, place: Place, scalar?: Scalar): NumericValue {
  const { type, parts } = concrete(b, value, place, scalar);
  if (type.kind !== "scalar" && type.kind !== "vector")
    throw new WgslError("type", place, `a number or a vector expected, got ${typeText(type)}`);
  return { type, parts };
}

/** The scalars of a value, lane by lane; a lane of a bool vector is 0 or 1. */
export function lanesOf(b: Builder, value: NumericValue): Node[] {
  const { type, parts } = value;
  const [vector] = parts;
  if (type.kind !== "vector" || type.size !== 4 || vector === undefined) return [...parts];
  return [0, 1, 2, 3].map((lane) => laneOf(b, vector, type.scalar, lane));
}

export function laneOf(b: Builder, vector: Node, scalar: Scalar, lane: number): Node {
  if (scalar === "f32") return b.op("f32x4.extract_lane", [vector], lane);
  const bits = b.op("i32x4.extract_lane", [vector], lane);
  return scalar === "bool" ? b.op("i32.and", [bits, b.i32(1)]) : bits;
}

/** A vector (or scalar) of these lanes. */
export function fromLanes(b: Builder, type: ScalarType | VectorType, lanes: readonly Node[]): NumericValue {
  if (type.kind !== "vector" || type.size !== 4) return { type, parts: lanes };
  return { type, parts: [buildVector(b, type.scalar, lanes)] };
}

/** One scalar in every lane of `type`. */
export function spread(b: Builder, type: ScalarType | VectorType, lane: Node): NumericValue {
  if (type.kind !== "vector") return { type, parts: [lane] };
  if (type.size === 4) return { type, parts: [splat(b, type.scalar, lane)] };
  return { type, parts: new Array<Node>(type.size).fill(lane) };
}
