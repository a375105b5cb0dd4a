import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { planWindowChoice, type WindowChoiceSpec } from "../../packages/kernels-wgsl/src/window/plan.ts";
import { compileAll, floats, limits, randoms, runStages } from "./run-stages.ts";

useDevice();

type Windows = Omit<WindowChoiceSpec, "dtype" | "arg" | "form">;

const one = [1, 1, 1] as const;
const cases: readonly (readonly [string, Windows, kernel: string])[] = [
  ["pooling", windows(2, [1, 6, 8], [1, 3, 4], [1, 2, 2], [1, 2, 2], [0, 0, 0], 8), "window/scatter-disjoint"],
  ["padded", windows(3, [1, 7, 5], [1, 4, 3], [1, 2, 2], [1, 2, 2], [0, 1, 1], 3), "window/scatter-disjoint"],
  [
    "elements in no window",
    windows(2, [5, 9, 7], [2, 2, 2], [1, 2, 1], [2, 4, 3], [0, 1, 0], 4),
    "window/scatter-disjoint",
  ],
  [
    "fewer windows than fit",
    windows(1, [1, 9, 4], [1, 2, 2], [1, 3, 2], [1, 3, 2], [0, 0, 0], 1),
    "window/scatter-disjoint",
  ],
  ["overlapping", windows(2, [1, 7, 6], [1, 3, 2], [1, 3, 3], [1, 2, 2], [0, 0, 0], 4), "window/scatter"],
  ["beginning late", windows(2, [1, 8, 6], [1, 3, 3], [1, 2, 2], [1, 2, 2], [0, -1, 0], 4), "window/scatter"],
];

type Three = readonly [number, number, number];

function windows(
  outer: number,
  extent: Three,
  out: Three,
  window: Three,
  strides: Three,
  low: Three,
  inner: number,
): Windows {
  return { outer, inner, extent, out, window, strides, low, windowDilation: one, vector: inner % 4 === 0 };
}

/** Few different numbers, so that many are equal, with NaN and infinities among them. */
function values(length: number, seed: number): Float32Array {
  const next = randoms(seed);
  const known = [0, -0, 1, 2, 2, NaN, Infinity, -Infinity];
  return Float32Array.from({ length }, () => known[Math.floor(next() * known.length)] ?? 0);
}

/** What each window chose gets its cotangent: the first NaN, else the first of the largest (or smallest). */
function scattered(spec: Windows, arg: "max" | "min", x: Float32Array, ct: Float32Array): number[] {
  const { outer, inner, extent, out, window, strides, low } = spec;
  const y = new Array<number>(x.length).fill(0);
  const volume = ([d, h, w]: Three): number => d * h * w;
  const places = (of: Three): Three[] =>
    Array.from({ length: volume(of) }, (_, k) => [
      Math.floor(k / (of[1] * of[2])),
      Math.floor(k / of[2]) % of[1],
      k % of[2],
    ]);
  const better = (a: number, b: number): boolean =>
    Number.isNaN(a) ? !Number.isNaN(b) : arg === "max" ? a > b : a < b;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      places(out).forEach((q, number) => {
        let best: number | undefined;
        for (const t of places(window)) {
          const at = q.map((k, axis) => k * (strides[axis] ?? 0) + (t[axis] ?? 0) - (low[axis] ?? 0));
          const [d = 0, h = 0, w = 0] = at;
          if (at.some((k, axis) => k < 0 || k >= (extent[axis] ?? 0))) continue;
          const place = (((o * extent[0] + d) * extent[1] + h) * extent[2] + w) * inner + i;
          if (best === undefined || better(x[place] ?? 0, x[best] ?? 0)) best = place;
        }
        if (best !== undefined) y[best] = (y[best] ?? 0) + (ct[(o * volume(out) + number) * inner + i] ?? 0);
      });
    }
  }
  return y;
}

describe("what windows chose, scattered", () => {
  test.each(cases)("%s", async (_, spec, kernel) => {
    const elements = (extent: Three): number => spec.outer * spec.inner * extent[0] * extent[1] * extent[2];
    const x = values(elements(spec.extent), 1);
    const next = randoms(2);
    const ct = Float32Array.from({ length: elements(spec.out) }, () => Math.round(next() * 64));
    for (const arg of ["max", "min"] as const) {
      const stages = planWindowChoice({ ...spec, dtype: "float32", arg, form: "scatter" }, limits);
      expect(stages.map((stage) => stage.kernel.name)).toEqual([kernel]);
      const y = await runStages(
        stages.map((stage) => ({ ...stage, operands: [0, 1] })),
        [x, ct],
        x.length,
      );
      expect([...floats(y)]).toEqual(scattered(spec, arg, x, ct));
    }
  });
});

test("every variant compiles", async () => {
  const stages = cases.flatMap(([, spec]) =>
    (["float32", "int32", "uint32"] as const).flatMap((dtype) =>
      (["gather", "scatter"] as const).flatMap((form) =>
        planWindowChoice({ ...spec, dtype, arg: "max", form }, limits),
      ),
    ),
  );
  expect(await compileAll(stages.map((stage) => ({ ...stage, operands: [0, 1] })))).toBeLessThanOrEqual(18);
});
