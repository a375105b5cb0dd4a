import type { LinkedKernel } from "@jnx/kernels-wgsl";
import { DeviceError, KernelError } from "@jnx/tensor";
import { debugLog, excerpt, launchLayout } from "@jnx/tensor/internal";
import type { LaunchLayout } from "@jnx/tensor/internal";
import { WgslError } from "../compiler/errors.ts";
import { compile } from "../compiler/index.ts";
import type { CompiledKernel, CompileOptions } from "../compiler/index.ts";
import { MOST_BINDINGS } from "./layout.ts";
import type { LinearMemory } from "./linear-memory.ts";

export type RunFunction = (
  begin: number,
  end: number,
  groupsX: number,
  groupsY: number,
  groupsZ: number,
  scratch: number,
  table: number,
) => void;

/** Which of a launch's buffers or uniforms a binding of the module takes. */
export interface Slot {
  readonly name: string;
  readonly uniform: boolean;
  readonly index: number;
}

/** A kernel from the moment it is asked for. */
export interface KernelEntry {
  readonly id: number;
  readonly kernel: LinkedKernel;
  readonly layout: LaunchLayout;
  /** One per binding of the module, in its order; empty until it is compiled. */
  slots: readonly Slot[];
  run: RunFunction | undefined;
  /** Why it does not compile. */
  failure: string | undefined;
  scratchBytes: number;
  module: Uint8Array | undefined;
  /** Where its module lies for workers to read, once one needs it. */
  code: { readonly address: number; readonly bytes: number } | undefined;
  /** What a workgroup took lately, in nanoseconds; 0 when it has not run. */
  perGroup: number;
  lastAsked: number;
  evicted: boolean;
}

export type Compile = (code: string, options: CompileOptions) => CompiledKernel;

/** Compiled kernels by their text; the least used go first. */
export class Kernels {
  compiled = 0;
  private readonly linear: LinearMemory;
  private readonly options: CompileOptions;
  private readonly capacity: number;
  private readonly printCode: boolean;
  private readonly compile: Compile;
  private readonly byCode = new Map<string, KernelEntry>();
  /** Saves hashing the text for kernels seen before. */
  private readonly byKernel = new WeakMap<LinkedKernel, KernelEntry>();
  private clock = 0;
  private ids = 1;

  constructor(
    linear: LinearMemory,
    options: CompileOptions,
    capacity: number,
    printCode: boolean,
    compiler: Compile = compile,
  ) {
    this.linear = linear;
    this.options = options;
    this.capacity = capacity;
    this.printCode = printCode;
    this.compile = compiler;
  }

  get(kernel: LinkedKernel): KernelEntry {
    let entry = this.byKernel.get(kernel);
    if (entry === undefined || entry.evicted) {
      entry = this.byCode.get(kernel.code) ?? this.add(kernel);
      this.byKernel.set(kernel, entry);
    }
    entry.lastAsked = this.clock++;
    return entry;
  }

  /** Its function, compiled now if need be; undefined when it does not compile. */
  ready(entry: KernelEntry): RunFunction | undefined {
    if (entry.run !== undefined || entry.failure !== undefined) return entry.run;
    const { kernel } = entry;
    if (this.printCode) debugLog(`jnx: kernel ${kernel.name}\n${kernel.code}`);
    this.compiled++;
    try {
      const made = this.compile(kernel.code, this.options);
      entry.slots = slotsOf(made, kernel, entry.layout);
      entry.scratchBytes = made.scratchBytes;
      entry.module = made.bytes;
      const instance = new WebAssembly.Instance(new WebAssembly.Module(made.bytes), {
        env: { memory: this.linear.memory },
      });
      // What the compiler's modules export.
      entry.run = instance.exports["run"] as RunFunction;
    } catch (error) {
      entry.failure = explain(error, kernel.code);
    }
    return entry.run;
  }

  /** Puts its module where workers find it; undefined when there is no memory left for it. */
  publish(entry: KernelEntry): KernelEntry["code"] {
    if (entry.code !== undefined || entry.module === undefined) return entry.code;
    const bytes = entry.module.byteLength;
    const address = this.linear.take(bytes);
    if (address === undefined) return undefined;
    this.linear.bytes.set(entry.module, address);
    return (entry.code = { address, bytes });
  }

  clear(): void {
    for (const entry of this.byCode.values()) this.drop(entry);
    this.byCode.clear();
  }

  private add(kernel: LinkedKernel): KernelEntry {
    if (this.byCode.size >= this.capacity) this.evict();
    const entry: KernelEntry = {
      id: this.ids++,
      kernel,
      layout: launchLayout(kernel.bindings),
      slots: [],
      run: undefined,
      failure: undefined,
      scratchBytes: 0,
      module: undefined,
      code: undefined,
      perGroup: 0,
      lastAsked: 0,
      evicted: false,
    };
    this.byCode.set(kernel.code, entry);
    return entry;
  }

  private evict(): void {
    let oldest: KernelEntry | undefined;
    for (const entry of this.byCode.values()) {
      if (oldest === undefined || entry.lastAsked < oldest.lastAsked) oldest = entry;
    }
    if (oldest === undefined) return;
    this.drop(oldest);
    this.byCode.delete(oldest.kernel.code);
  }

  private drop(entry: KernelEntry): void {
    entry.evicted = true;
    if (entry.code !== undefined) this.linear.give(entry.code.address, entry.code.bytes);
    entry.code = undefined;
  }
}

/** The error of an op whose kernel does not compile. */
export function kernelError(label: string, entry: KernelEntry): KernelError {
  const { name } = entry.kernel;
  return new KernelError(`${label}: kernel ${name} does not compile: ${entry.failure}`, name, [label]);
}

function explain(error: unknown, code: string): string {
  if (error instanceof WgslError) return excerpt(code, error.message, error.line, error.column);
  if (error instanceof DeviceError) return error.message;
  return `${String(error)}; this is a defect of jnx`;
}

/** Which buffer or uniform each of the module's bindings takes: the text must agree with what the kernel says of itself. */
function slotsOf(made: CompiledKernel, kernel: LinkedKernel, layout: LaunchLayout): Slot[] {
  if (made.bindings.length > MOST_BINDINGS) throw new DeviceError(`it has more than ${MOST_BINDINGS} bindings`);
  return made.bindings.map(({ group, binding, name, access }): Slot => {
    const uniform = access === "uniform";
    const list = uniform ? layout.uniform : layout.storage;
    const index = list.findIndex((known) => known.group === group && known.binding === binding);
    if (list[index]?.access !== access) {
      const known = kernel.bindings.find((other) => other.group === group && other.binding === binding);
      throw new DeviceError(
        `binding ${name} at @group(${group}) @binding(${binding}) is ${access} in the text, but the kernel says ${known?.access ?? "there is none"}`,
      );
    }
    return { name, uniform, index };
  });
}
