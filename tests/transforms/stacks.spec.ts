import { checkpoint, grad, jvp, vmap } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runs } from "./fuzz.ts";
import { reference } from "./interpreter.ts";
import { OPS_AND_ALL_LOOPS, OPS_AND_LOOPS } from "./loops.ts";
import { build, inputsOf, programs, type Gene, type Program } from "./programs.ts";
import type { Value } from "./values.ts";

useDevice();

/** A function of some tensors: what every transformation takes and gives here, so that any may come after any. */
type F = (...inputs: Tensor[]) => Tensor[];

/** sin keeps derivatives of what is large from growing, order by order. */
function total(f: F, inputs: readonly Tensor[]): Tensor {
  return f(...inputs).reduce((sum, y) => t.add(sum, t.mean(t.sin(y))), t.zeros([]));
}

/** Transformations by name; `how` is any number. */
const TRANSFORMS = {
  grad: (f: F): F => {
    return (...inputs) => grad((...args: Tensor[]) => total(f, args), { argnums: inputs.map((_, k) => k) })(...inputs);
  },
  jvp: (f: F): F => {
    return (...inputs) =>
      jvp(
        (...args: Tensor[]) => f(...args),
        inputs,
        inputs.map((x) => t.cos(t.mul(x, 3))),
      )[1];
  },
  vmap: (f: F, how: number): F => {
    return (...inputs) => {
      const inAxes = inputs.map((x, k) => ((how >> k) & 1 ? null : (how >> 4) % (x.ndim + 1)));
      const args = inputs.map((x, k) => {
        const axis = inAxes[k];
        return axis === null || axis === undefined ? x : t.moveaxis(t.broadcastTo(x, [2, ...x.shape]), 0, axis);
      });
      return vmap((...examples: Tensor[]) => f(...examples), { inAxes, axisSize: 2, outAxes: (how >> 6) % 2 ? -1 : 0 })(
        ...args,
      );
    };
  },
  jit: (f: F): F => jit((...inputs: Tensor[]) => f(...inputs)),
  checkpoint: (f: F): F => checkpoint((...inputs: Tensor[]) => f(...inputs)),
} as const;

type Name = keyof typeof TRANSFORMS;
interface Layer {
  readonly name: Name;
  readonly how: number;
}

/** A program with transformations on top of it, innermost first. Fewer, and then shorter programs, are smaller. */
interface Stack {
  readonly layers: readonly Layer[];
  readonly program: Program;
}

function stacks(): fc.Arbitrary<Stack> {
  const layer = fc.record({
    name: fc.constantFrom<Name>("jit", "checkpoint", "vmap", "jvp", "grad"),
    how: fc.nat({ max: 255 }),
  });
  return fc
    .array(layer, { minLength: 1, maxLength: 4 })
    .chain((layers) => programs({ maxLength: lengthFor(layers) }).map((program) => ({ layers, program })));
}

/** The deeper the derivatives, the shorter the program: float32 has only so many digits to lose. */
function lengthFor(layers: readonly Layer[]): number {
  return [40, 14, 6, 4, 3][layers.filter(({ name }) => name === "grad" || name === "jvp").length] ?? 3;
}

function stacked({ layers, program }: Stack): F {
  const reversed = layers.some(({ name }) => name === "grad");
  const f = build(program, true, reversed ? OPS_AND_LOOPS : OPS_AND_ALL_LOOPS);
  return layers.reduce<F>((made, { name, how }) => TRANSFORMS[name](made, how), f);
}

function onDevice({ data, shape }: Value): Tensor {
  return t.array(Float32Array.from(data), { shape });
}

/** float32 against float64: against the largest element, for derivatives of long programs cancel. */
function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  expect(got.length, what).toBe(want.length);
  const scale = Array.from(want).reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  const at = Array.from(want).findIndex((x, i) => !(Math.abs(x - (got[i] ?? Number.NaN)) < 4e-3 * scale));
  expect(at, at < 0 ? "" : `${what}: element ${at} is ${got[at] ?? "missing"}, not ${want[at] ?? ""}`).toBe(-1);
}

async function compare(stack: Stack): Promise<void> {
  const f = stacked(stack);
  const inputs = inputsOf(stack.program);
  const wanted = reference(f, inputs);
  if (wanted.some(({ data }) => data.some((x) => Math.abs(x) > 1e4))) return;
  const tensors = inputs.map(onDevice);
  const [eager, compiled] = [f(...tensors), jit(f)(...tensors)];
  for (const [k, want] of wanted.entries()) {
    const [one, other] = [eager[k], compiled[k]];
    if (one === undefined || other === undefined) throw new Error("a result is missing");
    expect([one.shape, other.shape]).toEqual([want.shape, want.shape]);
    expectClose(await one.data(), want.data, `eager result ${k}`);
    expectClose(await other.data(), want.data, `compiled result ${k}`);
  }
}

test("values of lines that need one another are computed in that order, whatever was fused first", async () => {
  const op = (number: number, b = 0, a = 0): Gene => ({ op: number, a, b, how: 0 });
  const genes = [op(0), op(29, 0, 54), op(0), op(0), op(93, 45), op(0)];
  const layers: Layer[] = [
    { name: "grad", how: 187 },
    { name: "jit", how: 101 },
    { name: "vmap", how: 120 },
    { name: "jit", how: 229 },
  ];
  await compare({ layers, program: { family: 0, genes, outputs: 2 } });
});

const hours = 3_600_000;

test(
  "random programs with loops and choices, under random stacks of transformations: eager = jit = float64",
  { timeout: hours },
  async () => {
    const endless = process.env["JNX_FUZZ"] !== undefined;
    await fc.assert(fc.asyncProperty(stacks(), compare), {
      // fast-check types the parameters by the property they go with.
      ...(runs(24) as fc.Parameters<[Stack]>),
      // A shrunk failure names the layers and the fewest instructions; a run that is merely slow is no failure.
      ...(endless ? {} : { interruptAfterTimeLimit: 8000, markInterruptAsFailure: false }),
    });
  },
);
