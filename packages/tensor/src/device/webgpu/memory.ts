import type { MemorySource } from "../memory.ts";
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

/** Storage buffers of a WebGPU device. `retire` destroys one once the commands queued on it have been submitted. */
export function gpuMemory(gpu: Gpu, retire: (storage: Storage) => void, trim: () => void): MemorySource<Storage> {
  const { maxBufferSize, maxStorageBufferBindingSize } = gpu.device.limits;
  return {
    // Bindings are whole buffers, and storage sizes are multiples of 4.
    largest: Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 4) * 4,
    create(bytes, label, exhausted) {
      const done = gpu.watch();
      const buffer = gpu.buffer(bytes, USAGE.storage | USAGE.indirect | USAGE.copySrc | USAGE.copyDst, label);
      done((error) => {
        gpu.failures.record(exhausted(`the device says: ${error.message.trim()}`), 0);
        trim();
      });
      return { key: gpu.nextKey(), bytes, gpu: buffer, lastUse: 0 };
    },
    destroy: retire,
    abandon: (storage) => storage.gpu.destroy(),
  };
}
