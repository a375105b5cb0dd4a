import { grad } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { sizeOf } from "@jnx/tensor/internal";
import { useDevice } from "@jnx/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runs } from "./fuzz.ts";
import { reference } from "./interpreter.ts";
import { build, inputsOf, programs, type Program } from "./programs.ts";
import { valueOf, type Value } from "./values.ts";

useDevice();

function onDevice({ data, shape }: Value): Tensor {
  return t.array(Float32Array.from(data), { shape });
}

/** float32 against float64, over a chain of ops: a bound on what rounding does, far below what a mistake does. */
function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  expect(got.length, what).toBe(want.length);
  const worst = Array.from(want, (x, i) => Math.abs(x - (got[i] ?? Number.NaN)) / (1 + Math.abs(x)));
  const at = worst.findIndex((error) => !(error < 2e-3));
  expect(at, at < 0 ? "" : `${what}: element ${at} is ${got[at] ?? "missing"}, not ${want[at] ?? ""}`).toBe(-1);
}

async function compare(f: (...inputs: Tensor[]) => Tensor[], inputs: readonly Value[]): Promise<void> {
  const wanted = reference(f, inputs);
  const tensors = inputs.map(onDevice);
  const eager = f(...tensors);
  const compiled = jit(f)(...tensors);
  for (const [k, want] of wanted.entries()) {
    const [one, other] = [eager[k], compiled[k]];
    if (one === undefined || other === undefined) throw new Error("a result is missing");
    expect([one.shape, one.dtype, other.shape, other.dtype]).toEqual([want.shape, want.dtype, want.shape, want.dtype]);
    expectClose(await one.data(), want.data, `eager result ${k}`);
    expectClose(await other.data(), want.data, `compiled result ${k}`);
  }
}

test("random programs: eager = jit = float64", { timeout: 3_600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(programs(), (program) => compare(build(program), inputsOf(program))),
    // fast-check types the parameters by the property they go with.
    { ...(runs(20) as fc.Parameters<[Program]>), endOnFailure: process.env["JNX_FUZZ"] === undefined },
  );
});

test("random programs: jit(grad) = grad = float64", { timeout: 3_600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(programs({ maxLength: 12 }), (program) => {
      const f = build(program, true);
      const total = (...inputs: Tensor[]): Tensor =>
        f(...inputs).reduce((sum, y) => t.add(sum, t.sum(t.sin(y))), t.zeros([]));
      const inputs = inputsOf(program);
      const gradient = grad(total, { argnums: inputs.map((_, k) => k) });
      return compare((...args) => gradient(...args), inputs);
    }),
    // fast-check types the parameters by the property they go with.
    { ...(runs(12) as fc.Parameters<[Program]>), endOnFailure: process.env["JNX_FUZZ"] === undefined },
  );
});

test("long rows and long inner dimensions, whose kernels have several stages, with maps before and after", async () => {
  const wave = (shape: readonly number[], turn: number): Value =>
    valueOf(
      shape,
      "float32",
      Array.from({ length: sizeOf(shape) }, (_, k) => Math.fround(Math.sin(k * turn))),
    );
  await compare(
    (a, b, c) => {
      const rows = t.sum(t.mul(a, t.cos(a)), { axis: 1 });
      const product = t.relu(t.add(t.mul(t.matmul(b, c), 0.05), 0.25));
      return [
        t.sqrt(t.add(t.square(rows), 1)),
        t.mean(t.tanh(a)),
        t.softmax(a, { axis: 1 }),
        product,
        t.sum(product, { axis: 0 }),
        t.max(t.neg(a), { axis: 0 }),
      ];
    },
    [wave([3, 5003], 0.7), wave([8, 2048], 0.3), wave([2048, 12], 0.11)],
  );
});
