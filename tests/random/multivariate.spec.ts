import { array, linalg, matmul, random, transpose, type Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";

useDevice();

const key = random.key(42);
const zero = array([0, 0, 0], { dtype: "float32" });
const magnitudes = async (x: Tensor): Promise<number[]> => Array.from(await x.data(), Math.abs);

describe("multivariateNormal by other factors than Cholesky's", () => {
  // Of a diagonal covariance the vectors are the axes: JAX's numbers follow from its standard normals, but for signs.
  test.each([
    ["eigh", [2, 1, 0], [2, 1, 0]],
    ["svd", [2, 1, 0], [0, 1, 2]],
  ] as const)(
    "%s of a diagonal covariance takes JAX's normals in the order of its values",
    async (method, roots, order) => {
      const z = await magnitudes(random.normal(key, [50, 3]));
      const cov = array(
        roots.map((root, i) => roots.map((_, j) => (i === j ? root ** 2 : 0))),
        { dtype: "float32" },
      );
      const x = await magnitudes(random.multivariateNormal(key, zero, cov, { shape: [50], method }));
      for (const [k, value] of x.entries()) {
        const column = k % 3;
        expect(value).toBeCloseTo((roots[column] ?? 0) * (z[k - column + (order[column] ?? 0)] ?? NaN), 5);
      }
    },
  );

  test.each(["eigh", "svd"] as const)("%s gives the covariance that was asked for, singular or not", async (method) => {
    const N = 2 ** 16;
    for (const rows of [
      [1, 2, 2, 5],
      [1, 2, 2, 4],
    ]) {
      const cov = array(Float32Array.from(rows), { shape: [2, 2] });
      const x = random.multivariateNormal(key, array([0, 0], { dtype: "float32" }), cov, { shape: [N], method });
      const found = Array.from(await matmul(transpose(x), x).data(), (sum) => sum / N);
      // The error of a mean of N squares, four times over.
      for (const [k, want] of rows.entries())
        expect(Math.abs((found[k] ?? NaN) - want)).toBeLessThan((4 * 5 * Math.SQRT2) / Math.sqrt(N));
      const rank = await linalg.matrixRank(x, { rtol: 1e-2 }).item();
      expect(rank).toBe(rows[3] === 5 ? 2 : 1);
    }
  });

  test("an unknown method is refused", () => {
    const cov = array([[1, 0], [0, 1]]); // prettier-ignore
    // @ts-expect-error a method that is none
    expect(() => random.multivariateNormal(key, array([0, 0]), cov, { method: "qr" })).toThrow('unknown method "qr"');
  });
});
