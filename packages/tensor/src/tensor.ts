/// <reference lib="esnext.disposable" preserve="true" />
// Symbol.dispose stands in the published declarations: whoever compiles against them needs no `lib` for it.
import { executor } from "./device/current.ts";
import { checkVerdicts, checkVerdictsNow } from "./device/verdicts.ts";
import type { DeviceBuffer } from "./device/executor.ts";
import { bytesOf, itemBytes, packedBits, type DType, type TypedArray } from "./dtype.ts";
import { ArgumentError, DeviceError, ShapeError, TracedTensorError } from "./errors.ts";
import { filledArray, hostArray, rawArray } from "./packing.ts";
import { sizeOf, shapeText, type Shape } from "./shape.ts";
import type { Storage } from "./storage.ts";
import { at, isContiguous, isIdentity, type View } from "./view.ts";

/** Shape and dtype of an array, without its contents: all that shape rules and compilers need. */
export interface Aval {
  readonly shape: Shape;
  readonly dtype: DType;
  /** True for JavaScript numbers and what is computed from them alone. */
  readonly weak: boolean;
}

/** Where a Tensor's elements are. */
export type Payload =
  | { readonly kind: "device"; readonly storage: Storage; readonly view: View }
  /** Every element is `value`, known on the host: JavaScript numbers, zeros, ones, full. */
  | { readonly kind: "literal"; readonly value: number }
  /** A value that exists only while `trace` is being captured. */
  | { readonly kind: "symbolic"; readonly trace: Trace; readonly value: object };

/** What traces a function. */
export interface Trace {
  /** As the user knows it: "jit", or the name of the function. */
  readonly name: string;
  /** What a value is to the user, such as "argument 0". */
  describe?(tensor: Tensor): string | undefined;
}

/** Whose value a traced tensor is, for errors. */
export function originOf(tensor: Tensor): string {
  const { payload } = tensor;
  if (payload.kind !== "symbolic") return "";
  return `${payload.trace.describe?.(tensor) ?? "a value"} of ${payload.trace.name}`;
}

/** An array whose elements are no numbers, made of arrays of its shape that are: the words of keys. */
export interface Composition {
  readonly parts: readonly Tensor[];
  /** An array of this kind from other parts. */
  remake(parts: readonly Tensor[]): Tensor;
}

/** Nested arrays of numbers, as `toArray()` gives them. */
export type NestedArray = number | readonly NestedArray[];

/**
 * An n-dimensional array of one dtype on the device. Immutable; its elements are read with `await x.data()`,
 * `await x.item()` or `await x.toArray()`, and nothing else waits for the device (on the CPU `x.dataSync()` does, too). It has no maths methods: import
 * functions, or `@jnx/tensor/fluent` (which `jnx` does) to have `x.add(y)`.
 *
 * @example
 * const x = array([[1, 2], [3, 4]]);
 * x.shape;            // [2, 2]
 * await x.toArray();  // [[1, 2], [3, 4]]
 */
export class Tensor implements Aval {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly weak: boolean;
  #payload: Payload;
  #host: TypedArray | undefined;

  /** @internal Tensors are made by functions such as `array` and `zeros`. */
  constructor(aval: Aval, payload: Payload) {
    this.shape = aval.shape;
    this.dtype = aval.dtype;
    this.weak = aval.weak;
    this.#payload = payload;
    if (payload.kind === "device") payload.storage.handles++;
  }

