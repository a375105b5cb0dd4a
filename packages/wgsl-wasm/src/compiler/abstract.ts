/** Numbers without a type, alone, in vectors and in arrays: what constants are made of until something says their type. */
import { WgslError, type Place } from "./errors.ts";
import {
  abstractType,
  sameList,
  typeText,
  vectorType,
  scalarType,
  type Abstract,
  type AbstractType,
  type Scalar,
  type Type,
} from "./types.ts";

/** A value of an abstract type: its numbers in order, lanes of vectors innermost. */
export interface AbstractValue {
  readonly type: AbstractType;
  readonly parts: readonly never[];
  readonly numbers: readonly number[];
}

export function abstractValue(type: AbstractType, numbers: readonly number[]): AbstractValue {
  return { type, parts: [], numbers };
}

/** The type that an abstract one becomes with elements of `scalar`. */
export function materialType({ size, lengths }: AbstractType, scalar: Scalar): Type {
  const element: Type = size === 1 ? scalarType(scalar) : vectorType(size, scalar);
  return lengths.reduceRight<Type>((inner, length) => ({ kind: "array", element: inner, length }), element);
}

/** What the elements of `to` are, if a value of the abstract type has its form. */
export function elementIn(to: Type, { size, lengths }: AbstractType): Scalar | undefined {
  let type = to;
  for (const length of lengths) {
    if (type.kind !== "array" || type.length !== length) return undefined;
    type = type.element;
  }
  if (size === 1) return type.kind === "scalar" ? type.scalar : undefined;
  return type.kind === "vector" && type.size === size ? type.scalar : undefined;
}

/** `vec3(1, vec2(2, 3))`: one number fills all lanes. */
export function abstractVector(size: 2 | 3 | 4, args: readonly AbstractValue[], place: Place): AbstractValue {
  const type = abstractType(commonOf(args), size);
  const array = args.find((arg) => arg.type.lengths.length > 0);
  if (array !== undefined) throw new WgslError("type", place, `a vector of ${typeText(array.type)}`);
  const numbers = args.flatMap((arg) => arg.numbers);
  const [first = 0] = numbers;
  if (numbers.length === 0 || (numbers.length === 1 && args.length === 1))
    return abstractValue(type, new Array<number>(size).fill(first));
  if (numbers.length !== size)
    throw new WgslError("type", place, `${typeText(type)} takes ${size} lanes, got ${numbers.length}`);
  return abstractValue(type, numbers);
}

/** `array(1, 2.5)`: floats if one of them is. */
export function abstractArray(args: readonly AbstractValue[], place: Place): AbstractValue {
  const [first] = args;
  if (first === undefined) throw new WgslError("type", place, "array() of what?");
  const { size, lengths } = first.type;
  const other = args.find(({ type }) => type.size !== size || !sameList(type.lengths, lengths));
  if (other !== undefined)
    throw new WgslError("type", place, `an array of ${typeText(first.type)} and ${typeText(other.type)}`);
  return abstractValue(
    abstractType(commonOf(args), size, [args.length, ...lengths]),
    args.flatMap(({ numbers }) => numbers),
  );
}

function commonOf(values: readonly AbstractValue[]): Abstract {
  return values.some(({ type }) => type.scalar === "abstract-float") ? "abstract-float" : "abstract-int";
}

/** Lanes of a vector, as a vector or a number. */
export function abstractLanes({ type, numbers }: AbstractValue, picks: readonly number[]): AbstractValue {
  const size = picks.length;
  return abstractValue(
    abstractType(type.scalar, size === 1 || size === 2 || size === 3 ? size : 4),
    picks.map((pick) => numbers[pick] ?? 0),
  );
}

/** An element of an array or a lane of a vector; undefined if it has none of this number. */
export function abstractElement(value: AbstractValue, index: number): AbstractValue | undefined {
  const { type, numbers } = value;
  const [length, ...rest] = type.lengths;
  if (index < 0 || index >= (length ?? (type.size === 1 ? 0 : type.size))) return undefined;
  if (length === undefined) return abstractLanes(value, [index]);
  const count = numbers.length / length;
  return abstractValue(abstractType(type.scalar, type.size, rest), numbers.slice(index * count, (index + 1) * count));
}

const FLOAT_OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
};

/** Of whole numbers without a type, which have 64 bits. */
const WHOLE_OPERATORS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "&": (a, b) => a & b,
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
  "<<": (a, b) => a << b,
  ">>": (a, b) => a >> b,
};

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
};

/** `-x` and `~x`; undefined where the operator is not for such numbers. */
export function foldUnary(operator: string, { type, numbers }: AbstractValue, place: Place): AbstractValue | undefined {
  if (type.lengths.length > 0) return undefined;
  if (type.scalar === "abstract-float")
    return operator === "-"
      ? abstractValue(
          type,
          numbers.map((number) => -number),
        )
      : undefined;
  if (operator !== "-" && operator !== "~") return undefined;
  return abstractValue(
    type,
    numbers.map((number) => foldWhole("-", operator === "~" ? -1 : 0, number, place)),
  );
}

