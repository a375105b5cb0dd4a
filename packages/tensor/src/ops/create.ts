import { bind } from "../dispatch.ts";
import { hasExecutor, executor } from "../device/current.ts";
import { checkDType, computedDType, dtypeOfTypedArray, isFloat, type DType, type TypedArray } from "../dtype.ts";
import { ArgumentError, DtypeError, ShapeError } from "../errors.ts";
import type { MapOp } from "../op.ts";
import { filledArray, hostArray, rawArray, roundTo, storageArray } from "../packing.ts";
import { checkShape, normalizeAxis, shapeText, sizeOf, type Shape } from "../shape.ts";
import { checkedBytes } from "../sizes.ts";
import { Storage } from "../storage.ts";
import { Tensor, type NestedArray } from "../tensor.ts";
import { at, contiguousView, isContiguous } from "../view.ts";
import { add, equal, mul } from "./elementwise.ts";
import { convert } from "./convert.ts";
import { reshape } from "./movement.ts";
import { checkOptions } from "../options.ts";

const ARRAY_OPTIONS = { dtype: true, shape: true, ndmin: "number" } as const;
const DTYPE_OPTION = { dtype: true } as const;
const LIKE_OPTIONS = { dtype: true, shape: true } as const;
const EYE_OPTIONS = { dtype: true, k: "number" } as const;

/** Things other than Tensors that stand for one: an nnx Variable gives its value. */
export interface TensorConvertible {
  toTensor(): Tensor;
}

/** What every function takes where it takes an array. Numbers are weakly typed: they adapt to the other operand. */
export type TensorLike = Tensor | number | boolean | TensorConvertible;

export interface ArrayOptions {
  readonly dtype?: DType;
}

export interface LikeOptions extends ArrayOptions {
  /** Another shape than x's. */
  readonly shape?: Shape | number;
}

/** Arrays up to this many bytes keep a host copy: keys and small constants are then read without the device. */
const HOST_COPY_BYTES = 4096;

/** True for what is an array, or a number that becomes one, among a function's arguments. */
export function isData(leaf: unknown): leaf is TensorLike {
  return (
    leaf instanceof Tensor ||
    typeof leaf === "number" ||
    (typeof leaf === "object" && leaf !== null && "toTensor" in leaf)
  );
}

/** For the function `name`: a Tensor as it is; a number or boolean as a weakly typed scalar; anything with `toTensor` as what that gives. */
export function asTensor(x: TensorLike, name: string): Tensor {
  if (x instanceof Tensor) return x;
  if (typeof x === "number") return weakNumber(x);
  if (typeof x === "boolean") return literal(x ? 1 : 0, [], "bool", true);
  if (typeof x === "object" && x !== null && typeof x.toTensor === "function") return x.toTensor();
  throw new DtypeError(`${name}: expected a Tensor or a number, received ${describe(x)}; make one with jnp.array(...)`);
}

/** A whole number is an int32; as -0 it keeps its sign for the floats that it may meet. */
function weakNumber(x: number): Tensor {
  if (!Number.isInteger(x) || Math.abs(x) > 0x7fffffff) return literal(x, [], "float32", true);
  return new Tensor({ shape: [], dtype: "int32", weak: true }, { kind: "literal", value: x });
}

/** What a function of several arrays was given, as Tensors: a list of at least one. */
export function asTensors(name: string, arrays: readonly TensorLike[]): Tensor[] {
  if (Array.isArray(arrays) && arrays.length > 0) return arrays.map((x) => asTensor(x, name));
  const received = Array.isArray(arrays) ? "an empty list" : String(arrays);
  throw new ShapeError(`${name}: needs a list of at least one array, received ${received}`);
}

function describe(x: unknown): string {
  return Array.isArray(x) ? "a JavaScript array" : x instanceof Object ? `a ${x.constructor.name}` : String(x);
}

/** An array whose every element is `value`; it takes no memory until a kernel needs it to. */
export function literal(value: number, shape: Shape, dtype: DType, weak = false): Tensor {
  return new Tensor({ shape, dtype, weak }, { kind: "literal", value: roundTo(dtype, value) });
}

/** `data`, in storage form and row-major, as an array on the device. The data is copied. */
export function fromHost(data: TypedArray, shape: Shape, dtype: DType): Tensor {
  if (hasExecutor()) checkedBytes("array", "data", { shape, dtype, weak: false }, executor().limits);
  const keep = data.byteLength <= HOST_COPY_BYTES || !hasExecutor();
  const storage = new Storage(data.byteLength, "array", keep ? data.slice() : undefined);
  if (!keep) executor().write(storage.buffer(), data);
  return new Tensor({ shape, dtype, weak: false }, { kind: "device", storage, view: contiguousView(shape) });
}

