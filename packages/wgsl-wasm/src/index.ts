export { compile, WgslError } from "./compiler/index.ts";
export type { CompiledKernel, CompileOptions } from "./compiler/index.ts";
export { WasmExecutor, wasmExecutor, type WasmOptions } from "./runtime/executor.ts";
