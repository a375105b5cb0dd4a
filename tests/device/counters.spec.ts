import { makeAdapter } from "@jnx/testing";
import { webgpuExecutor } from "@jnx/tensor/internal";
import type { Counters } from "@jnx/tensor";
import { expect, test } from "vitest";
import { mix, mixKernel, mixLaunch, numbers, params, upload } from "./kit.ts";

/** Counts the device's own calls under the names of the executor's counters. */
function count(device: GPUDevice): Record<keyof Counters, number> {
  const calls = {
    dispatches: 0,
    submits: 0,
    passes: 0,
    pipelines: 0,
    bindGroups: 0,
    bufferCreations: 0,
    writes: 0,
    reads: 0,
  };
  // What the objects made by a call do is watched by `then`.
  const watch = (target: object, method: string, counter?: keyof Counters, then?: (made: object) => void): void => {
    const original: unknown = Reflect.get(target, method);
    if (typeof original !== "function") throw new Error(`no method ${method}`);
    Reflect.set(target, method, (...args: unknown[]): unknown => {
      if (counter !== undefined) calls[counter]++;
      const made: unknown = Reflect.apply(original, target, args);
      if (then !== undefined && typeof made === "object" && made !== null) then(made);
      return made;
    });
  };
  watch(device, "createBuffer", "bufferCreations", (buffer) => watch(buffer, "mapAsync", "reads"));
  watch(device, "createBindGroup", "bindGroups");
  watch(device, "createComputePipelineAsync", "pipelines");
  watch(device, "createComputePipeline", "pipelines");
  watch(device.queue, "writeBuffer", "writes");
  watch(device.queue, "submit", "submits");
  watch(device, "createCommandEncoder", undefined, (encoder) =>
    watch(encoder, "beginComputePass", "passes", (pass) => watch(pass, "dispatchWorkgroups", "dispatches")),
  );
  return calls;
}

test("counters are the device's own calls, exactly", async () => {
  const device = await (await makeAdapter()).requestDevice();
  const calls = count(device);
  const executor = webgpuExecutor(device);
  const x = upload(executor, Uint32Array.of(1));
  const y = upload(executor, Uint32Array.of(2));
  const step = { kind: "launch", label: "s", kernel: mixKernel(), slots: [0, 1], grid: [1, 1, 1] } as const;
  const steps = [
    { ...step, uniforms: [params(1, 1)] },
    { kind: "copy", from: 1, to: 0, bytes: 4 } as const,
    { ...step, uniforms: [params(1, 2)] },
  ];
  const program = executor.createProgram(steps, 2, "p");
  for (let i = 0; i < 300; i++) {
    executor.run(mixLaunch(x, y, 1, i, i % 100 === 0 ? mixKernel() : mix));
    if (i % 10 === 0) executor.replay(program, i % 20 ? [x, y] : [y, x]);
    if (i % 30 === 0) executor.write(x, Uint32Array.of(i));
    if (i % 50 === 0) await numbers(executor, y, 1);
  }
  await executor.settled();
  expect(executor.counters()).toEqual(calls);
  expect(calls.dispatches).toBe(360);
  executor.destroy();
});
