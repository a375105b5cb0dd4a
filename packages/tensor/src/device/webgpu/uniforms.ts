import { USAGE } from "./gpu.ts";
import type { Gpu } from "./gpu.ts";

/** WebGPU's default minUniformBufferOffsetAlignment; no device asks for more. */
export const UNIFORM_ALIGNMENT = 256;
const CHUNK_BYTES = 128 * 1024;

/** The size that a uniform of `bytes` takes in a chunk, and that its binding has. */
export function uniformSlot(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / UNIFORM_ALIGNMENT)) * UNIFORM_ALIGNMENT;
}

/** A buffer of uniforms, bound at dynamic offsets. */
export interface UniformSource {
  readonly key: number;
  readonly gpu: GPUBuffer;
}

export interface Chunk extends UniformSource {
  readonly host: Uint8Array<ArrayBuffer>;
  used: number;
  uploaded: number;
  /** How often it was filled from its start. */
  fillings: number;
  /** The last command that reads it: from its submission on the chunk is free. */
  lastUse: number;
}

/** Where an array lies, for as long as the chunk is not filled anew. */
interface Place {
  readonly chunk: Chunk;
  readonly filling: number;
  readonly offset: number;
}

/** Where the uniforms of a launch lie: one after another in one chunk. */
export interface Placed {
  readonly chunk: Chunk | undefined;
  readonly offsets: readonly number[];
}

/** The place of no uniforms. */
export const NOWHERE: Placed = { chunk: undefined, offsets: [] };

/**
 * Uniforms of eager launches: gathered on the host and uploaded with one write per submission. A loop of ops comes back
 * with the same arrays, which stay where they are until the chunk is full. It is filled from its start again once all its
 * readers are submitted, for a later write cannot overtake a submission.
 */
export class UniformRing {
  private readonly gpu: Gpu;
  private readonly chunks: Chunk[] = [];
  private readonly places = new WeakMap<Uint8Array, Place>();
  private current: Chunk | undefined;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** Puts the arrays of command `seq` into one chunk; everything up to `submitted` is done with its chunk. */
  place(arrays: readonly Uint8Array[], seq: number, submitted: number): Placed {
    const first = arrays[0] && this.places.get(arrays[0])?.chunk;
    const chunk = first !== undefined && this.holds(first, arrays) ? first : this.reserve(arrays, submitted);
    chunk.lastUse = seq;
    const offsets: number[] = [];
    for (const data of arrays) offsets.push(this.find(data, chunk) ?? this.push(chunk, data));
    return { chunk, offsets };
  }

  private holds(chunk: Chunk, arrays: readonly Uint8Array[]): boolean {
    for (const data of arrays) if (this.find(data, chunk) === undefined) return false;
    return true;
  }

  /** Writes what was pushed since the last upload. */
  upload(): void {
    for (const chunk of this.chunks) {
      if (chunk.used === chunk.uploaded) continue;
      this.gpu.upload(chunk.gpu, chunk.uploaded, chunk.host.subarray(chunk.uploaded, chunk.used));
      chunk.uploaded = chunk.used;
    }
  }

  destroy(): void {
    for (const chunk of this.chunks) chunk.gpu.destroy();
  }

  private find(data: Uint8Array, chunk: Chunk): number | undefined {
    const place = this.places.get(data);
    return place?.chunk === chunk && place.filling === chunk.fillings ? place.offset : undefined;
  }

  /** A chunk with room for all of them. */
  private reserve(arrays: readonly Uint8Array[], submitted: number): Chunk {
    let bytes = 0;
    for (const data of arrays) bytes += uniformSlot(data.byteLength);
    const { current } = this;
    // From half full on it waits for the end of a submission, so that a loop that always brings others has no need of two.
    const idle = current !== undefined && current.lastUse <= submitted;
    if (current !== undefined && current.used + bytes <= (idle ? CHUNK_BYTES / 2 : CHUNK_BYTES)) return current;
    const chunk = this.chunks.find((other) => other.lastUse <= submitted) ?? this.grow();
    chunk.used = 0;
    chunk.uploaded = 0;
    chunk.fillings++;
    return (this.current = chunk);
  }

  private push(chunk: Chunk, data: Uint8Array): number {
    const offset = chunk.used;
    chunk.host.set(data, offset);
    chunk.used += uniformSlot(data.byteLength);
    this.places.set(data, { chunk, filling: chunk.fillings, offset });
    return offset;
  }

  private grow(): Chunk {
    const gpu = this.gpu.buffer(CHUNK_BYTES, USAGE.uniform | USAGE.copyDst, "uniforms");
    const host = new Uint8Array(CHUNK_BYTES);
    const chunk = { key: this.gpu.nextKey(), gpu, host, used: 0, uploaded: 0, fillings: 0, lastUse: 0 };
    this.chunks.push(chunk);
    return chunk;
  }
}
