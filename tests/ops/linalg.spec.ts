import { grad } from "@jnx/autodiff";
import { cases, useDevice } from "@jnx/testing";
import * as t from "@jnx/tensor";
import { describe, expect, test } from "vitest";
import { testForward } from "./kit.ts";

testForward("linear algebra", cases.linearAlgebra);
testForward("structured matrices", cases.structuredMatrices);

describe("derivatives of decompositions", () => {
  useDevice();
  const first = (shape: readonly number[], fullMatrices: boolean) =>
    grad((x: t.Tensor) => t.sum(t.linalg.svd(x, { fullMatrices })[1]))(t.ones(shape));

  test("of full u and vᵀ are refused for rectangles, as in JAX", () => {
    expect(() => first([3, 2], true)).toThrow("svd: has no derivative for 3 x 2 matrices with fullMatrices");
  });

  test("by vectors of equal eigenvalues are not finite, as in JAX", async () => {
    const slope = grad((x: t.Tensor) => t.sum(t.linalg.eigh(x)[1]))(t.eye(2));
    expect(Array.from(await slope.data()).some(Number.isFinite)).toBe(false);
  });

  test("by equal eigenvalues alone are", async () => {
    const slope = grad((x: t.Tensor) => t.sum(t.linalg.eigh(x)[0]))(t.eye(2));
    expect(await slope.toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});