/** The elements of an array made from host data, if they are still known there: keys, small constants, literals. */
export function hostValues(x: Tensor): TypedArray | undefined {
  const { payload, dtype, size } = x;
  if (payload.kind === "literal") return hostArray(dtype, filledArray(dtype, payload.value, size).buffer, size);
  if (payload.kind !== "device" || payload.storage.freed || payload.storage.host === undefined) return undefined;
  const { host } = payload.storage;
  const { view } = payload;
  if (!isContiguous(view)) return undefined;
  const stored = rawArray(dtype, new Uint8Array(host.buffer, host.byteOffset, host.byteLength).slice().buffer);
  return hostArray(dtype, stored.slice(view.offset, view.offset + size).buffer, size);
}

/**
 * An array from nested JavaScript arrays, a typed array, a number, or another array. Typed arrays keep their dtype
 * (Float64Array becomes float32); numbers become float32 if any has a fraction, else int32; booleans become bool.
 * With fewer than `ndmin` axes it gets axes of extent 1 before them. float16 rounds to nearest even, as bfloat16 does; whole numbers wrap to the width of their dtype. Source: jnp.array.
 *
 * @throws ShapeError when nested arrays are ragged, or a typed array's length is not that of `shape`; ArgumentError unless ndmin is a whole number.
 * @example
 * array([[1, 2.5], [3, 4]]).dtype;                              // "float32"
 * array(new Float32Array([1, 2, 3, 4]), { shape: [2, 2] }).shape; // [2, 2]
 */
export function array(
  data: NestedArray | NestedBooleans | ArrayBufferView | TensorLike,
  options: ArrayOptions & { readonly shape?: Shape; readonly ndmin?: number } = {},
): Tensor {
  checkOptions("array", options, ARRAY_OPTIONS);
  const { ndmin = 0 } = options;
  if (!Number.isInteger(ndmin) || ndmin < 0)
    throw new ArgumentError(`array: ndmin is ${String(ndmin)}; a whole number ≥ 0 is needed`);
  const made = arrayOf(data, options);
  return made.ndim >= ndmin ? made : reshape(made, [...new Array<number>(ndmin - made.ndim).fill(1), ...made.shape]);
}

function arrayOf(data: Parameters<typeof array>[0], options: ArrayOptions & { readonly shape?: Shape }): Tensor {
  const dtype = options.dtype === undefined ? undefined : checkDType("array", options.dtype);
  if (ArrayBuffer.isView(data)) return fromView(data, options.shape, dtype);
  if (!Array.isArray(data)) {
    // Arrays were handled above and below: what is left is a Tensor, a number, a boolean or a convertible.
    const tensor = asTensor(data as TensorLike, "array");
    return convert(tensor, dtype ?? tensor.dtype, false);
  }
  const { shape, values, booleans } = flattenNested(data);
  const found = booleans
    ? "bool"
    : values.every((v) => Number.isInteger(v) && Math.abs(v) <= 0x7fffffff) && values.length > 0
      ? "int32"
      : "float32";
  const kept = dtype ?? found;
  return fromHost(storageArray(kept, values), checkedShape(values.length, options.shape ?? shape), kept);
}

/** Nested arrays of booleans, for `array([true, false])`. */
export type NestedBooleans = boolean | readonly NestedBooleans[];

function fromView(data: ArrayBufferView, shape: Shape | undefined, dtype: DType | undefined): Tensor {
  const kept = dtype ?? dtypeOfTypedArray(data);
  // Every view but DataView is indexable; dtypeOfTypedArray has refused the others.
  const values = data as unknown as ArrayLike<number>;
  return fromHost(storageArray(kept, values), checkedShape(values.length, shape ?? [values.length]), kept);
}

function checkedShape(count: number, shape: Shape): Shape {
  const checked = checkShape("array", shape);
  if (sizeOf(checked) !== count)
    throw new ShapeError(
      `array: ${count} elements do not fill shape ${shapeText(checked)}, which has ${sizeOf(checked)}`,
    );
  return checked;
}

