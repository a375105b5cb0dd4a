export type { CompiledKernel, CompileOptions } from "./compiler/index.ts";
