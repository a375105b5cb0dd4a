import { abstractSelect, foldBuiltin } from "./abstract.ts";
import type { Builder } from "./builder.ts";
import { WgslError, type Place } from "./errors.ts";
import type { Node } from "./ir.ts";
import { buildVector } from "./lanes.ts";
import { binary, binaryPart } from "./operators.ts";
import { leadingZeros } from "./shifts.ts";
import { BOOL, F32, scalarType, typeText, type Scalar } from "./types.ts";
import { allAbstract, laneOf, lanesOf, numeric, type NumericValue, type Value } from "./values.ts";

type Part = (b: Builder, args: readonly Node[], packed: boolean, scalar: Scalar) => Node;

interface Elementwise {
  readonly arity: number;
  /** What its elements may be. */
  readonly takes: "float" | "integer" | "number";
  readonly part: Part;
}

const shape = (scalar: Scalar, packed: boolean): string => `${scalar === "f32" ? "f32" : "i32"}${packed ? "x4" : ""}`;

/** The same instruction on scalars and on vectors of f32. */
function float(name: string, arity = 1): Elementwise {
  return { arity, takes: "float", part: (b, args, packed) => b.op(`f32${packed ? "x4" : ""}.${name}`, args) };
}

function extremum(name: "min" | "max"): Elementwise {
  return {
    arity: 2,
    takes: "number",
    part: (b, args, packed, scalar) => {
      const [x, y] = pair(args);
      // The second operand where it is smaller (larger); where either is NaN WGSL allows any of both.
      if (scalar === "f32") return packed ? b.op(`f32x4.p${name}`, [x, y]) : b.op(`f32.${name}`, [x, y]);
      const sign = scalar === "i32" ? "s" : "u";
      if (packed) return b.op(`i32x4.${name}_${sign}`, [x, y]);
      return b.select(b.op(`i32.${name === "min" ? "lt" : "gt"}_${sign}`, [x, y]), x, y);
    },
  };
}

const min = extremum("min");
const max = extremum("max");

function pair(args: readonly Node[]): [Node, Node] {
  const [x, y] = args;
  if (x === undefined || y === undefined) throw new Error("two operands are needed");
  return [x, y];
}

const constant = (b: Builder, scalar: Scalar, packed: boolean, number: number): Node => {
  const node = scalar === "f32" ? b.f32(number) : b.i32(number);
  return packed ? b.v128([node.imm, node.imm, node.imm, node.imm]) : node;
};

const clamp: Part = (b, [x, low, high], packed, scalar) => {
  if (x === undefined || low === undefined || high === undefined) throw new Error("clamp takes three");
  return min.part(b, [max.part(b, [x, low], packed, scalar), high], packed, scalar);
};

const abs: Part = (b, args, packed, scalar) => {
  const [x] = args;
  if (x === undefined || scalar === "u32") return args[0] ?? b.i32(0);
  if (scalar === "f32" || packed) return b.op(`${shape(scalar, packed)}.abs`, [x]);
  return b.select(b.op("i32.lt_s", [x, b.i32(0)]), b.op("i32.sub", [b.i32(0), x]), x);
};

/** -1, 0 or 1. */
const sign: Part = (b, args, packed, scalar) => {
  const [x] = args;
  if (x === undefined) throw new Error("sign takes one");
  const zero = constant(b, scalar, packed, 0);
  const above = binaryPart(b, ">", scalar, x, zero, packed);
  const below = binaryPart(b, "<", scalar, x, zero, packed);
  const plus = constant(b, scalar, packed, 1);
  const minus = constant(b, scalar, packed, -1);
  return choose(b, packed, below, minus, choose(b, packed, above, plus, zero));
};

function choose(b: Builder, packed: boolean, cond: Node, then: Node, otherwise: Node): Node {
  return packed ? b.op("v128.bitselect", [then, otherwise, cond]) : b.select(cond, then, otherwise);
}

