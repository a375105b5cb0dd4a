/**
 * JAX and Flax NNX for TypeScript on WebGPU. The namespaces are JAX's and Flax's; importing this package also gives
 * every Tensor its methods (`x.add(y)`) and every Rngs its samplers (`rngs.normal([3])`), and touches no device before `await init()`.
 */
import "@jnx/nnx/fluent";
import "@jnx/tensor/fluent";

export { init } from "./init.ts";
export type { InitOptions, WasmSettings } from "./init.ts";
export { selfTest, type SelfTestCheck, type SelfTestReport } from "./self-test.ts";
export { VERSION } from "./version.ts";
export type { DeviceName } from "./device/name.ts";
export type { TuningFile } from "./device/tuning.ts";
export * as jax from "./jax.ts";
export * as jnp from "./jnp.ts";
export * as lax from "./lax.ts";
export * as nn from "./nn.ts";
export { random, Tensor } from "@jnx/tensor";
export * as optax from "@jnx/optax";
export * as nnx from "@jnx/nnx";
export { counters, fromGPUBuffer, memory, toGPUBuffer } from "@jnx/tensor";
export {
  ArgumentError,
  DeviceError,
  DeviceLostError,
  DtypeError,
  EscapedTensorError,
  FloatingPointError,
  JnxError,
  KernelError,
  NoAdapterError,
  NotInitializedError,
  OutOfMemoryError,
  ShapeError,
  TracedTensorError,
} from "@jnx/tensor";
export type {
  Aval,
  Counters,
  DeviceInfo,
  DType,
  GpuBufferOptions,
  MemoryStats,
  Shape,
  TensorLike,
  TypedArray,
  WebGpuBuffer,
  WebGpuDevice,
} from "@jnx/tensor";
