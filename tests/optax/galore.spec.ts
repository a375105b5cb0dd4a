/** galore against updates that the real Optax made; which of two signs a direction has is anyone's choice, and none of them shows it. */
import { jit } from "@jnx/compile";
import * as optax from "@jnx/optax";
import { array, reshape, tree, type Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray } from "../goldens/read.ts";

useDevice();

const { contrib: c } = optax;
const NAMES = ["b", "deep", "tall", "wide"] as const;
type Params = Record<(typeof NAMES)[number], Tensor>;

function read(name: string, ...path: readonly (string | number)[]): Params {
  const leaf = (key: string): Tensor => {
    const { data, shape } = goldenArray("optax-galore", ...path, key);
    const whole = array(data as Float32Array, { shape }); // the script writes float32
    return key === "deep" && name.includes("all") ? reshape(whole, [6, 4]) : whole;
  };
  return { b: leaf("b"), deep: leaf("deep"), tall: leaf("tall"), wide: leaf("wide") };
}

const dims = { b: null, deep: new c.DimensionNumbers([0, 2], 1), tall: new c.DimensionNumbers(1, 0), wide: null };
const cases: Readonly<Record<string, () => optax.GradientTransformation<unknown[]>>> = {
  "of matrices": () =>
    c.galore(0.1, {
      rank: 2,
      scale: 0.5,
      weightDecay: 0.1,
      mask: { b: false, deep: true, tall: true, wide: true },
    }),
  "of all that have two axes": () =>
    c.galore(0.1, {
      rank: 1,
      updateProjGap: 2,
      weightDimensionNumbers: new c.DimensionNumbers(0, -1),
      baseOptimizer: optax.trace(0.9) as optax.GradientTransformation, // it is given back only the state that it made
    }),
  "of some": () => c.galore(optax.linearSchedule(0.1, 0.2, 3), { weightDimensionNumbers: dims, updateProjGap: 2 }),
};

describe("updates", () => {
  const ways = Object.keys(cases).flatMap((name) => [false, true].map((compiled) => [name, compiled] as const));
  it.each(ways)("%s, compiled %s", async (name, compiled) => {
    const tx = cases[name]?.() ?? optax.chain();
    const step = (g: Params, state: unknown[], params: Params): [Params, unknown[]] => tx.update(g, state, params);
    const run = compiled ? jit(step) : step;
    let params = read(name, "params");
    let state = tx.init(params);
    for (let k = 0; k < 4; k++) {
      const [updates, next] = run(read(name, "gradients", k), state, params);
      state = next;
      params = optax.applyUpdates(params, updates);
      for (const key of NAMES) {
        const wanted = goldenArray("optax-galore", "updates", name, k, key);
        expect(updates[key].shape).toEqual(wanted.shape);
        (await updates[key].data()).forEach((x, i) => {
          expect(x, `${key}, step ${k}, element ${i}`).toBeCloseTo(wanted.data[i] ?? Number.NaN, 5);
        });
      }
    }
  });
});

it("remembers as little as it projects", () => {
  const tx = c.scaleByGalore({ rank: 2 });
  const state = tx.init({ b: array([1, 2]), tall: read("", "params").tall, wide: read("", "params").wide });
  const shapes = (name: string): unknown => tree.map((x: Tensor) => x.shape, optax.tree.get(state, name));
  expect(shapes("mu")).toEqual({ b: [2], tall: [2, 3], wide: [3, 2] });
  expect(shapes("projector")).toEqual({ b: [0, 0], tall: [6, 2], wide: [5, 2] });
});

it("takes no parameters", () => {
  const tx = c.galore(0.1);
  const [updates] = tx.update({}, tx.init({}), {});
  expect(updates).toEqual({});
});

it("names its mistakes", () => {
  expect(() => c.galore(0.1, { rank: 0 })).toThrow(/rank is a whole number from 1, received 0/);
  expect(() => c.scaleByGalore({ rank: 1.5 })).toThrow(/rank is a whole number from 1, received 1.5/);
  expect(() => c.scaleByGalore({ updateProjGap: 0 })).toThrow(/updateProjGap is a whole number from 1, received 0/);
  const partial = c.scaleByGalore({ weightDimensionNumbers: new c.DimensionNumbers(0, 1) });
  expect(() => partial.init(read("", "params"))).toThrow(
    /each axis of \[2, 3, 4\] is a reduction axis or an output axis/,
  );
  const overlapping = c.scaleByGalore({ weightDimensionNumbers: new c.DimensionNumbers(0, 0) });
  expect(() => overlapping.init([array([[1, 2]])])).toThrow(/must be disjoint/);
  expect(() =>
    c.scaleByGalore({ weightDimensionNumbers: { b: new c.DimensionNumbers() } }).init({ b: array([1]) }),
  ).toThrow(/"b" has 1 axes, and needs at least 2/);
});
