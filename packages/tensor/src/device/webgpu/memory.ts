import type { MemorySource } from "../memory.ts";
import { USAGE } from "./gpu.ts";
import type { Gpu } from "./gpu.ts";

/** A GPU buffer from a place on. */
export interface Stretch {
  readonly gpu: GPUBuffer;
  readonly offset: number;
}

/** A GPU buffer, or a part of one, that outlives the handles on it: recycling makes a new handle, the storage stays. */
export interface Storage extends Stretch {
  /** Unique, for bind group keys. */
  readonly key: number;
  /** Of the GPU buffer: the same for its parts, all of one size. */
  readonly gpuKey: number;
  readonly bytes: number;
  /** True if other storages lie in the same GPU buffer. */
  readonly part: boolean;
  /** The last queued command that uses it. */
  lastUse: number;
}

/** Fresh memory up to this size is filled from the host, which takes no submission. */
const UPLOADED_BYTES = 2 ** 20;

/** Storage buffers of a WebGPU device. `retire` destroys one once the commands queued on it have been submitted. */
export function gpuMemory(
  gpu: Gpu,
  retire: (buffer: GPUBuffer, lastUse: number) => void,
  trim: () => void,
): MemorySource<Storage> {
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
  const make = (bytes: number, label: string, exhausted: (reason: string) => Error): GPUBuffer => {
    const done = gpu.watch();
    const buffer = gpu.buffer(bytes, USAGE.storage | USAGE.indirect | USAGE.copySrc | USAGE.copyDst, label);
    done((error) => {
      gpu.failures.record(exhausted(`the device says: ${error.message.trim()}`), 0);
      trim();
    });
    return buffer;
  };
  // wgpu (Deno, Firefox) overlooks what kernels write at dynamic offsets: copies found parts "never written", and zeroed them.
  const fill = (buffer: GPUBuffer): void => {
    gpu.device.pushErrorScope("validation");
    if (buffer.size <= UPLOADED_BYTES) gpu.device.queue.writeBuffer(buffer, 0, new Uint8Array(buffer.size));
    else {
      const encoder = gpu.device.createCommandEncoder();
      encoder.clearBuffer(buffer);
      gpu.counters.submits++;
      gpu.device.queue.submit([encoder.finish()]);
    }
    // All that can be wrong is that there is no buffer, which `make` reports.
    void gpu.device.popErrorScope().catch(() => undefined);
  };
  return {
    // Bindings are whole buffers, and storage sizes are multiples of 4.
    largest: Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 4) * 4,
    create(bytes, label, exhausted) {
      const buffer = make(bytes, label, exhausted);
      const key = gpu.nextKey();
      return { key, gpuKey: key, bytes, gpu: buffer, offset: 0, part: false, lastUse: 0 };
    },
    cut(bytes, count, exhausted) {
      const buffer = make(bytes * count, `${count} of ${bytes} bytes`, exhausted);
      fill(buffer);
      const gpuKey = gpu.nextKey();
      return Array.from({ length: count }, (_, k) => {
        return { key: gpu.nextKey(), gpuKey, bytes, gpu: buffer, offset: k * bytes, part: true, lastUse: 0 };
      });
    },
    discard(pieces) {
      const [first] = pieces;
      if (first !== undefined) retire(first.gpu, Math.max(...pieces.map((piece) => piece.lastUse)));
    },
    destroy: (storage) => retire(storage.gpu, storage.lastUse),
    abandon: (storage) => storage.gpu.destroy(),
  };
}
