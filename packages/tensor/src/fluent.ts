import type { DType } from "./dtype.ts";
import { ShapeError } from "./errors.ts";
import { argmax, argmin, type ArgOptions } from "./ops/arg-reduce.ts";
import { at, slice, type Index, type IndexUpdate } from "./ops/at.ts";
import type { IndexEntry } from "./ops/index-spec.ts";
import { nonzero, type NonzeroOptions } from "./ops/nonzero.ts";
import { searchsorted, type SearchOptions } from "./ops/search.ts";
import { cumprod, cumsum, type CumulativeOptions } from "./ops/scan.ts";
import { argsort, sort, type SortOptions } from "./ops/sorting.ts";
import { ptp } from "./ops/statistics.ts";
import { astype } from "./ops/convert.ts";
import type { TensorLike } from "./ops/create.ts";
import * as maths from "./ops/elementwise.ts";
import { take, type TakeOptions } from "./ops/indexing.ts";
import { dot, trace, type TraceOptions } from "./ops/contraction.ts";
import { matmul, type MatmulOptions } from "./ops/matmul.ts";
import * as movement from "./ops/movement.ts";
import { mean, std, variance, type VarianceOptions } from "./ops/moments.ts";
import { all, any, max, min, prod, sum, type ReduceOptions } from "./ops/reduce.ts";
import { diagonal, type DiagonalOptions } from "./ops/triangle.ts";
import type { Shape } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** Functions of one array that become methods without arguments. */
const UNARY = [
  "neg",
  "abs",
  "sign",
  "exp",
  "expm1",
  "log",
  "log1p",
  "sqrt",
  "rsqrt",
  "sin",
  "cos",
  "tan",
  "tanh",
  "square",
  "floor",
  "ceil",
  "round",
] as const;
/** Functions of two arrays that become methods with one argument. */
const BINARY = [
  "add",
  "sub",
  "mul",
  "div",
  "floorDivide",
  "remainder",
  "maximum",
  "minimum",
  "equal",
  "notEqual",
  "less",
  "lessEqual",
  "greater",
  "greaterEqual",
  "logicalAnd",
  "logicalOr",
  "power",
] as const;
const REDUCTIONS = { sum, prod, max, min, any, all, mean, std };

type UnaryMethods = Record<(typeof UNARY)[number], () => Tensor>;
type BinaryMethods = Record<(typeof BINARY)[number], (y: TensorLike) => Tensor>;
type Method<F> = F extends (x: TensorLike, ...rest: infer R) => infer Y ? (...rest: R) => Y : never;
type ReduceMethods = { [K in keyof typeof REDUCTIONS]: Method<(typeof REDUCTIONS)[K]> };

/** The methods that `@jnx/tensor/fluent` adds to every Tensor, named after the functions they call. */
export interface FluentMethods extends UnaryMethods, BinaryMethods, ReduceMethods {
  /** The transpose. */
  readonly T: Tensor;
  matmul(y: TensorLike, options?: MatmulOptions): Tensor;
  dot(y: TensorLike): Tensor;
  trace(options?: TraceOptions): Tensor;
  var(options?: VarianceOptions): Tensor;
  argmax(options?: ArgOptions): Tensor;
  argmin(options?: ArgOptions): Tensor;
  astype(dtype: DType): Tensor;
  reshape(shape: Shape | number, options?: movement.ReshapeOptions): Tensor;
  ravel(): Tensor;
  transpose(axes?: readonly number[]): Tensor;
  swapaxes(axis1: number, axis2: number): Tensor;
  squeeze(axis?: number | readonly number[]): Tensor;
  flip(options?: { readonly axis?: number | readonly number[] }): Tensor;
  take(indices: TensorLike, options?: TakeOptions): Tensor;
  diagonal(options?: DiagonalOptions): Tensor;
  /** The slices along axis 0, so that arrays can be iterated and destructured. */
  /** The part that an index names, to read or to change: `x.at(i).set(v)`. */
  at(index: Index): IndexUpdate;
  /** x[…]: one entry for each axis. */
  slice(...entries: readonly IndexEntry[]): Tensor;
  sort(options?: SortOptions): Tensor;
  argsort(options?: SortOptions & { readonly dtype?: DType }): Tensor;
  cumsum(options?: CumulativeOptions): Tensor;
  cumprod(options?: CumulativeOptions): Tensor;
  ptp(options?: Pick<ReduceOptions, "axis" | "keepdims">): Tensor;
  searchsorted(v: TensorLike, options?: SearchOptions): Tensor;
  nonzero(options?: NonzeroOptions): Tensor[];
  [Symbol.iterator](): IterableIterator<Tensor>;
}