  get ndim(): number {
    return this.shape.length;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get nbytes(): number {
    return this.size * itemBytes(this.dtype);
  }

  /** @internal What it is made of, for an array whose elements are no numbers. */
  get composition(): Composition | undefined {
    return undefined;
  }

  /** @internal */
  get payload(): Payload {
    return this.#payload;
  }

  /**
   * The elements in row-major order, as a fresh typed array of the dtype's own kind: bool as a Uint8Array of 0 and 1,
   * bfloat16 as a Float32Array, float16 as a Float16Array where the runtime has them and else as a Float32Array too.
   */
  async data(): Promise<TypedArray> {
    this.#host ??= await this.#read();
    return this.#host.slice();
  }

  /** The only element of an array of size 1. Throws ShapeError for any other size. */
  async item(): Promise<number> {
    oneElement("item", this.shape, this.size);
    this.#host ??= await this.#read();
    this.#forgetDevice();
    return this.#host[0] ?? Number.NaN;
  }

  /** The elements as nested arrays; a scalar gives a number. */
  async toArray(): Promise<NestedArray> {
    return nest(await this.data(), this.shape);
  }

  /**
   * `data()` without a promise, on the CPU: `init({ device: "wasm" })`, but not on a page's main thread, which may not wait. Throws
   * DeviceError there and on WebGPU.
   */
  dataSync(): TypedArray {
    this.#host ??= this.#readSync("data");
    return this.#host.slice();
  }

  /** `item()` without a promise, where `dataSync()` works. */
  itemSync(): number {
    oneElement("itemSync", this.shape, this.size);
    this.#host ??= this.#readSync("item");
    this.#forgetDevice();
    return this.#host[0] ?? Number.NaN;
  }

  /** Gives the memory back now instead of when the collector finds out. Optional; reading the tensor afterwards throws. */
  dispose(): void {
    if (this.#payload.kind === "device")
      this.#payload.storage.free("this tensor was disposed; do not use it after dispose() or `using`");
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    const head = `Tensor ${this.dtype}${shapeText(this.shape)}`;
    const payload = this.#payload;
    if (payload.kind === "literal") return `${head} (all ${payload.value})`;
    if (payload.kind === "symbolic") return `${head} (being traced)`;
    return this.#host === undefined ? head : `${head} ${preview(this.#host, this.shape)}`;
  }

  /** Operators would turn the tensor into NaN without a word: they throw instead. Template strings work. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new ArgumentError(
      `${this.toString()} met a JavaScript operator, which cannot compute with tensors; use a function such as jnp.add, or a method such as x.add(y)`,
    );
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  async #read(): Promise<TypedArray> {
    const known = this.#onHost();
    if (known !== undefined) return known;
    // Taken now: when the bytes arrive, another read may have moved the value to the host.
    const place = this.#place();
    const reading = executor().read(place.buffer, place.bytes, place.offset);
    const [data] = await Promise.all([reading, checkVerdicts()]);
    return this.#arranged(data, place);
  }

  /** The elements if no device need be asked. */
  #onHost(): TypedArray | undefined {
    const payload = this.#payload;
    if (payload.kind === "symbolic")
      throw new TracedTensorError(
        `data: ${originOf(this)}, a ${this.dtype}${shapeText(this.shape)} that is being traced has no value to read; return it from the traced function and read the result`,
      );
    if (payload.kind === "literal")
      return hostArray(this.dtype, filledArray(this.dtype, payload.value, this.size).buffer, this.size);
    const known = hostCopy(payload.storage, payload.view, this.dtype);
    if (known !== undefined) return known;
    return this.size === 0 ? hostArray(this.dtype, new ArrayBuffer(0), 0) : undefined;
  }

  /** The bytes on the device that hold all elements. */
  #place(): Place {
    const view = viewOnDevice(this);
    const { first, count } = extentOf(view, packedBits(this.dtype) === undefined ? 1 : 4);
    const buffer = deviceStorage(this).buffer();
    return { buffer, bytes: bytesOf(this.dtype, count), offset: first * itemBytes(this.dtype), view, first };
  }

  /** The elements out of those bytes. */
  #arranged(bytes: ArrayBuffer, { view, first }: Place): TypedArray {
    return first === view.offset && isContiguous(view)
      ? hostArray(this.dtype, bytes, this.size)
      : gatherOnHost(this.dtype, bytes, view, first);
  }

  #readSync(asked: string): TypedArray {
    const known = this.#onHost();
    if (known !== undefined) return known;
    const device = executor();
    if (device.readSync === undefined)
      throw new DeviceError(
        `${asked}Sync: WebGPU hands out values only between turns of the event loop; use await ${asked}(), or init({ device: "wasm" })`,
      );
    const place = this.#place();
    const data = device.readSync(place.buffer, place.bytes, place.offset);
    checkVerdictsNow();
    return this.#arranged(data, place);
  }

  /** A single element that the host knows needs no device memory: what nobody else holds goes back at once. */
  #forgetDevice(): void {
    const payload = this.#payload;
    if (payload.kind !== "device" || this.#host === undefined) return;
    const { storage } = payload;
    if (storage.handles !== 1 || storage.slots > 0 || storage.pins > 0) return;
    this.#payload = { kind: "literal", value: this.#host[0] ?? Number.NaN };
    storage.free("this tensor's value moved to the host");
  }
}

