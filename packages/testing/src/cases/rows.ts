import type { DType, Tensor } from "@jnx/tensor";
import type { Tolerance } from "../ulp.ts";
import type { HostArray } from "../reference.ts";

/** Where ordinary operands are drawn from: floats between two bounds, or whole numbers. */
export type Domain = readonly [low: number, high: number];

/** A function applied element by element; shapes, broadcasting, views and special values are generated. */
export interface MapRow {
  readonly kind: "map";
  /** The export of @jnx/tensor. */
  readonly name: string;
  /** Tells variants of one function apart. */
  readonly label: string;
  run(...operands: Tensor[]): Tensor;
  readonly arity: number;
  /** The oracle for operands of a dtype. */
  scalar(dtype: DType): (...xs: number[]) => number;
  readonly dtypes: readonly DType[];
  result(dtype: DType): DType;
  /** The smooth part of float32's domain, one for each operand. */
  readonly domains: readonly Domain[];
  readonly tolerance: Tolerance;
  /** False where float operands have no gradient worth checking by differences: comparisons, floor, integer ops. */
  readonly differentiable: boolean;
}

/** An operand of a shaped row: drawn from a domain, or given. */
export interface Operand {
  readonly shape: readonly number[];
  readonly domain?: Domain;
  readonly values?: readonly number[];
  /** Its own dtype, whatever the row's. */
  readonly dtype?: DType;
}

/** A function of whole arrays: one row for each case of shapes and options. */
export interface ShapedRow {
  readonly kind: "shaped";
  readonly name: string;
  readonly label: string;
  run(...operands: Tensor[]): Tensor;
  readonly operands: readonly Operand[];
  oracle(...operands: HostArray[]): HostArray;
  readonly dtypes: readonly DType[];
  result(dtype: DType): DType;
  readonly tolerance: Tolerance;
  readonly differentiable: boolean;
}

export type Row = MapRow | ShapedRow;

export const NUMBERS: readonly DType[] = ["float32", "int32", "uint32"];
export const WHOLE: readonly DType[] = ["int32", "uint32"];
export const EVERY: readonly DType[] = ["float32", "int32", "uint32", "bool"];
export const EXACT: Tolerance = { ulp: 0 };

export const same = (dtype: DType): DType => dtype;
export const always = (dtype: DType) => (): DType => dtype;
/** bool becomes int32: sums, squares. */
export const counted = (dtype: DType): DType => (dtype === "bool" ? "int32" : dtype);

type MapOptions = Partial<Omit<MapRow, "kind" | "name" | "scalar">>;

/** A row for an elementwise function; what most rows have need not be said. */
export function mapRow(
  name: string,
  run: MapRow["run"],
  arity: number,
  scalar: MapRow["scalar"],
  options: MapOptions = {},
): MapRow {
  const domains = options.domains ?? [[-3, 3]];
  return {
    kind: "map",
    name,
    label: name,
    run,
    arity,
    scalar,
    dtypes: ["float32"],
    result: same,
    tolerance: EXACT,
    differentiable: false,
    ...options,
    domains: Array.from({ length: arity }, (_, k): Domain => domains[k] ?? domains[0] ?? [-3, 3]),
  };
}

type ShapedOptions = Partial<Omit<ShapedRow, "kind" | "name" | "run" | "oracle">>;

/** A row for a function of whole arrays. */
export function shapedRow(
  name: string,
  label: string,
  operands: readonly (Operand | readonly number[])[],
  run: ShapedRow["run"],
  oracle: ShapedRow["oracle"],
  options: ShapedOptions = {},
): ShapedRow {
  return {
    kind: "shaped",
    name,
    label: `${name} ${label}`,
    run,
    operands: operands.map((operand) => ("shape" in operand ? operand : { shape: operand })),
    oracle,
    dtypes: ["float32"],
    result: same,
    tolerance: EXACT,
    differentiable: false,
    ...options,
  };
}