function flattenNested(data: readonly unknown[]): { shape: number[]; values: number[]; booleans: boolean } {
  const values: number[] = [];
  const shape: number[] = [];
  let booleans = true;
  const visit = (node: unknown, depth: number): void => {
    if (Array.isArray(node)) {
      if (shape.length === depth && values.length === 0) shape.push(node.length);
      else if (shape[depth] !== node.length)
        throw new ShapeError(
          `array: ragged nesting, a row of ${node.length} elements at depth ${depth} where others have ${shape[depth] ?? "none"}`,
        );
      for (const child of node) visit(child, depth + 1);
      return;
    }
    if (depth !== shape.length)
      throw new ShapeError(`array: ragged nesting, a number at depth ${depth} where others are at ${shape.length}`);
    if (typeof node !== "number" && typeof node !== "boolean")
      throw new DtypeError(`array: expected numbers or booleans, found ${typeof node}`);
    if (typeof node === "number") booleans = false;
    values.push(Number(node));
  };
  visit(data, 0);
  return { shape, values, booleans: booleans && values.length > 0 };
}

/** A shape, of which one extent may be given alone. */
function fullShape(name: string, shape: Shape | number): Shape {
  return checkShape(name, typeof shape === "number" ? [shape] : shape);
}

/**
 * An array of `shape` filled with `value`; weakly typed unless told a dtype. Source: jnp.full.
 *
 * @throws ShapeError unless the shape holds whole numbers ≥ 0, DtypeError for an unknown dtype.
 * @example await full([2], 7).toArray(); // [7, 7]
 */
export function full(shape: Shape | number, value: number | boolean, options: ArrayOptions = {}): Tensor {
  checkOptions("full", options, DTYPE_OPTION);
  if (typeof value !== "number" && typeof value !== "boolean")
    throw new DtypeError(`full: fills with a number or a boolean, received ${describe(value)}; see broadcastTo`);
  // Above 2³¹ a number is no int32, and as a float32 it would be rounded on the way.
  const whole = typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
  if (options.dtype === "uint32" && whole) return literal(value, fullShape("full", shape), "uint32");
  const filled = asTensor(value, "full");
  const dtype = checkDType("full", options.dtype ?? filled.dtype);
  const weak = options.dtype === undefined && filled.dtype !== "bool";
  // As a whole number on the way -0 would lose its sign.
  if (isFloat(dtype)) return literal(Number(value), fullShape("full", shape), dtype, weak);
  return convert(literal(Number(value), fullShape("full", shape), filled.dtype), dtype, weak);
}

/**
 * An array of zeros, float32 unless told. Source: jnp.zeros.
 *
 * @throws ShapeError unless the shape holds whole numbers ≥ 0, DtypeError for an unknown dtype.
 * @example await zeros([2, 2]).toArray(); // [[0, 0], [0, 0]]
 */
export function zeros(shape: Shape | number, options: ArrayOptions = {}): Tensor {
  checkOptions("zeros", options, DTYPE_OPTION);
  return literal(0, fullShape("zeros", shape), checkDType("zeros", options.dtype ?? "float32"));
}

/**
 * An array of ones, float32 unless told. Source: jnp.ones.
 *
 * @throws ShapeError unless the shape holds whole numbers ≥ 0, DtypeError for an unknown dtype.
 * @example await ones([2], { dtype: "int32" }).toArray(); // [1, 1]
 */
export function ones(shape: Shape | number, options: ArrayOptions = {}): Tensor {
  checkOptions("ones", options, DTYPE_OPTION);
  return literal(1, fullShape("ones", shape), checkDType("ones", options.dtype ?? "float32"));
}

/**
 * Zeros of x's shape and dtype. Source: jnp.zeros_like.
 * @example await zerosLike(array([1, 2])).toArray(); // [0, 0]
 */
export function zerosLike(x: TensorLike, options: LikeOptions = {}): Tensor {
  return filledLike("zerosLike", x, 0, options);
}

/**
 * Ones of x's shape and dtype. Source: jnp.ones_like.
 * @example await onesLike(array([1, 2])).toArray(); // [1, 1]
 */
export function onesLike(x: TensorLike, options: LikeOptions = {}): Tensor {
  return filledLike("onesLike", x, 1, options);
}

/**
 * `value` in x's shape and dtype. Source: jnp.full_like.
 * @example await fullLike(array([1, 2]), 7).toArray(); // [7, 7]
 */
export function fullLike(x: TensorLike, value: number | boolean, options: LikeOptions = {}): Tensor {
  if (typeof value !== "number" && typeof value !== "boolean")
    throw new DtypeError(`fullLike: fills with a number or a boolean, received ${describe(value)}; see broadcastTo`);
  return filledLike("fullLike", x, Number(value), options);
}

function filledLike(name: string, x: TensorLike, value: number, options: LikeOptions): Tensor {
  checkOptions(name, options, LIKE_OPTIONS);
  const { shape, dtype, weak } = asTensor(x, name);
  const wanted = checkDType(name, options.dtype ?? dtype);
  return literal(value, fullShape(name, options.shape ?? shape), wanted, weak && options.dtype === undefined);
}

