import { Pool, sizeClass } from "../pool.ts";
import { MAP_READ, USAGE } from "./gpu.ts";
import type { Gpu } from "./gpu.ts";

/** Bytes of idle staging memory kept for the next reads. */
const KEPT = 16 * 2 ** 20;

interface Staging {
  readonly bytes: number;
  readonly gpu: GPUBuffer;
  readonly offset: 0;
}

/** Staging buffers for reads, reused once unmapped. */
export class Readback {
  private readonly gpu: Gpu;
  private readonly pool = new Pool<Staging>((staging) => staging.gpu.destroy());

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** A staging buffer to copy `bytes` into. */
  stage(bytes: number): Staging {
    const size = Math.min(sizeClass(bytes), this.gpu.device.limits.maxBufferSize);
    const known = this.pool.take(size);
    return known ?? { bytes: size, gpu: this.gpu.buffer(size, USAGE.mapRead | USAGE.copyDst, "read"), offset: 0 };
  }

  /** The bytes in `staging`, once the submission that fills it is done. */
  async fetch(staging: Staging, bytes: number): Promise<ArrayBuffer> {
    this.gpu.counters.reads++;
    const padded = Math.ceil(bytes / 4) * 4;
    await this.gpu.waitForWork(staging.gpu.mapAsync(MAP_READ, 0, padded));
    const data = staging.gpu.getMappedRange(0, padded).slice(0, bytes);
    staging.gpu.unmap();
    this.pool.give(staging);
    this.pool.trim(KEPT);
    return data;
  }

  clear(): void {
    this.pool.trim(0);
  }
}
