/** Uploads and waiting, which tfjs leaves to its backends. */
import type * as Tf from "@tensorflow/tfjs-core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { Input } from "../../tasks/index.ts";

function backendOf(tf: typeof Tf): WebGPUBackend {
  // The backend registered as "webgpu" is this class; tf.backend() is typed by its base.
  return tf.backend() as WebGPUBackend;
}

/** Puts data on the device before timing; on a GPU tf.tensor() alone would upload at first use and keep a copy. */
export function upload(tf: typeof Tf, { data, shape }: Input): Tf.Tensor {
  const dtype = data instanceof Int32Array ? "int32" : "float32";
  if (tf.getBackend() === "wasm") return tf.tensor(data, [...shape], dtype);
  const { device } = backendOf(tf);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: data.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, data);
  return tf.tensor({ buffer, zeroCopy: true }, [...shape], dtype);
}

/** Sends what tfjs has batched, then waits for the device; its Wasm ops are done when they return. */
export function waiter(tf: typeof Tf): () => Promise<void> {
  if (tf.getBackend() === "wasm") return () => Promise.resolve();
  return async () => {
    const backend = backendOf(tf);
    // Its own reads end the open pass before they submit; without commands there is no encoder to submit.
    backend.endComputePassEncoder();
    if (Reflect.get(backend, "commandEncoder") !== null) backend.submitQueue();
    await backend.device.queue.onSubmittedWorkDone();
  };
}
