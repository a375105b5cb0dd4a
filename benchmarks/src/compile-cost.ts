/** What the CPU's kernels cost to compile, and what is left of a first step: run in a fresh process, for only once is it cold. */
import * as jnx from "jnx";
import { executor, setExecutor } from "@jnx/tensor";
import { wasmExecutor } from "@jnx/wgsl-wasm";
import { compile } from "@jnx/wgsl-wasm/compiler";
import { openTraining } from "./engines/jnx/training.ts";
import { findTask } from "./tasks/index.ts";

/** Milliseconds of one kernel of the task's first step. */
export interface CompileCost {
  readonly kernel: string;
  readonly wgslBytes: number;
  readonly wasmBytes: number;
  readonly coldMs: number;
  /** Of compiling it again, when the compiler is warm. */
  readonly warmMs: readonly number[];
}

export interface ColdStep {
  /** From the call to the end of its work, nothing compiled before. */
  readonly firstMs: number;
  readonly kernels: readonly CompileCost[];
}

const WARM = 20;

type Compiled = Pick<CompileCost, "wasmBytes" | "coldMs"> & { readonly again: () => void };

export async function measureColdStep(id: string): Promise<ColdStep> {
  const task = findTask(id);
  if (task.kind !== "train") throw new Error(`bench: ${id} is no training step; T7, T8 and T9 are`);
  const compiled = new Map<string, Compiled>();
  const device = wasmExecutor({
    compile(code, options) {
      const begin = performance.now();
      const made = compile(code, options);
      const again = (): void => void compile(code, options);
      compiled.set(code, { wasmBytes: made.bytes.length, coldMs: performance.now() - begin, again });
      return made;
    },
  });
  setExecutor(device);
  const names = new Map<string, string>();
  const createProgram = device.createProgram.bind(device);
  device.createProgram = (steps, ...rest) => {
    for (const step of steps) if (step.kind === "launch") names.set(step.kernel.code, step.kernel.name);
    return createProgram(steps, ...rest);
  };
  const settled = (): Promise<void> => executor().settled();
  const training = openTraining({ ...jnx, settled }, task);
  await settled();
  const begin = performance.now();
  training.step();
  await settled();
  const firstMs = performance.now() - begin;
  const warm = new Map<string, number[]>();
  // In turns, as programs meet them.
  for (let round = 0; round < WARM; round++)
    for (const [code, { again }] of compiled) {
      const start = performance.now();
      again();
      warm.set(code, [...(warm.get(code) ?? []), performance.now() - start]);
    }
  const kernels = [...compiled].map(([code, { wasmBytes, coldMs }]) => ({
    kernel: names.get(code) ?? "another",
    wgslBytes: code.length,
    wasmBytes,
    coldMs,
    warmMs: warm.get(code) ?? [],
  }));
  device.destroy();
  return { firstMs, kernels };
}
