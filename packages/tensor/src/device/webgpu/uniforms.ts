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
  /** The last command that reads it: from its submission on the chunk is free. */
  lastUse: number;
}

/**
 * Uniforms of eager launches: gathered on the host and uploaded with one write per submission. A chunk is filled from its
 * start again once all its readers are submitted, for a later write cannot overtake a submission.
 */
export class UniformRing {
  private readonly gpu: Gpu;
  private readonly chunks: Chunk[] = [];
  private current: Chunk | undefined;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** A chunk with room for `bytes` at `used`, for command `seq`; everything up to `submitted` is done with its chunk. */
  reserve(bytes: number, seq: number, submitted: number): Chunk {
    let chunk = this.current;
    if (chunk === undefined || (chunk.lastUse > submitted && chunk.used + bytes > CHUNK_BYTES)) {
      chunk = this.chunks.find((other) => other.lastUse <= submitted) ?? this.grow();
      this.current = chunk;
    }
    if (chunk.lastUse <= submitted) {
      chunk.used = 0;
      chunk.uploaded = 0;
    }
    chunk.lastUse = seq;
    return chunk;
  }

  /** Copies `data` to the end of `chunk`; returns its offset. */
  push(chunk: Chunk, data: Uint8Array): number {
    const offset = chunk.used;
    chunk.host.set(data, offset);
    chunk.used += uniformSlot(data.byteLength);
    return offset;
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

  private grow(): Chunk {
    const gpu = this.gpu.buffer(CHUNK_BYTES, USAGE.uniform | USAGE.copyDst, "uniforms");
    const host = new Uint8Array(CHUNK_BYTES);
    const chunk = { key: this.gpu.nextKey(), gpu, host, used: 0, uploaded: 0, lastUse: 0 };
    this.chunks.push(chunk);
    return chunk;
  }
}
