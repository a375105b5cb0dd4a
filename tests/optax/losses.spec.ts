import { array, DtypeError, mean, ShapeError, type Tensor } from "@jnx/tensor";
import { grad } from "@jnx/autodiff";
import * as optax from "@jnx/optax";
import { oneHot } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray } from "../goldens/read.ts";

useDevice();

function golden(name: string): Tensor {
  const { data, shape } = goldenArray("optax-losses", name);
  return array(data, { shape });
}

async function expectGolden(found: Tensor, name: string, tolerance: number): Promise<void> {
  const { data, shape } = goldenArray("optax-losses", name);
  expect(found.shape).toEqual(shape);
  const values = await found.data();
  data.forEach((e: number, k: number) =>
    expect(Math.abs((values[k] ?? Number.NaN) - e)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(e))),
  );
}

describe("cross-entropy", () => {
  it("with integer labels equals Optax", async () => {
    const loss = optax.softmaxCrossEntropyWithIntegerLabels(golden("logits"), golden("labels"));
    await expectGolden(loss, "softmax_cross_entropy_with_integer_labels", 1e-6);
  });

  it("its gradient is (softmax − onehot) / batch", async () => {
    const lossOf = (x: Tensor): Tensor => mean(optax.softmaxCrossEntropyWithIntegerLabels(x, golden("labels")));
    await expectGolden(grad(lossOf)(golden("logits")), "its gradient", 1e-6);
  });

  it("with probabilities equals Optax", async () => {
    await expectGolden(
      optax.softmaxCrossEntropy(golden("logits"), oneHot(golden("labels"), 10)),
      "softmax_cross_entropy",
      1e-6,
    );
  });

  it("negative labels count from the end, others out of range give NaN, as in JAX", async () => {
    const logits = array(
      [
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
      ],
      { dtype: "float32" },
    );
    const [last, wrapped, high, low] = await optax
      .softmaxCrossEntropyWithIntegerLabels(logits, array([2, -1, 3, -4]))
      .data();
    expect(wrapped).toBe(last);
    expect([high, low]).toEqual([Number.NaN, Number.NaN]);
  });

  it("takes the class axis from options", async () => {
    const byRow = optax.softmaxCrossEntropyWithIntegerLabels(
      array([
        [1, 2.5],
        [0, 1],
      ]),
      array([0, 1]),
    );
    const byColumn = optax.softmaxCrossEntropyWithIntegerLabels(
      array([
        [1, 0],
        [2.5, 1],
      ]),
      array([0, 1]),
      { axis: 0 },
    );
    expect(await byColumn.toArray()).toEqual(await byRow.toArray());
  });

  it("refuses shapes and dtypes that do not belong together", () => {
    expect(() => optax.softmaxCrossEntropyWithIntegerLabels(array([[1, 2.5]]), array([0, 1]))).toThrow(ShapeError);
    expect(() => optax.softmaxCrossEntropyWithIntegerLabels(array([[1, 2.5]]), array([0.5]))).toThrow(DtypeError);
    expect(() => optax.softmaxCrossEntropyWithIntegerLabels(array([[1, 2]]), array([0]))).toThrow(
      /logits must be float/,
    );
  });
});