/** a * b + c: rounded once where the engine has it, in scalars as in vectors. */
const fma: Part = (b, [x, y, z], packed) => {
  if (x === undefined || y === undefined || z === undefined) throw new Error("fma takes three");
  if (!b.relaxed) return b.op(packed ? "f32x4.add" : "f32.add", [b.op(packed ? "f32x4.mul" : "f32.mul", [x, y]), z]);
  if (packed) return b.op("f32x4.relaxed_madd", [x, y, z]);
  const vector = b.op(
    "f32x4.relaxed_madd",
    [x, y, z].map((part) => b.op("f32x4.splat", [part])),
  );
  return b.op("f32x4.extract_lane", [vector], 0);
};

/** Scalar instructions that have no twin for vectors. */
function bitCount(name: "clz" | "ctz" | "popcnt"): Part {
  return (b, args, packed) => {
    const [x] = args;
    if (x === undefined) throw new Error(`${name} takes one`);
    if (!packed) return b.op(`i32.${name}`, [x]);
    if (name === "clz") return leadingZeros(b, x);
    if (name === "popcnt") {
      const pairs = b.op("i16x8.extadd_pairwise_i8x16_u", [b.op("i8x16.popcnt", [x])]);
      return b.op("i32x4.extadd_pairwise_i16x8_u", [pairs]);
    }
    return buildVector(
      b,
      "u32",
      [0, 1, 2, 3].map((lane) => b.op(`i32.${name}`, [laneOf(b, x, "u32", lane)])),
    );
  };
}

const integer = (arity: number, part: Part): Elementwise => ({ arity, takes: "integer", part });

const ELEMENTWISE: Readonly<Record<string, Elementwise>> = {
  abs: { arity: 1, takes: "number", part: abs },
  sign: { arity: 1, takes: "number", part: sign },
  min,
  max,
  clamp: { arity: 3, takes: "number", part: clamp },
  floor: float("floor"),
  ceil: float("ceil"),
  trunc: float("trunc"),
  round: float("nearest"),
  sqrt: float("sqrt"),
  fma: { arity: 3, takes: "float", part: fma },
  countOneBits: integer(1, bitCount("popcnt")),
  countLeadingZeros: integer(1, bitCount("clz")),
  countTrailingZeros: integer(1, bitCount("ctz")),
};

export function isBuiltin(name: string): boolean {
  return ELEMENTWISE[name] !== undefined || SPECIAL[name] !== undefined;
}

type Special = (b: Builder, args: readonly Value[], place: Place) => Value;

const SPECIAL: Readonly<Record<string, Special>> = { select, dot, any: anyOf, all: allOf };

/** A builtin function of values. */
export function callBuiltin(b: Builder, name: string, args: readonly Value[], place: Place): Value {
  const numbers = allAbstract(args);
  const folded = numbers && foldBuiltin(name, numbers, place);
  if (folded !== undefined) return folded;
  const special = SPECIAL[name];
  if (special !== undefined) return special(b, args, place);
  const builtin = ELEMENTWISE[name];
  if (builtin === undefined) throw new WgslError("unsupported", place, `the function ${name} is unknown here`);
  if (args.length !== builtin.arity)
    throw new WgslError("type", place, `${name} takes ${builtin.arity} values, got ${args.length}`);
  const values = alike(b, name, args, place, builtin.takes === "float" ? "f32" : undefined);
  const { type } = values[0] ?? { type: F32 };
  const isFloat = type.scalar === "f32";
  if (type.scalar === "bool" || (builtin.takes === "float" && !isFloat) || (builtin.takes === "integer" && isFloat))
    throw new WgslError("type", place, `${name} does not take ${typeText(type)}`);
  const packed = type.kind === "vector" && type.size === 4;
  const parts = (values[0]?.parts ?? []).map((_, k) =>
    builtin.part(
      b,
      values.map((value) => value.parts[k] ?? b.i32(0)),
      packed,
      type.scalar,
    ),
  );
  return { type, parts };
}

