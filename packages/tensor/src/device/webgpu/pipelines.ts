import type { LinkedKernel } from "@jnx/kernels-wgsl";
import { KernelError } from "../../errors.ts";
import { debugLog } from "../debug.ts";
import { excerpt } from "../excerpt.ts";
import { Layouts } from "./bindings.ts";
import type { KernelLayout } from "./bindings.ts";
import type { Gpu } from "./gpu.ts";

/** A pipeline from the moment it is asked for. */
export interface PipelineEntry {
  readonly kernel: LinkedKernel;
  readonly layout: KernelLayout;
  readonly module: GPUShaderModule;
  pipeline: GPUComputePipeline | undefined;
  /** Why it does not compile. */
  failure: string | undefined;
  /** Resolves, and never rejects, when it is compiled or has failed. */
  ready: Promise<void>;
  lastAsked: number;
  evicted: boolean;
}

/** Pipelines by the text of their kernel, compiled in parallel without blocking the event loop; the least used go first. */
export class Pipelines {
  private readonly gpu: Gpu;
  private readonly layouts: Layouts;
  private readonly capacity: number;
  private readonly printCode: boolean;
  private readonly byCode = new Map<string, PipelineEntry>();
  /** Saves hashing the text for kernels seen before. */
  private byKernel = new WeakMap<LinkedKernel, PipelineEntry>();
  private clock = 0;

  constructor(gpu: Gpu, capacity: number, printCode: boolean) {
    this.gpu = gpu;
    this.layouts = new Layouts(gpu);
    this.capacity = capacity;
    this.printCode = printCode;
  }

  get(kernel: LinkedKernel): PipelineEntry {
    let entry = this.byKernel.get(kernel);
    if (entry === undefined || entry.evicted) {
      entry = this.byCode.get(kernel.code) ?? this.start(kernel);
      this.byKernel.set(kernel, entry);
    }
    this.touch(entry);
    return entry;
  }

  /** The pipeline is in use. */
  touch(entry: PipelineEntry): void {
    entry.lastAsked = this.clock++;
  }

  clear(): void {
    for (const entry of this.byCode.values()) entry.evicted = true;
    this.byCode.clear();
  }

  /** Compiles at once, blocking: for a caller that queues without end and never yields. */
  createNow(entry: PipelineEntry): void {
    this.gpu.counters.pipelines++;
    const done = this.gpu.watch();
    entry.pipeline = this.gpu.device.createComputePipeline(descriptor(entry.kernel, entry.layout, entry.module));
    done((error) => this.gpu.failures.record(kernelError(entry.kernel.name, entry, error.message), 0));
  }

  private start(kernel: LinkedKernel): PipelineEntry {
    if (this.printCode) debugLog(`jnx: pipeline ${kernel.name}\n${kernel.code}`);
    if (this.byCode.size >= this.capacity) this.evict();
    const { device } = this.gpu;
    const layout = this.layouts.of(kernel);
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code: codeOf(kernel, layout), label: kernel.name });
    const invalid = device.popErrorScope().catch(() => null);
    this.gpu.counters.pipelines++;
    const compiled = this.gpu.wait(device.createComputePipelineAsync(descriptor(kernel, layout, module)));
    const entry: PipelineEntry = {
      kernel,
      layout,
      module,
      pipeline: undefined,
      failure: undefined,
      ready: Promise.resolve(),
      lastAsked: 0,
      evicted: false,
    };
    entry.ready = settle(entry, compiled, invalid);
    this.byCode.set(kernel.code, entry);
    return entry;
  }

  private evict(): void {
    let oldest: PipelineEntry | undefined;
    for (const entry of this.byCode.values()) {
      if (oldest === undefined || entry.lastAsked < oldest.lastAsked) oldest = entry;
    }
    if (oldest === undefined) return;
    oldest.evicted = true;
    this.byCode.delete(oldest.kernel.code);
  }
}

/** The error of an op whose kernel does not compile. */
export function kernelError(label: string, entry: PipelineEntry, failure = entry.failure ?? ""): KernelError {
  const { name } = entry.kernel;
  return new KernelError(`${label}: kernel ${name} does not compile: ${failure}`, name, [label]);
}

function codeOf(kernel: LinkedKernel, layout: KernelLayout): string {
  return layout.immediates?.code ?? kernel.code;
}

function descriptor(kernel: LinkedKernel, layout: KernelLayout, module: GPUShaderModule): GPUComputePipelineDescriptor {
  return { label: kernel.name, layout: layout.pipelineLayout, compute: { module, entryPoint: "main" } };
}

async function settle(
  entry: PipelineEntry,
  compiled: Promise<GPUComputePipeline>,
  invalid: Promise<GPUError | null>,
): Promise<void> {
  try {
    const pipeline = await compiled;
    entry.pipeline ??= pipeline;
  } catch (error) {
    entry.failure = await explain(entry, error, await invalid);
  }
}

async function explain(entry: PipelineEntry, error: unknown, invalid: GPUError | null): Promise<string> {
  // The text is right, what the driver's compiler made of it is not: Chrome never answers what it has to say of such a module.
  if (invalid === null) return error instanceof Error ? error.message.trim() : String(error);
  try {
    const { messages } = await entry.module.getCompilationInfo();
    const first = messages.find((message) => message.type === "error");
    if (first !== undefined)
      return excerpt(codeOf(entry.kernel, entry.layout), first.message, first.lineNum, first.linePos);
  } catch {
    // The device was lost meanwhile: what the pipeline said must do.
  }
  return invalid.message.trim();
}
