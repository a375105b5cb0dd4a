import { grad } from "@jnx/autodiff";
import { Capture, planGraph, printGraph, type Graph } from "@jnx/compile/internal";
import * as t from "@jnx/tensor";
import type { Limits, Tensor } from "@jnx/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runs } from "./fuzz.ts";
import { reference } from "./interpreter.ts";
import { build, inputsOf, programs, type Program } from "./programs.ts";
import { simulate } from "./simulate.ts";
import type { Value } from "./values.ts";

const limits = (buffers: number): Limits => ({
  maxStorageBuffersPerShaderStage: buffers,
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeWorkgroupStorageSize: 16384,
});

function capture(f: (...inputs: Tensor[]) => readonly Tensor[], inputs: readonly Value[]): Graph {
  const level = new Capture("test");
  return level.run(() => level.finish(f(...inputs.map((input, k) => level.input(k, input)))));
}

/** Compiles f, runs the plan on the host, and compares with the same ops one by one: to the last bit of float64. */
function check(
  f: (...inputs: Tensor[]) => readonly Tensor[],
  inputs: readonly Value[],
  buffers: number,
  donate = false,
): void {
  const graph = capture(f, inputs);
  const wanted = reference(f, inputs);
  const computed = { ...graph, outputs: [...new Set(graph.outputs.filter((node) => node.kind === "op"))] };
  const donated = new Set(
    donate ? graph.inputs.filter((input) => !graph.outputs.includes(input)).map((input) => input.id) : [],
  );
  const made = simulate(planGraph(computed, donated, limits(buffers)), computed, inputs, buffers);
  graph.outputs.forEach((node, k) => {
    const got = made.get(node.id);
    if (node.kind !== "op" || got === undefined) return;
    const want = [...(wanted[k]?.data ?? [])];
    const worst = Math.max(
      0,
      ...want
        .map((x, i) => Math.abs(x - (got.data[i] ?? Number.NaN)) / (1 + Math.abs(x)))
        .map((e) => (Number.isNaN(e) ? Infinity : e)),
    );
    expect(worst, `output ${k}\n${printGraph(graph)}`).toBeLessThan(1e-9);
  });
}

describe("a fused and planned graph computes what its ops compute one by one", () => {
  test.each([12, 8, 4])("random programs, %i buffers a kernel", (buffers) => {
    fc.assert(
      fc.property(programs(), (program) => check(build(program), inputsOf(program), buffers)),
      // fast-check types the parameters by the property they go with.
      runs(300) as fc.Parameters<[Program]>, // the same for any property
    );
  });

  test("random programs whose inputs are donated", () => {
    fc.assert(
      fc.property(programs(), (program) => check(build(program), inputsOf(program), 8, true)),
      // fast-check types the parameters by the property they go with.
      runs(300) as fc.Parameters<[Program]>,
    );
  });

  test.each([8, 4])("gradients of random programs, %i buffers a kernel", (buffers) => {
    fc.assert(
      fc.property(programs({ maxLength: 15 }), (program) => {
        const f = build(program, true);
        const total = (...inputs: Tensor[]): Tensor =>
          f(...inputs).reduce((sum, y) => t.add(sum, t.sum(t.sin(y))), t.zeros([]));
        const inputs = inputsOf(program);
        const gradient = grad(total, { argnums: inputs.map((_, k) => k) });
        check((...args) => gradient(...args), inputs, buffers, buffers === 4);
      }),
      // fast-check types the parameters by the property they go with.
      runs(150) as fc.Parameters<[Program]>,
    );
  });
});
