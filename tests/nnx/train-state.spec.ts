/** TrainState in a functional loop, and the names that are for several devices. */
import { jax, jnp, nnx, optax, type Tensor } from "jnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

describe("TrainState", () => {
  it("is a tree that jax.jit takes and gives: the same steps as an Optimizer", async () => {
    const [model, twin] = [0, 0].map((seed) => new nnx.Linear(2, 1, { rngs: new nnx.Rngs(seed) }));
    if (model === undefined || twin === undefined) throw new Error("two models were made");
    const [graphdef, params] = nnx.split(model);
    let state = nnx.TrainState.create(graphdef, { params, tx: optax.adam(0.1) });
    const x = jnp.array([[1, 2.5]]);
    const step = jax.jit((given: typeof state): typeof state =>
      given.applyGradients(jax.grad((p: nnx.State) => jnp.sum(given.apply(p).call(x)))(given.params)),
    );
    const optimizer = new nnx.Optimizer(twin, optax.adam(0.1), { wrt: nnx.Param });
    for (let k = 0; k < 3; k++) {
      state = step(state);
      optimizer.update(twin, nnx.grad((m: nnx.Linear) => jnp.sum(m.call(x)))(twin));
    }
    expect([await state.step.item(), step.traces]).toEqual([3, 1]);
    const close = (value: number): unknown => expect.closeTo(value, 5);
    const kernel = Array.from(await state.apply("params").kernel.value.data());
    expect(kernel).toEqual(Array.from(await twin.kernel.value.data(), close));
    expect(() => state.apply()).toThrow(/needs a state/);
  });
});

describe("several devices", () => {
  it("are refused plainly; names of axes are metadata", () => {
    const f = (x: Tensor): Tensor => x;
    expect(() => nnx.pmap(f)).toThrow(/pmap: there is one WebGPU device.*use nnx.vmap/);
    expect(() => nnx.shardMap(f)).toThrow(/shardMap: there is one WebGPU device/);
    expect(() => nnx.getNamedSharding(f)).toThrow(/there is one WebGPU device/);
    const kernelInit = nnx.withPartitioning(nnx.initializers.lecunNormal(), [null, "model"], { tag: "wide" });
    const layer = new nnx.Linear(2, 3, { kernelInit, rngs: new nnx.Rngs(0) });
    expect(layer.kernel.metadata).toEqual({ outSharding: [null, "model"], tag: "wide" });
    expect(nnx.getPartitionSpec(layer)).toEqual({ bias: null, kernel: [null, "model"] });
    expect(nnx.PARTITION_NAME).toBe("partition_name");
  });
});
