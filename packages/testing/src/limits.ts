import { OutOfMemoryError, type Executor, type Limits } from "@jnx/tensor";
import type { ProgramStep } from "@jnx/tensor/internal";

/** What WebGPU promises on every adapter. */
export const MINIMUM_LIMITS = {
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeWorkgroupStorageSize: 16384,
} as const satisfies Limits;

/**
 * An executor that tells the engine of lower limits than it has, and holds it to them: buffers that are too large are refused as
 * a device does, a launch with more buffers or a larger grid throws a plain Error, for that is a defect of jnx. Forms of
 * kernels for a CPU are off, so that what runs is what a GPU of these limits would run.
 */
export function limitedExecutor(real: Executor, cut: Partial<Limits> = {}): Executor {
  const limits: Limits = { ...MINIMUM_LIMITS, cheapBarriers: real.limits.cheapBarriers ?? false, ...cut };
  const own: Partial<Executor> = {
    limits,
    allocate: (bytes, label) => {
      const most = limits.maxStorageBufferBindingSize;
      if (bytes > most)
        throw new OutOfMemoryError(`${label}: ${bytes} bytes, maxStorageBufferBindingSize is ${most}`, bytes, 0, [
          label,
        ]);
      return real.allocate(bytes, label);
    },
    run: (launch) => {
      checkStep({ ...launch, kind: "launch", slots: [] }, limits);
      real.run(launch);
    },
    createProgram: (steps, slots, label) => {
      for (const step of steps) checkStep(step, limits);
      return real.createProgram(steps, slots, label);
    },
  };
  return new Proxy(real, {
    get: (target, name) => {
      const source = name in own ? own : target;
      const value: unknown = Reflect.get(source, name);
      return typeof value === "function" ? value.bind(source) : value;
    },
  });
}

function checkStep(step: ProgramStep, limits: Limits): void {
  if (step.kind !== "launch") return;
  const bound = step.kernel.bindings.filter(({ access }) => access !== "uniform").length;
  const most = limits.maxComputeWorkgroupsPerDimension;
  if (bound > limits.maxStorageBuffersPerShaderStage) throw exceeded(step.label, `${bound} storage buffers`);
  if (step.grid.some((groups) => groups > most)) throw exceeded(step.label, `a grid of ${step.grid.join(" x ")}`);
}

function exceeded(label: string, what: string): Error {
  return new Error(`${label}: ${what}, over the limits that the device told`);
}
