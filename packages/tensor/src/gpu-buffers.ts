/** Arrays from and into buffers that the user's own WebGPU code works with: no detour over the host. */
import { executor } from "./device/current.ts";
import type { Executor } from "./device/executor.ts";
import { checkVerdicts } from "./device/verdicts.ts";
import type { WebGpuBuffer } from "./device/webgpu/options.ts";
import { currentFrame } from "./dispatch.ts";
import { bytesOf, checkDType, type DType } from "./dtype.ts";
import { contiguous } from "./eager.ts";
import { ArgumentError, DeviceError, DtypeError, TracedTensorError } from "./errors.ts";
import { asTensor, type TensorLike } from "./ops/create.ts";
import { checkOptions } from "./options.ts";
import { checkShape, sizeOf, type Shape } from "./shape.ts";
import { checkedBytes } from "./sizes.ts";
import { Storage } from "./storage.ts";
import { deviceStorage, originOf, Tensor } from "./tensor.ts";
import { contiguousView } from "./view.ts";

/** Where in a GPUBuffer an array begins. */
export interface GpuBufferOptions {
  /** In bytes, a multiple of 4; 0 by default. */
  readonly byteOffset?: number;
}

const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const TO_OPTIONS = { byteOffset: "number" } as const;
const FROM_OPTIONS = { dtype: true, ...TO_OPTIONS } as const;

/**
 * An array of what a `GPUBuffer` holds after all that was submitted to the device's queue so far. It is copied on the device, so
 * that the buffer stays yours to write to, to map and to destroy. Its device must be the one given to `init({ device })`.
 *
 * Elements are row-major and little-endian: 4 bytes each as float32, int32, uint32 and bool (0 or 1), 2 as float16, bfloat16, int16
 * and uint16, 1 as int8 and uint8, in whole words.
 *
 * @param shape The array's shape; `dtype` is float32 unless given.
 * @throws DeviceError on the CPU, ArgumentError for a buffer without COPY_SRC, mapped, or too small, ShapeError for a bad shape,
 * TracedTensorError under jit, which would keep the first contents for ever.
 * @example
 * // const x = fromGPUBuffer(particles, [1000, 4]);
 */
export function fromGPUBuffer(
  buffer: WebGpuBuffer,
  shape: Shape,
  options: GpuBufferOptions & { readonly dtype?: DType } = {},
): Tensor {
  checkOptions("fromGPUBuffer", options, FROM_OPTIONS);
  const aval = {
    shape: checkShape("fromGPUBuffer", shape),
    dtype: checkDType("fromGPUBuffer", options.dtype ?? "float32"),
    weak: false,
  };
  const { copyIn } = gpuExecutor("fromGPUBuffer", "array(data)");
  const { byteOffset = 0 } = options;
  const bytes = checkedBytes("fromGPUBuffer", "an array", aval, executor().limits);
  checkBuffer("fromGPUBuffer", buffer, COPY_SRC, byteOffset, bytes);
  if (isTraced())
    throw new TracedTensorError(
      "fromGPUBuffer: a traced function would keep what the buffer holds now for ever; make the array outside and pass it in",
    );
  const storage = new Storage(bytes, "fromGPUBuffer");
  if (bytes > 0) copyIn(buffer, byteOffset, storage.buffer(), bytes);
  return new Tensor(aval, { kind: "device", storage, view: contiguousView(aval.shape) });
}

/**
 * Copies an array into a `GPUBuffer` of yours, row-major, with the layout that `fromGPUBuffer` reads, on the device. Resolves once the
 * copy is submitted, without waiting until it is done: what you submit to the device's queue from then on sees it, such as a
 * render pass with the buffer as vertices.
 *
 * @throws As fromGPUBuffer, with COPY_DST for COPY_SRC; TracedTensorError for an array that is being traced, DtypeError for keys; the errors of work
 * queued before.
 * @example
 * // await toGPUBuffer(positions, vertexBuffer); // then encode and submit the render pass
 */
export async function toGPUBuffer(x: TensorLike, buffer: WebGpuBuffer, options: GpuBufferOptions = {}): Promise<void> {
  checkOptions("toGPUBuffer", options, TO_OPTIONS);
  const tensor = asTensor(x, "toGPUBuffer");
  if (tensor.composition !== undefined)
    throw new DtypeError("toGPUBuffer: keys have no bytes; copy their words, random.keyData(keys)");
  if (tensor.payload.kind === "symbolic")
    throw new TracedTensorError(
      `toGPUBuffer: ${originOf(tensor)} is being traced and has no value yet; return it from the traced function and copy the result`,
    );
  const { copyOut } = gpuExecutor("toGPUBuffer", "await x.data()");
  const { byteOffset = 0 } = options;
  const bytes = bytesOf(tensor.dtype, sizeOf(tensor.shape));
  checkBuffer("toGPUBuffer", buffer, COPY_DST, byteOffset, bytes);
  if (bytes === 0) return;
  const copying = copyOut(deviceStorage(contiguous(tensor)).buffer(), buffer, byteOffset, bytes);
  await Promise.all([copying, checkVerdicts()]);
}

type Copies = Required<Pick<Executor, "copyIn" | "copyOut">>;

function gpuExecutor(name: string, remedy: string): Copies {
  const device = executor();
  const { copyIn, copyOut } = device;
  if (copyIn === undefined || copyOut === undefined)
    throw new DeviceError(
      `${name}: there are no GPUBuffers on ${device.info.kind}, which computes on the CPU; use ${remedy}`,
    );
  return { copyIn: copyIn.bind(device), copyOut: copyOut.bind(device) };
}

/** Whether whatever is made now would become part of a graph. */
function isTraced(): boolean {
  for (let frame = currentFrame(); frame !== undefined; frame = frame.below) if (frame.level.claims([])) return true;
  return false;
}

function checkBuffer(name: string, buffer: WebGpuBuffer, usage: number, offset: number, bytes: number): void {
  // Callers without types may give anything.
  const given: unknown = buffer;
  if (typeof given !== "object" || given === null || typeof buffer.usage !== "number")
    throw new ArgumentError(`${name}: needs a GPUBuffer, received ${given === null ? "null" : typeof given}`);
  if ((buffer.usage & usage) === 0) {
    const needed = usage === COPY_SRC ? "COPY_SRC" : "COPY_DST";
    throw new ArgumentError(
      `${name}: the buffer was made with usage ${buffer.usage}, which lacks ${needed}; create it with GPUBufferUsage.${needed}`,
    );
  }
  if (buffer.mapState !== "unmapped")
    throw new ArgumentError(
      `${name}: the buffer is ${buffer.mapState === "mapped" ? "mapped" : "being mapped"}; unmap() it first`,
    );
  if (!Number.isInteger(offset) || offset < 0 || offset % 4 !== 0)
    throw new ArgumentError(`${name}: byteOffset must be a multiple of 4 from 0 on, received ${offset}`);
  if (offset + bytes > buffer.size)
    throw new ArgumentError(
      `${name}: the array takes ${bytes} bytes from byte ${offset} on, but the buffer has ${buffer.size}; give a smaller shape or a larger buffer`,
    );
}