interface IotaAttrs {
  readonly shape: Shape;
  readonly axis: number;
  readonly dtype: Exclude<DType, "bool">;
}

const iotaOp: MapOp<IotaAttrs> = {
  kind: "map",
  name: "iota",
  indexed: true,
  infer: (_inputs, { shape, dtype }) => ({ shape, dtype, weak: false }),
  wgsl: (_args, context, { shape, axis, dtype }) => {
    const inner = sizeOf(shape.slice(axis + 1));
    const along = inner === 1 ? context.index() : `(${context.index()} / ${context.constant(inner, "uint32")})`;
    const counted =
      sizeOf(shape.slice(0, axis)) === 1 ? along : `(${along} % ${context.constant(at(shape, axis), "uint32")})`;
    const computed = computedDType(dtype);
    return computed === "uint32" ? counted : computed === "int32" ? `I(${counted})` : `F(${counted})`;
  },
  vjp: () => [],
};

/**
 * 0, 1, 2, … along `axis`, the same for all other indices. Source: lax.broadcasted_iota.
 *
 * @throws ShapeError when the axis is out of range.
 * @example await broadcastedIota("int32", [2, 3], 1).toArray(); // [[0, 1, 2], [0, 1, 2]]
 */
export function broadcastedIota(dtype: Exclude<DType, "bool">, shape: Shape, axis: number): Tensor {
  const checked = checkShape("broadcastedIota", shape);
  return bind(iotaOp, [], { shape: checked, axis: normalizeAxis("broadcastedIota", axis, checked.length), dtype });
}

/**
 * start, start + step, … up to but without stop. One argument is stop. int32 when all are whole numbers, else float32;
 * the options may follow any of the numbers. Source: jnp.arange.
 *
 * @throws ArgumentError unless the numbers are finite and the step is not 0, DtypeError for an unknown dtype.
 * @example
 * await arange(3).toArray();        // [0, 1, 2]
 * await arange(1, 2, 0.5).toArray(); // [1, 1.5]
 */
export function arange(
  startOrStop: number,
  stopOr?: number | ArrayOptions,
  stepOr?: number | ArrayOptions,
  last: ArrayOptions = {},
): Tensor {
  const given = [stopOr, stepOr].find((one) => typeof one === "object");
  const options = typeof given === "object" ? given : last;
  checkOptions("arange", options, DTYPE_OPTION);
  const stop = typeof stopOr === "number" ? stopOr : undefined;
  const step = typeof stepOr === "number" ? stepOr : 1;
  const [from, to] = stop === undefined ? [0, startOrStop] : [startOrStop, stop];
  if (![from, to, step].every(Number.isFinite) || step === 0)
    throw new ArgumentError(`arange: needs finite numbers and a step other than 0, received ${from}, ${to}, ${step}`);
  const count = Math.max(0, Math.ceil((to - from) / step));
  const whole = Number.isInteger(from) && Number.isInteger(step) && Number.isInteger(to);
  const dtype = checkDType("arange", options.dtype ?? (whole ? "int32" : "float32"));
  const [first, stride] = [Math.fround(from), Math.fround(step)];
  if (!whole)
    return convert(
      fromHost(
        Float32Array.from({ length: count }, (_, i) => first + Math.fround(i * stride)),
        [count],
        "float32",
      ),
      dtype,
    );
  return convert(add(mul(broadcastedIota("int32", [count], 0), step), from), dtype);
}

/**
 * Ones on the k-th diagonal of an n × m matrix, float32 unless told: the identity. Source: jnp.eye.
 *
 * @throws ShapeError unless the extents are whole numbers ≥ 0, DtypeError for an unknown dtype.
 * @example await eye(2, 3).toArray(); // [[1, 0, 0], [0, 1, 0]]
 */
export function eye(
  n: number,
  m: number | null = n,
  options: ArrayOptions & {
    /** Which diagonal: above the main one if positive, below if negative. */
    readonly k?: number;
  } = {},
): Tensor {
  checkOptions("eye", options, EYE_OPTIONS);
  const shape = checkShape("eye", [n, m ?? n]);
  const dtype = checkDType("eye", options.dtype ?? "float32");
  const { k = 0 } = options;
  if (!Number.isInteger(k)) throw new ArgumentError(`eye: a diagonal is a whole number, received ${String(k)}`);
  const row = broadcastedIota("int32", shape, 0);
  return convert(equal(k === 0 ? row : add(row, k), broadcastedIota("int32", shape, 1)), dtype);
}