declare module "./tensor.ts" {
  // Merges the methods into the class.
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type
  interface Tensor extends FluentMethods {}
}

function method(name: string | symbol, value: (this: Tensor, ...args: never[]) => unknown): void {
  Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
}

function rows(x: Tensor): Tensor[] {
  const [count, ...rest] = x.shape;
  if (count === undefined) throw new ShapeError("a scalar array cannot be iterated or destructured");
  const tail = rest.map(() => 0);
  return Array.from({ length: count }, (_, i) =>
    movement.reshape(movement.laxSlice(x, [i, ...tail], [i + 1, ...rest]), rest),
  );
}

for (const name of UNARY)
  method(name, function () {
    return maths[name](this);
  });
for (const name of BINARY)
  method(name, function (y: TensorLike) {
    return maths[name](this, y);
  });
for (const [name, reduction] of Object.entries(REDUCTIONS))
  method(name, function (options?: ReduceOptions) {
    return reduction(this, options);
  });
method("matmul", function (y: TensorLike, options?: MatmulOptions) {
  return matmul(this, y, options);
});
method("dot", function (y: TensorLike) {
  return dot(this, y);
});
method("trace", function (options?: TraceOptions) {
  return trace(this, options);
});
method("var", function (options?: VarianceOptions) {
  return variance(this, options);
});
method("argmax", function (options?: ArgOptions) {
  return argmax(this, options);
});
method("argmin", function (options?: ArgOptions) {
  return argmin(this, options);
});
method("astype", function (dtype: DType) {
  return astype(this, dtype);
});
method("reshape", function (shape: Shape | number, options?: movement.ReshapeOptions) {
  return movement.reshape(this, shape, options);
});
method("ravel", function () {
  return movement.ravel(this);
});
method("transpose", function (axes?: readonly number[]) {
  return movement.transpose(this, axes);
});
method("swapaxes", function (axis1: number, axis2: number) {
  return movement.swapaxes(this, axis1, axis2);
});
method("squeeze", function (axis?: number | readonly number[]) {
  return movement.squeeze(this, axis);
});
method("flip", function (options?: { readonly axis?: number | readonly number[] }) {
  return movement.flip(this, options);
});
method("take", function (indices: TensorLike, options?: TakeOptions) {
  return take(this, indices, options);
});
method("diagonal", function (options?: DiagonalOptions) {
  return diagonal(this, options);
});
method("at", function (index: Index) {
  return at(this, index);
});
method("slice", function (...entries: readonly IndexEntry[]) {
  return slice(this, ...entries);
});
method("sort", function (options?: SortOptions) {
  return sort(this, options);
});
method("argsort", function (options?: SortOptions & { readonly dtype?: DType }) {
  return argsort(this, options);
});
method("cumsum", function (options?: CumulativeOptions) {
  return cumsum(this, options);
});
method("cumprod", function (options?: CumulativeOptions) {
  return cumprod(this, options);
});
method("ptp", function (options?: Pick<ReduceOptions, "axis" | "keepdims">) {
  return ptp(this, options);
});
method("searchsorted", function (v: TensorLike, options?: SearchOptions) {
  return searchsorted(this, v, options);
});
method("nonzero", function (options?: NonzeroOptions) {
  return nonzero(this, options);
});
method(Symbol.iterator, function () {
  return rows(this).values();
});
Object.defineProperty(Tensor.prototype, "T", {
  get(this: Tensor) {
    return movement.transpose(this);
  },
  configurable: true,
});