/** An operation on two constants, lane by lane: numbers, or the truths of a comparison. */
export function foldBinary(
  operator: string,
  x: AbstractValue,
  y: AbstractValue,
  place: Place,
): AbstractValue | readonly boolean[] {
  const compare = COMPARISONS[operator];
  const mixed = x.type.size !== y.type.size;
  // One number goes with each lane of a vector, in arithmetic alone.
  const fits = !mixed || (FLOAT_OPERATORS[operator] !== undefined && (x.type.size === 1 || y.type.size === 1));
  if (!fits || x.type.lengths.length + y.type.lengths.length > 0)
    throw new WgslError("type", place, `${typeText(x.type)} ${operator} ${typeText(y.type)} is not defined`);
  const { numbers } = x.type.size === 1 ? y : x;
  const at = ({ type, numbers: own }: AbstractValue, k: number): number => own[type.size === 1 ? 0 : k] ?? 0;
  if (compare !== undefined) return numbers.map((_, k) => compare(at(x, k), at(y, k)));
  const scalar = commonOf([x, y]);
  const fold = scalar === "abstract-int" ? foldWhole : foldFloat;
  const size = x.type.size === 1 ? y.type.size : x.type.size;
  return abstractValue(
    abstractType(scalar, size),
    numbers.map((_, k) => fold(operator, at(x, k), at(y, k), place)),
  );
}

function foldFloat(operator: string, p: number, q: number, place: Place): number {
  const result = FLOAT_OPERATORS[operator]?.(p, q);
  if (result === undefined) throw new WgslError("type", place, `${operator} does not take numbers`);
  if (!Number.isFinite(result))
    throw new WgslError("constant", place, `a constant that is no number: ${p} ${operator} ${q}`);
  return result;
}

function foldWhole(operator: string, p: number, q: number, place: Place): number {
  if (q === 0 && (operator === "/" || operator === "%"))
    throw new WgslError("constant", place, "a constant is divided by zero");
  const apply = WHOLE_OPERATORS[operator];
  if (apply === undefined) throw new WgslError("type", place, `${operator} does not take numbers`);
  const shifts = operator === "<<" || operator === ">>";
  const result = shifts && (q < 0 || q > 63) ? NaN : Number(apply(BigInt(p), BigInt(q)));
  // Exact only so far: WGSL has a few bits more.
  if (!Number.isSafeInteger(result))
    throw new WgslError("constant", place, `${p} ${operator} ${q} is beyond what constants can hold`);
  return result;
}

/** Builtin functions of numbers without a type that give such numbers; floats have no others that are not the same in f32. */
const BUILTINS: Readonly<Record<string, { readonly arity: number; readonly fold: (...args: number[]) => number }>> = {
  abs: { arity: 1, fold: Math.abs },
  sign: { arity: 1, fold: Math.sign },
  min: { arity: 2, fold: Math.min },
  max: { arity: 2, fold: Math.max },
  clamp: { arity: 3, fold: (x = NaN, low = NaN, high = NaN) => Math.min(Math.max(x, low), high) },
};

/** A builtin function of constants; undefined if it is none for them, or they are not alike. */
export function foldBuiltin(name: string, args: readonly AbstractValue[], place: Place): AbstractValue | undefined {
  const [first] = args;
  if (first === undefined || args.some(({ type }) => type.lengths.length > 0 || type.size !== first.type.size))
    return undefined;
  const type = abstractType(commonOf(args), first.type.size);
  if (name === "dot") return foldDot(args, place);
  const builtin = BUILTINS[name];
  if (builtin === undefined || args.length !== builtin.arity) return undefined;
  const numbers = first.numbers.map((_, k) => {
    const given = args.map((arg) => arg.numbers[k] ?? NaN);
    const [, low = NaN, high = NaN] = given;
    if (name === "clamp" && low > high)
      throw new WgslError("constant", place, `clamp: the lower bound ${low} is above the upper one, ${high}`);
    return builtin.fold(...given);
  });
  return abstractValue(type, numbers);
}

function foldDot([x, y, more]: readonly AbstractValue[], place: Place): AbstractValue | undefined {
  if (x === undefined || y === undefined || more !== undefined || x.type.size === 1) return undefined;
  const scalar = commonOf([x, y]);
  const fold = scalar === "abstract-int" ? foldWhole : foldFloat;
  const products = x.numbers.map((number, k) => fold("*", number, y.numbers[k] ?? 0, place));
  return abstractValue(abstractType(scalar), [products.reduce((sum, product) => fold("+", sum, product, place))]);
}

/** Of each lane the first's number or the second's; one truth is for all lanes. */
export function abstractSelect(
  no: AbstractValue,
  yes: AbstractValue,
  truths: readonly boolean[],
): AbstractValue | undefined {
  const { size, lengths } = no.type;
  const alike = yes.type.size === size && lengths.length === 0 && yes.type.lengths.length === 0;
  if (!alike || (truths.length > 1 && truths.length !== size)) return undefined;
  const numbers = no.numbers.map((number, k) => ((truths[k] ?? truths[0]) === true ? (yes.numbers[k] ?? 0) : number));
  return abstractValue(abstractType(commonOf([no, yes]), size), numbers);
}