/** Arguments of one type; numbers without a type take that of the others. */
function alike(b: Builder, name: string, args: readonly Value[], place: Place, fallback?: Scalar): NumericValue[] {
  const typed = args.find((arg) => arg.type.kind !== "abstract");
  const known = typed?.type.kind === "scalar" || typed?.type.kind === "vector" ? typed.type.scalar : undefined;
  const float = args.some((arg) => arg.type.kind === "abstract" && arg.type.scalar === "abstract-float");
  const values = args.map((arg) => numeric(b, arg, place, known ?? fallback ?? (float ? "f32" : "i32")));
  const [first] = values;
  for (const value of values) {
    if (value.type !== first?.type)
      throw new WgslError("type", place, `${name}: ${typeText(value.type)} beside ${typeText(first?.type ?? BOOL)}`);
  }
  return values;
}

function select(b: Builder, args: readonly Value[], place: Place): Value {
  const [no, yes, cond] = args;
  if (no === undefined || yes === undefined || cond === undefined || args.length !== 3)
    throw new WgslError("type", place, `select takes 3 values, got ${args.length}`);
  const constants = allAbstract([no, yes]);
  const truths = constants && truthsOf(b, cond);
  const [first, second] = constants ?? [];
  const folded = first && second && truths && abstractSelect(first, second, truths);
  if (folded !== undefined) return folded;
  const [x, y] = alike(b, "select", [no, yes], place);
  const { type, parts } = numeric(b, cond, place);
  const [test] = parts;
  if (x === undefined || y === undefined || test === undefined || type.scalar !== "bool")
    throw new WgslError("type", place, `select: the last value must be bool, got ${typeText(type)}`);
  if (type.kind === "vector" && (x.type.kind !== "vector" || x.type.size !== type.size))
    throw new WgslError("type", place, `select: ${typeText(type)} chooses among ${typeText(x.type)}`);
  const masked = type.kind === "vector" && type.size === 4;
  const chosen = x.parts.map((part, k) => {
    const other = y.parts[k] ?? part;
    return choose(b, masked, parts[k] ?? test, other, part);
  });
  return { type: x.type, parts: chosen };
}

function dot(b: Builder, args: readonly Value[], place: Place): Value {
  const [x, y] = alike(b, "dot", args, place);
  if (x === undefined || y === undefined || x.type.kind !== "vector")
    throw new WgslError("type", place, "dot takes two vectors");
  const product = numeric(b, binary(b, "*", x, y, place), place);
  const { scalar } = x.type;
  const [first, ...rest] = lanesOf(b, product);
  if (first === undefined) throw new WgslError("type", place, "dot takes two vectors");
  return {
    type: scalarType(scalar),
    parts: [rest.reduce((sum, lane) => binaryPart(b, "+", scalar, sum, lane, false), first)],
  };
}

/** What a constant of bools holds; undefined for one that is computed. */
function truthsOf(b: Builder, value: Value): readonly boolean[] | undefined {
  const { type } = value;
  if ((type.kind !== "scalar" && type.kind !== "vector") || type.scalar !== "bool") return undefined;
  const lanes = lanesOf(b, { type, parts: value.parts });
  return lanes.every((lane) => lane.kind === "const") ? lanes.map((lane) => lane.imm !== 0) : undefined;
}

function truths(b: Builder, args: readonly Value[], place: Place): NumericValue {
  const [arg] = args;
  if (arg === undefined || args.length !== 1) throw new WgslError("type", place, "one value expected");
  const value = numeric(b, arg, place);
  if (value.type.scalar !== "bool") throw new WgslError("type", place, `bool expected, got ${typeText(value.type)}`);
  return value;
}

function anyOf(b: Builder, args: readonly Value[], place: Place): Value {
  const { type, parts } = truths(b, args, place);
  const packed = type.kind === "vector" && type.size === 4;
  const [first, ...rest] = packed ? parts.map((part) => b.op("v128.any_true", [part])) : parts;
  return { type: BOOL, parts: [rest.reduce((all, part) => b.op("i32.or", [all, part]), first ?? b.i32(0))] };
}

function allOf(b: Builder, args: readonly Value[], place: Place): Value {
  const { type, parts } = truths(b, args, place);
  const packed = type.kind === "vector" && type.size === 4;
  const [first, ...rest] = packed ? parts.map((part) => b.op("i32x4.all_true", [part])) : parts;
  return { type: BOOL, parts: [rest.reduce((all, part) => b.op("i32.and", [all, part]), first ?? b.i32(1))] };
}
