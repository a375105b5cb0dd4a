/** Buffers as handles on recycled storages, with exact counts of their bytes. Knows no platform. */
import { DeviceError, OutOfMemoryError } from "../errors.ts";
import type { DeviceBuffer, MemoryStats } from "./executor.ts";
import { formatBytes } from "./format.ts";
import { Pool, sizeClass } from "./pool.ts";
import { blocksIn, isSmall, slabClass, Slabs } from "./slabs.ts";
import type { Block } from "./pool.ts";

let handles = 1;

/** Where a platform's memory comes from and goes to. */
export interface MemorySource<S extends Block> {
  /** Bytes of the largest buffer that can be bound. */
  readonly largest: number;
  /** Fresh memory. `exhausted` makes the error of a refusal, for a source that can tell at once or later. */
  create(bytes: number, label: string, exhausted: (reason: string) => OutOfMemoryError): S;
  /** Takes a storage back that nobody holds any more; commands queued on it may still be to come. */
  destroy(storage: S): void;
  /** The device is gone: frees at once what a lent device would keep. */
  abandon(storage: S): void;
  /** One piece of fresh memory cut into `count` of `bytes`, on platforms where that is cheaper to bind. */
  cut?(bytes: number, count: number, exhausted: (reason: string) => OutOfMemoryError): readonly S[];
  /** Takes back what `cut` gave, all of it. */
  discard?(pieces: readonly S[]): void;
}

/** The DeviceBuffer of every executor. */
export class Handle<S extends Block> implements DeviceBuffer {
  readonly id = handles++;
  readonly bytes: number;
  released = false;
  readonly label: string;
  /** Changes when a buffer moves out of a slab. */
  storage: S;
  readonly owner: Memory<S>;