/** Where a tensor's elements lie; `first` is the first element that is read, at `offset` bytes. */
interface Place {
  readonly buffer: DeviceBuffer;
  readonly bytes: number;
  readonly offset: number;
  readonly view: View;
  readonly first: number;
}

function oneElement(asked: string, shape: Shape, size: number): void {
  if (size === 1) return;
  throw new ShapeError(
    `${asked}: needs an array of one element, received shape ${shapeText(shape)}; use data() or toArray()`,
  );
}

function viewOnDevice({ payload }: Tensor): View {
  if (payload.kind !== "device") throw new TracedTensorError("jnx internal error: not on the device");
  return payload.view;
}

/** The elements on the host, if the storage still has the array it was made from and the view is all of it. */
function hostCopy(storage: Storage, view: View, dtype: DType): TypedArray | undefined {
  storage.checkAlive();
  const { host } = storage;
  const count = sizeOf(view.shape);
  if (host === undefined || !isIdentity(view) || bytesOf(dtype, count) !== host.byteLength) return undefined;
  return hostArray(dtype, new Uint8Array(host.buffer, host.byteOffset, host.byteLength).slice().buffer, count);
}

function nest(data: ArrayLike<number>, shape: Shape): NestedArray {
  let level: NestedArray[] = Array.from(data);
  for (const extent of shape.slice(1).reverse()) {
    const rows = extent === 0 ? 0 : level.length / extent;
    level = Array.from({ length: rows }, (_, row) => level.slice(row * extent, (row + 1) * extent));
  }
  return shape.length === 0 ? (level[0] ?? Number.NaN) : level;
}

function preview(data: ArrayLike<number>, shape: Shape): string {
  const shown = Array.from({ length: Math.min(8, data.length) }, (_, i) => String(data[i] ?? ""));
  const text = shown.join(", ") + (data.length > shown.length ? ", …" : "");
  return shape.length === 0 ? text : `[${text}]`;
}

/** The storage of a tensor that is known to be on the device. */
export function deviceStorage(tensor: Tensor): Storage {
  const { payload } = tensor;
  if (payload.kind !== "device")
    throw new TracedTensorError(`expected a tensor on the device, received ${String(tensor)}`);
  return payload.storage;
}

/** The range of storage elements that a non-empty view touches, from a multiple of `unit` on. */
function extentOf(view: View, unit: number): { first: number; count: number } {
  let first = view.offset;
  let last = view.offset;
  view.shape.forEach((extent, axis) => {
    const span = (extent - 1) * at(view.strides, axis);
    if (span < 0) first += span;
    else last += span;
  });
  first -= first % unit;
  return { first, count: last - first + 1 };
}

/** A strided view's elements in row-major order, from the storage elements `first` and onwards. */
function gatherOnHost(dtype: DType, bytes: ArrayBuffer, view: View, first: number): TypedArray {
  const stored = rawArray(dtype, bytes);
  const count = sizeOf(view.shape);
  const out = rawArray(dtype, new ArrayBuffer(bytesOf(dtype, count)));
  const index = new Array<number>(view.shape.length).fill(0);
  let position = view.offset - first;
  for (let i = 0; i < count; i++) {
    out[i] = at(stored, position);
    for (let axis = index.length - 1; axis >= 0; axis--) {
      index[axis] = at(index, axis) + 1;
      position += at(view.strides, axis);
      if (at(index, axis) < at(view.shape, axis)) break;
      position -= at(view.shape, axis) * at(view.strides, axis);
      index[axis] = 0;
    }
  }
  return hostArray(dtype, out.buffer, count);
}
