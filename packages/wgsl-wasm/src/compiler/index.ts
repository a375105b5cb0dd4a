/** A kernel as a WebAssembly module. */
export interface CompiledKernel {
  /** Imports env.memory, exports `run(begin, end, groupsX, groupsY, groupsZ, scratch, bindings)`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** In the order of (group, binding). */
  readonly bindings: readonly CompiledBinding[];
  readonly workgroupSize: readonly [number, number, number];
  /** Bytes that each thread needs beside the bindings, 16-byte aligned. */
  readonly scratchBytes: number;
}

/** A binding that the kernel declares. */
export interface CompiledBinding {
  readonly group: number;
  readonly binding: number;
  readonly name: string;
  readonly access: "uniform" | "read" | "read_write";
  readonly byteStride: number;
}

/** What the engine that will run the module has. */
export interface CompileOptions {
  readonly relaxedSimd: boolean;
  readonly sharedMemory: boolean;
  /** Keep every index inside its binding, at the price of speed. */
  readonly clampIndices: boolean;
}
