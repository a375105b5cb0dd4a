/** What optax has under its namespaces, against closed forms. */
import { array, astype, cos, less, mul, square, sub, sum, where, type Tensor } from "@jnx/tensor";
import * as optax from "@jnx/optax";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

describe("unitwiseNorm and unitwiseClip", () => {
  it("by rank: a vector, columns, output channels", async () => {
    expect(await optax.unitwiseNorm(array([3, 4])).toArray()).toEqual([5, 5]);
    expect(await optax.unitwiseNorm(array([[[3], [4]]])).toArray()).toEqual([[[5], [5]]]);
    const columns = optax.unitwiseNorm(
      array([
        [3, 5],
        [4, 12],
      ]),
    );
    expect(await columns.toArray()).toEqual([
      [5, 13],
      [5, 13],
    ]);
    const kernel = array([[[[1, 2]]], [[[2, 4]]], [[[2, 4]]]]);
    expect(await optax.unitwiseNorm(kernel).toArray()).toEqual([[[[3, 6]]], [[[3, 6]]], [[[3, 6]]]]);
    const rows = optax.unitwiseNorm(
      array([
        [3, 4],
        [6, 8],
      ]),
      { axis: 1 },
    );
    expect(await rows.toArray()).toEqual([
      [5, 5],
      [10, 10],
    ]);
    expect(() => optax.unitwiseNorm(array([[[[[[1]]], [[[2]]]]]]))).toThrow(/unitwiseNorm: .*6 axes need/);
  });

  it("clips where the norm reaches the limit, zeros included", async () => {
    const clipped = optax.transforms.unitwiseClip(array([5, 0.5, 0]), array([1, 1, 0]), array([10, 3, 7]));
    expect(await clipped.toArray()).toEqual([2, 3, 0]);
    expect(() => optax.unitwiseClip(array([1]), array([1]), array([1, 2]))).toThrow(/shape \[2\], received \[1\]/);
  });
});

describe("injectHyperparams", () => {
  /** Halves the rate whenever it is told a loss that is no smaller than the last. */
  const halving: optax.schedules.StatefulSchedule<{ rate: Tensor; last: Tensor }> = {
    init: () => ({ rate: array(1, { dtype: "float32" }), last: array(Infinity) }),
    update: ({ rate, last }, { loss }) => {
      const now = array(Number(loss));
      return { rate: where(less(now, last), rate, mul(rate, 0.5)), last: astype(now, "float32") };
    },
    call: ({ rate }) => rate,
  };

  it("a schedule with a state hears of the extra arguments, and its value counts before the update", async () => {
    const tx = optax.injectStatefulHyperparams(optax.sgd)(halving);
    let state = tx.init([array([0])]);
    expect(Object.keys(state)).toEqual(["count", "hyperparams", "hyperparamsStates", "innerState"]);
    const rates: unknown[] = [];
    for (const loss of [3, 2, 2, 1]) {
      const [[update], next] = tx.update([array([1])], state, [array([0])], { loss });
      state = next;
      rates.push(await update?.item());
    }
    // Infinity > 3 > 2, then 2 is no smaller: the rate is halved from the fourth update on.
    expect(rates).toEqual([-1, -1, -1, -0.5]);
    expect(await array(state.count).item()).toBe(4);
  });

  it("a plain schedule counts for itself: its count can be set back", async () => {
    const tx = optax.injectHyperparams(optax.sgd)(optax.linearSchedule(1, 0, 4));
    let state = tx.init([array([0])]);
    for (let k = 0; k < 3; k++) state = tx.update([array([1])], state, [array([0])])[1];
    expect(await array(state.hyperparams["learningRate"] ?? NaN).item()).toBe(0.5);
    const [[again]] = tx.update([array([1])], { ...state, hyperparamsStates: { learningRate: { count: 0 } } }, [
      array([0]),
    ]);
    expect(await again?.item()).toBe(-1);
  });
});

describe("secondOrder", () => {
  // loss = Σ x·w³ − cos(b): Hessian diag 6xw, cos b.
  const loss = (p: { b: Tensor; w: Tensor }, x: Tensor): Tensor =>
    sub(sum(mul(x, mul(p.w, square(p.w)))), sum(cos(p.b)));
  const params = { b: array([0], { dtype: "float32" }), w: array([1, 2], { dtype: "float32" }) };
  const [x, none] = [array([1, 0.5]), array([0])];

  it("hvp, hessianDiag and fisherDiag, in the order of the leaves", async () => {
    const product = optax.secondOrder.hvp(loss, array([1, 10, 100], { dtype: "float32" }), params, x, none);
    expect([await product.b.toArray(), await product.w.toArray()]).toEqual([[1], [60, 600]]);
    expect(await optax.secondOrder.hessianDiag(loss, params, x, none).toArray()).toEqual([1, 6, 6]);
    expect(await optax.secondOrder.fisherDiag(loss, params, x, none).toArray()).toEqual([0, 9, 36]);
  });
});

it("namespaces give the very functions", () => {
  expect(optax.transforms.clip).toBe(optax.clip);
  expect(optax.treeUtils.treeAddScale).toBe(optax.tree.addScale);
  expect(optax.treeMapParams).toBe(optax.tree.mapParams);
  expect(optax.updateMoment).toBe(optax.tree.updateMoment);
  expect(optax.initEmptyState({ w: 1 })).toEqual({});
});
