import { DeviceError, OutOfMemoryError } from "../../errors.ts";
import type { DeviceBuffer, MemoryStats } from "../executor.ts";
import { formatBytes } from "../format.ts";
import { Pool, sizeClass } from "../pool.ts";
import { USAGE } from "./gpu.ts";
import type { Gpu } from "./gpu.ts";

/** A GPU buffer that outlives the handles on it: recycling makes a new handle, the storage stays. */
export interface Storage {
  /** Unique, for bind group keys. */
  readonly key: number;
  readonly bytes: number;
  readonly gpu: GPUBuffer;
  /** The last queued command that uses it. */
  lastUse: number;
}

let handles = 1;

/** The DeviceBuffer of this executor. */
export class Handle implements DeviceBuffer {
  readonly id = handles++;
  readonly bytes: number;
  released = false;
  readonly label: string;
  readonly storage: Storage;
  readonly owner: Memory;

  constructor(storage: Storage, label: string, owner: Memory) {
    this.bytes = storage.bytes;
    this.storage = storage;
    this.label = label;
    this.owner = owner;
  }
}

export interface MemoryOptions {
  /** No more than this many bytes in live and pooled buffers together. Default: no limit but the device's. */
  readonly memoryLimit?: number;
  /** No more than this many bytes kept for reuse. Default: as many as were live at the peak, at least 64 MiB. */
  readonly poolLimit?: number;
}

const POOL_FLOOR = 64 * 2 ** 20;

/** Allocates and recycles storage buffers, and counts their bytes. */
export class Memory {
  private readonly gpu: Gpu;
  private readonly options: MemoryOptions;
  private readonly pool: Pool<Storage>;
  private readonly handles = new Set<Handle>();
  private readonly largest: number;
  private abandoned = false;
  private live = 0;
  private peak = 0;

  /** `retire` destroys a storage once the commands queued on it have been submitted. */
  constructor(gpu: Gpu, options: MemoryOptions, retire: (storage: Storage) => void) {
    this.gpu = gpu;
    this.options = options;
    this.pool = new Pool(retire);
    const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
    // Bindings are whole buffers, and storage sizes are multiples of 4.
    this.largest = Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 4) * 4;
    gpu.liveBytes = () => this.live;
  }

  allocate(bytes: number, label: string): Handle {
    if (!Number.isInteger(bytes) || bytes < 0) {
      throw new DeviceError(`${label}: a buffer's size must be a whole number of bytes, got ${bytes}`, [label]);
    }
    if (bytes > this.largest) throw this.tooLarge(bytes, label);
    const size = Math.min(sizeClass(bytes), this.largest);
    const storage = this.pool.take(size) ?? this.create(size, label);
    const handle = new Handle(storage, label, this);
    this.handles.add(handle);
    this.live += size;
    if (this.live > this.peak) this.peak = this.live;
    return handle;
  }

  release(buffer: DeviceBuffer): void {
    // A finalizer may come after the next init(): its buffer went with its device.
    if (buffer instanceof Handle && buffer.owner.abandoned) return;
    const handle = this.own(buffer);
    handle.released = true;
    this.handles.delete(handle);
    this.live -= handle.bytes;
    this.pool.give(handle.storage);
    this.pool.trim(this.options.poolLimit ?? Math.max(this.peak, POOL_FLOOR));
  }

  /** The storage of a live buffer of this device. */
  own(buffer: DeviceBuffer): Handle {
    if (!(buffer instanceof Handle) || buffer.owner !== this) {
      throw new DeviceError(
        `device: buffer ${buffer.id} belongs to another device, one lost or destroyed before the last init(); make its tensor again from host data`,
      );
    }
    if (buffer.released) {
      throw new DeviceError(
        `${buffer.label}: buffer ${buffer.id} was released before; its tensor must not be used any more`,
        [buffer.label],
      );
    }
    return buffer;
  }

  stats(): MemoryStats {
    return { live: this.live, peak: this.peak, pooled: this.pool.bytes, buffers: this.handles.size };
  }

  /** Destroys all pooled buffers. */
  trim(): void {
    this.pool.trim(0);
  }

  /** The device is gone: frees what a lent device would keep, and counts nothing as live. */
  abandon(): void {
    this.abandoned = true;
    for (const handle of this.handles) {
      handle.released = true;
      handle.storage.gpu.destroy();
    }
    this.handles.clear();
    this.live = 0;
    this.trim();
  }

  private create(size: number, label: string): Storage {
    const limit = this.options.memoryLimit ?? Infinity;
    // Pooled bytes of other sizes may stand in the way: drop them and look again.
    if (this.live + this.pool.bytes + size > limit) this.trim();
    if (this.live + size > limit) {
      throw this.exhausted(size, label, `the limit is ${formatBytes(limit)}`);
    }
    const done = this.gpu.watch();
    const gpu = this.gpu.buffer(size, USAGE.storage | USAGE.copySrc | USAGE.copyDst, label);
    done((error) => {
      const text = error.message.trim();
      this.gpu.failures.record(this.exhausted(size, label, `the device says: ${text}`), 0);
      this.trim();
    });
    return { key: this.gpu.nextKey(), bytes: size, gpu, lastUse: 0 };
  }

  private exhausted(size: number, label: string, reason: string): OutOfMemoryError {
    const message =
      `${label}: out of device memory: asked for ${formatBytes(size)} with ${formatBytes(this.live)} live` +
      `${this.creators()}; ${reason}. Use smaller batches, run the step under jit, or free tensors with \`using\``;
    return new OutOfMemoryError(message, size, this.live, [label]);
  }

  private tooLarge(bytes: number, label: string): OutOfMemoryError {
    const message =
      `${label}: one buffer of ${formatBytes(bytes)} was asked for, but this device allows ${formatBytes(this.largest)}` +
      ` (${formatBytes(this.live)} live${this.creators()}); split the tensor, or use a smaller batch`;
    return new OutOfMemoryError(message, bytes, this.live, [label]);
  }

  /** The three labels that hold most bytes. */
  private creators(): string {
    const sums = new Map<string, number>();
    for (const { label, bytes } of this.handles) sums.set(label, (sums.get(label) ?? 0) + bytes);
    const top = [...sums].sort((a, b) => b[1] - a[1]).slice(0, 3);
    if (top.length === 0) return "";
    return `, most of it by ${top.map(([label, bytes]) => `${label} (${formatBytes(bytes)})`).join(", ")}`;
  }
}
