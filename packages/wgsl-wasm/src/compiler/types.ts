/** WGSL types, each made once, so that equal types are one object. */
export type Scalar = "f32" | "i32" | "u32" | "bool";

/** Types of numbers without a suffix, until something else says what they are. */
export type Abstract = "abstract-int" | "abstract-float";

export interface ScalarType {
  readonly kind: "scalar";
  readonly scalar: Scalar;
}

export interface AbstractType {
  readonly kind: "abstract";
  readonly scalar: Abstract;
  /** Lanes of a vector; a single number has 1. */
  readonly size: 1 | 2 | 3 | 4;
  /** Lengths of the arrays around it, the outermost first. */
  readonly lengths: readonly number[];
}

export interface VectorType {
  readonly kind: "vector";
  readonly size: 2 | 3 | 4;
  readonly scalar: Scalar;
}

export interface ArrayType {
  readonly kind: "array";
  readonly element: Type;
  /** Undefined for a storage array, whose length the binding decides. */
  readonly length: number | undefined;
}

export interface StructType {
  readonly kind: "struct";
  readonly name: string;
  readonly members: readonly { readonly name: string; readonly type: Type }[];
}

export type Type = ScalarType | AbstractType | VectorType | ArrayType | StructType;

const SCALARS: readonly Scalar[] = ["f32", "i32", "u32", "bool"];
const scalars = new Map<string, ScalarType>(SCALARS.map((scalar) => [scalar, { kind: "scalar", scalar }]));
const vectors = new Map(
  SCALARS.flatMap((scalar) =>
    ([2, 3, 4] as const).map(
      (size) => [`${size}${scalar}`, { kind: "vector", size, scalar } satisfies VectorType] as const,
    ),
  ),
);

export function abstractType(
  scalar: Abstract,
  size: AbstractType["size"] = 1,
  lengths: readonly number[] = [],
): AbstractType {
  return { kind: "abstract", scalar, size, lengths };
}

export const ABSTRACT_INT = abstractType("abstract-int");
export const ABSTRACT_FLOAT = abstractType("abstract-float");

export function scalarType(scalar: Scalar): ScalarType {
  const type = scalars.get(scalar);
  if (type === undefined) throw new Error(`no scalar type ${scalar}`);
  return type;
}

export function vectorType(size: 2 | 3 | 4, scalar: Scalar): VectorType {
  const type = vectors.get(`${size}${scalar}`);
  if (type === undefined) throw new Error(`no vector type of ${size} ${scalar}`);
  return type;
}

/** The type with `scalar` instead of the elements of `like`. */
export function likewise(like: ScalarType | VectorType, scalar: Scalar): ScalarType | VectorType {
  return like.kind === "vector" ? vectorType(like.size, scalar) : scalarType(scalar);
}

export const BOOL = scalarType("bool");
export const I32 = scalarType("i32");
export const U32 = scalarType("u32");
export const F32 = scalarType("f32");

const SHORT = /^vec([234])([fiu])$/;
const LETTERS: Readonly<Record<string, Scalar>> = { f: "f32", i: "i32", u: "u32" };

/** `f32`, `vec4f` and the like. */
export function simpleType(name: string): ScalarType | VectorType | undefined {
  const scalar = scalars.get(name);
  if (scalar !== undefined) return scalar;
  const [, size, letter = ""] = SHORT.exec(name) ?? [];
  const element = LETTERS[letter];
  return element === undefined ? undefined : vectorType(sizeOf(size), element);
}

export function sizeOf(digit: string | undefined): 2 | 3 | 4 {
  return digit === "2" ? 2 : digit === "3" ? 3 : 4;
}

/** How many nodes a value of this type consists of: a vec4 is one, a vec3 three. */
export function partCount(type: Type): number {
  switch (type.kind) {
    case "scalar":
    case "abstract":
      return 1;
    case "vector":
      return type.size === 4 ? 1 : type.size;
    case "array":
      return (type.length ?? 0) * partCount(type.element);
    case "struct":
      return type.members.reduce((sum, member) => sum + partCount(member.type), 0);
  }
}

/** Alignment and bytes in memory, as WGSL lays it out; bools take four bytes. */
export function layoutOf(type: Type): { align: number; bytes: number } {
  switch (type.kind) {
    case "scalar":
    case "abstract":
      return { align: 4, bytes: 4 };
    case "vector":
      return { align: type.size === 2 ? 8 : 16, bytes: 4 * type.size };
    case "array":
      return { align: layoutOf(type.element).align, bytes: strideOf(type) * (type.length ?? 0) };
    case "struct": {
      const align = Math.max(...type.members.map((member) => layoutOf(member.type).align));
      const last = type.members.at(-1);
      const end = (memberOffsets(type).at(-1) ?? 0) + (last === undefined ? 0 : layoutOf(last.type).bytes);
      return { align, bytes: roundUp(end, align) };
    }
  }
}

export function strideOf(type: ArrayType): number {
  const { align, bytes } = layoutOf(type.element);
  return roundUp(bytes, align);
}

const offsets = new WeakMap<StructType, readonly number[]>();

export function memberOffsets(type: StructType): readonly number[] {
  const known = offsets.get(type);
  if (known !== undefined) return known;
  let at = 0;
  const made = type.members.map((member) => {
    const { align, bytes } = layoutOf(member.type);
    const offset = roundUp(at, align);
    at = offset + bytes;
    return offset;
  });
  offsets.set(type, made);
  return made;
}

export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  return a.kind === "array" && b.kind === "array" && a.length === b.length && sameType(a.element, b.element);
}

export function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((each, k) => each === b[k]);
}

export function typeText(type: Type): string {
  switch (type.kind) {
    case "scalar":
      return type.scalar;
    case "abstract": {
      const element = type.size === 1 ? type.scalar : `vec${type.size}<${type.scalar}>`;
      return type.lengths.reduceRight((inner, length) => `array<${inner}, ${length}>`, element);
    }
    case "vector":
      return `vec${type.size}<${type.scalar}>`;
    case "array":
      return type.length === undefined
        ? `array<${typeText(type.element)}>`
        : `array<${typeText(type.element)}, ${type.length}>`;
    case "struct":
      return type.name;
  }
}