  constructor(storage: S, label: string, owner: Memory<S>) {
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
export class Memory<S extends Block> {
  private readonly source: MemorySource<S>;
  private readonly options: MemoryOptions;
  private readonly pool: Pool<S>;
  private readonly slabs: Slabs<S>;
  private readonly handles = new Set<Handle<S>>();
  /** Blocks that there are, by size, free ones too. */
  private readonly existing = new Map<number, number>();
  private abandoned = false;
  private live = 0;
  private peak = 0;

  constructor(source: MemorySource<S>, options: MemoryOptions) {
    this.source = source;
    this.options = options;
    this.pool = new Pool((storage) => {
      this.count(storage.bytes, -1);
      source.destroy(storage);
    });
    this.slabs = new Slabs((pieces) => {
      this.count(pieces[0]?.bytes ?? 0, -pieces.length);
      source.discard?.(pieces);
    });
  }

  /** With `apart` the buffer may be part of a larger one, but of none that those are parts of. */
  allocate(bytes: number, label: string, apart?: readonly DeviceBuffer[]): Handle<S> {
    if (!Number.isInteger(bytes) || bytes < 0) {
      throw new DeviceError(`${label}: a buffer's size must be a whole number of bytes, got ${bytes}`, [label]);
    }
    if (bytes > this.source.largest) throw this.tooLarge(bytes, label);
    const size = Math.min(sizeClass(bytes), this.source.largest);
    const storage = (apart && this.piece(bytes, label, apart)) ?? this.pool.take(size) ?? this.create(size, label);
    const handle = new Handle<S>(storage, label, this);
    this.handles.add(handle);
    this.live += handle.bytes;
    if (this.live > this.peak) this.peak = this.live;
    return handle;
  }

  release(buffer: DeviceBuffer): void {
    // A finalizer may come after the next init(): its buffer went with its device.
    if (isHandle(buffer) && buffer.owner.abandoned) return;
    const handle = this.own(buffer);
    handle.released = true;
    this.handles.delete(handle);
    this.live -= handle.bytes;
    const limit = this.options.poolLimit ?? Math.max(this.peak, POOL_FLOOR);
    if (!this.slabs.give(handle.storage, limit)) this.pool.give(handle.storage);
    this.pool.trim(Math.max(0, limit - this.slabs.bytes));
  }

  /** Gives a buffer that is part of a larger one memory of its own, to which `copy` moves what it holds. */
  moveOut(handle: Handle<S>, copy: (from: S, to: S) => void): void {
    const from = handle.storage;
    const to = this.pool.take(from.bytes) ?? this.create(from.bytes, handle.label);
    copy(from, to);
    handle.storage = to;
    this.slabs.give(from, POOL_FLOOR);
  }

  /** The storage of a live buffer of this device. */
  own(buffer: DeviceBuffer): Handle<S> {
    if (!this.owns(buffer)) {
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

  /** The storages of live buffers of this device. By a loop: what `map` gives is to V8 another kind of array once it is compiled. */
  storagesOf(buffers: readonly DeviceBuffer[]): S[] {
    const storages: S[] = [];
    for (let k = 0; k < buffers.length; k++) {
      const buffer = buffers[k];
      if (buffer !== undefined) storages.push(this.own(buffer).storage);
    }
    return storages;
  }

  stats(): MemoryStats {
    return { live: this.live, peak: this.peak, pooled: this.pooled, buffers: this.handles.size };
  }

  /** Destroys all pooled buffers. */
  trim(): void {
    this.pool.trim(0);
    this.slabs.trim();
  }

  /** The device is gone: frees what a lent device would keep, and counts nothing as live. */
  abandon(): void {
    this.abandoned = true;
    for (const handle of this.handles) {
      handle.released = true;
      this.source.abandon(handle.storage);
      this.slabs.give(handle.storage, 0);
    }
    this.handles.clear();
    this.live = 0;
    this.trim();
  }

  private get pooled(): number {
    return this.pool.bytes + this.slabs.bytes;
  }

  private get limit(): number {
    return this.options.memoryLimit ?? Infinity;
  }

  /** A piece of a slab in which no buffer of `apart` lies, if there is room for one. */
  private piece(bytes: number, label: string, apart: readonly DeviceBuffer[]): S | undefined {
    const size = this.source.cut === undefined ? undefined : slabClass(bytes);
    if (size === undefined) return undefined;
    const others = this.storagesOf(apart);
    const found = this.slabs.take(size, others);
    if (found !== undefined) return found;
    if (!isSmall(size) && this.pool.has(size)) return undefined;
    const count = blocksIn(size, this.existing.get(size) ?? 0);
    if (count < 2 || count * size > this.source.largest) return undefined;
    if (this.live + this.pooled + count * size > this.limit) return undefined;
    const pieces = this.source.cut?.(size, count, (reason) => this.exhausted(count * size, label, reason));
    if (pieces !== undefined) {
      this.count(size, count);
      this.slabs.add(pieces);
    }
    return this.slabs.take(size, others);
  }

  private create(size: number, label: string): S {
    const { limit } = this;
    // Pooled bytes of other sizes may stand in the way: drop them and look again.
    if (this.live + this.pooled + size > limit) this.trim();
    if (this.live + size > limit) {
      throw this.exhausted(size, label, `the limit is ${formatBytes(limit)}`);
    }
    const storage = this.source.create(size, label, (reason) => this.exhausted(size, label, reason));
    this.count(size, 1);
    return storage;
  }

  private count(size: number, change: number): void {
    this.existing.set(size, (this.existing.get(size) ?? 0) + change);
  }

  private owns(buffer: DeviceBuffer): buffer is Handle<S> {
    // As unknown: the owner of a stranger is a memory of another kind.
    const owner: unknown = isHandle(buffer) ? buffer.owner : undefined;
    return owner === this;
  }

  private exhausted(size: number, label: string, reason: string): OutOfMemoryError {
    const message =
      `${label}: out of device memory: asked for ${formatBytes(size)} with ${formatBytes(this.live)} live` +
      `${this.creators()}; ${reason}. Use smaller batches, run the step under jit, or free tensors with \`using\``;
    return new OutOfMemoryError(message, size, this.live, [label]);
  }

  private tooLarge(bytes: number, label: string): OutOfMemoryError {
    const message =
      `${label}: one buffer of ${formatBytes(bytes)} was asked for, but this device binds ${formatBytes(this.source.largest)} at most (maxStorageBufferBindingSize)` +
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

function isHandle(buffer: DeviceBuffer): buffer is Handle<Block> {
  return buffer instanceof Handle;
}
