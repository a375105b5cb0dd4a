import { array, config, FloatingPointError, type Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { jax, jnp, lax, memory, nnx } from "jnx";
import { afterEach, describe, expect, test } from "vitest";

useDevice();

afterEach(() => {
  for (const name of ["jax_debug_nans", "jax_debug_infs", "jax_disable_jit"] as const) config.update(name, false);
});

/** The error that waiting for the result throws. */
async function errorOf(compute: () => Tensor): Promise<Error> {
  try {
    await compute().data();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}

const badLog = (x: Tensor): Tensor => jnp.log(x).add(1);

describe("jax_debug_nans", () => {
  // The real JAX names the same op in each.
  test.each<[string, string, () => Tensor]>([
    ["eager code", "log", () => badLog(array([-1, 1]))],
    ["compiled code", "log", () => jax.jit(badLog)(array([-1, 1]))],
    ["a branch that where drops", "log", () => jnp.where(true, 0, jnp.log(array([-1])))],
    ["a gradient", "mul", () => jax.grad((x: Tensor) => jnp.sqrt(x).mul(0))(array(0, { dtype: "float32" }))],
    ["a batch", "log", () => jax.vmap(badLog)(array([[-1], [1]]))],
    ["what came in as NaN", "add", () => array([NaN, 1]).add(2)],
    ["a matrix product", "matmul", () => jnp.matmul(array([[NaN, 1]]), array([[1], [1]]))],
    [
      "a scan",
      "scan",
      () =>
        lax.scan((c: Tensor, x: Tensor) => [jnp.log(c).sub(x), c], array(2, { dtype: "float32" }), jnp.ones([4]))[0],
    ],
  ])("names the op that made a NaN first: %s", async (_title, op, compute) => {
    config.update("jax_debug_nans", true);
    const error = await errorOf(compute);
    expect(error).toBeInstanceOf(FloatingPointError);
    expect(error.message).toMatch(new RegExp(`^${op}: invalid value \\(nan\\) in its result float32`));
  });

  test("shows the line that called the op first, also inside jit", async () => {
    config.update("jax_debug_nans", true);
    const error = await errorOf(() => jax.jit(badLog)(array([-1])));
    expect(error.stack?.split("\n")[1]).toMatch(/badLog.*debug-nans\.spec/);
  });

  test("follows a step of training, and leaves the model usable", async () => {
    const model = new nnx.Linear(2, 1, { rngs: new nnx.Rngs(0) });
    const step = nnx.jit((m: nnx.Linear, x: Tensor) =>
      nnx.grad((m: nnx.Linear) => jnp.sqrt(m.call(x).sub(1e9)).sum())(m),
    );
    config.update("jax_debug_nans", true);
    const grads = step(model, jnp.ones([3, 2]));
    await expect(jax.blockUntilReady(grads)).rejects.toThrow(/^sqrt: invalid value \(nan\).*float32\[3, 1\]/);
    config.update("jax_debug_nans", false);
    expect((await model.call(jnp.ones([3, 2])).data()).every(Number.isFinite)).toBe(true);
  });

  test("says nothing where all is well, tells of each fault once, and starts anew after it", async () => {
    config.update("jax_debug_nans", true);
    expect(await badLog(array([1])).toArray()).toEqual([1]);
    const bad = jnp.log(array([-1]));
    await expect(array([1]).add(1).data()).rejects.toThrow(/^log/);
    expect(await bad.toArray()).toEqual([NaN]);
    expect(await array([1, 2]).mul(2).toArray()).toEqual([2, 4]);
    await expect(jnp.arccosh(array([0.5])).data()).rejects.toThrow(FloatingPointError);
  });

  test("throws where the host knows the value", () => {
    config.update("jax_debug_nans", true);
    expect(() => jnp.full([3], NaN).sum()).toThrow(
      /^reduce_sum: invalid value \(nan\) in its result float32\[\], made from float32\[3\]/,
    );
  });

  test("finds infinities under a switch of its own", async () => {
    config.update("jax_debug_infs", true);
    expect(await array([NaN]).add(1).toArray()).toEqual([NaN]);
    await expect(jnp.divide(1, array([0, 1])).data()).rejects.toThrow(/^div: invalid value \(inf\)/);
  });

  test("keeps no memory", async () => {
    config.update("jax_debug_nans", true);
    const x = jnp.ones([3]).add(array([0.5]));
    const turn = async (): Promise<void> => {
      for (let k = 0; k < 20; k++) jnp.exp(x).dispose();
      await jax.blockUntilReady(x);
    };
    await turn();
    const before = memory().buffers;
    await turn();
    expect(memory().buffers).toBe(before);
  });
});

test("jax_disable_jit runs a function as it is written, every time", async () => {
  let calls = 0;
  const f = (x: Tensor): Tensor => (calls++, x.mul(2));
  const [plain, lifted] = [jax.jit(f), nnx.jit(f)];
  config.update("jax_disable_jit", true);
  for (const g of [plain, lifted, plain, lifted]) expect(await g(array([3])).toArray()).toEqual([6]);
  expect([calls, plain.traces, lifted.traces]).toEqual([4, 0, 0]);
});

describe("what waits", () => {
  test("deviceGet fetches a tree at once and keeps what is no tensor", async () => {
    const state = { w: array([[1, 2]]), list: [array(3), 4, null], name: "x" };
    expect(await jax.deviceGet(state)).toEqual({ w: [[1, 2]], list: [3, 4, null], name: "x" });
  });

  test("blockUntilReady gives the tree back; devices and defaultBackend say where it was computed", async () => {
    const tree = { y: jnp.exp(array([1])) };
    expect(await jax.blockUntilReady(tree)).toBe(tree);
    expect(jax.devices().map(({ kind }) => kind)).toEqual([jax.defaultBackend()]);
  });
});
