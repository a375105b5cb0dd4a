/** A call like the last one is not walked anew: whatever else changes must be seen all the same. */
import { add, array, counters, matmul, mul, ones, reshape, sum, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

const floats = (...values: number[]): Tensor => array(values, { dtype: "float32" });

class Net extends nnx.Module {
  readonly w = new nnx.Param(floats(1, 2));
  factors = [1, 2];
  table = new Map<string, unknown>([["a", 1]]);
  bare: Tensor = array([10, 20]);
  settings: { depth: { of: number }; extra?: boolean } = { depth: { of: 1 } };
  frozen = nnx.static({ list: [2] });
  mode: number = NaN;
  child: nnx.Module | null = null;
}

/** How often a function of the object is traced again after each change. */
async function tracesAfter(changes: readonly ((net: Net) => void)[]): Promise<number[]> {
  const net = new Net();
  const step = nnx.jit((n: Net) => sum(add(n.w, n.bare)));
  await step(net).item();
  return changes.map((change) => {
    const before = step.traces;
    change(net);
    step(net);
    return step.traces - before;
  });
}

describe("a jitted function's arguments", () => {
  it("a change anywhere in their structure is seen", async () => {
    const changes: ((net: Net) => void)[] = [
      (net) => (net.factors[1] = 3),
      (net) => net.factors.push(4),
      (net) => (net.factors = [1, 3, 5]),
      (net) => net.table.set("a", 2),
      (net) => net.table.set("b", 2),
      (net) => (net.settings.depth.of = 2),
      (net) => (net.settings.extra = true),
      (net) => (net.frozen.list[0] = 7),
      (net) => (net.mode = 0),
      (net) => (net.child = new nnx.Linear(1, 1, { rngs: new nnx.Rngs(0) })),
      (net) => net.w.setMetadata("tag", "x"),
      (net) => Reflect.set(net, "added", 1),
      (net) => Reflect.deleteProperty(net, "added") && Reflect.set(net, "renamed", 1),
    ];
    expect(await tracesAfter(changes)).toEqual(changes.map(() => 1));
  });

  it("other values of the same structure are not", async () => {
    const changes: ((net: Net) => void)[] = [
      () => undefined,
      (net) => (net.w.value = floats(5, 6)),
      (net) => (net.bare = array([7, 8])),
      (net) => (net.factors = [1, 2]),
      (net) => (net.mode = NaN),
    ];
    expect(await tracesAfter(changes)).toEqual(changes.map(() => 0));
  });

  it("the objects of this call are computed with, not those of an earlier one", async () => {
    const step = nnx.jit((n: Net, scale: Tensor | number, flag: boolean) => {
      n.bare = add(n.bare, 1);
      return sum(mul(add(n.w, n.bare), flag ? scale : 0));
    });
    const [a, b] = [new Net(), new Net()];
    b.w.value = floats(100, 200);
    expect([await step(a, 1, true).item(), await step(b, 1, true).item()]).toEqual([35, 332]);
    expect([await step(a, 2, true).item(), await step(b, array(3), true).item()]).toEqual([74, 1002]);
    expect([await step(a, 2, false).item(), step.traces]).toEqual([0, 3]);
    b.w.value = a.w.value;
    expect(await step(b, 1, true).item()).toBe(39);
    const other = array([0, 0]);
    a.bare = other;
    expect([await step(a, 1, true).item(), await other.toArray()]).toEqual([5, [0, 0]]);
  });

  it("an object given twice, alone, and beside another", async () => {
    const step = nnx.jit((...nets: Net[]) => nets.forEach((net) => (net.w.value = add(net.w, 1))));
    const [a, b] = [new Net(), new Net()];
    for (const nets of [[a, b], [a, a], [a], [b, a], [a, b], [a, a]]) step(...nets);
    expect([await a.w.value.toArray(), await b.w.value.toArray(), step.traces]).toEqual([[9, 10], [4, 5], 3]);
  });
});

describe("a function that throws midway", () => {
  const boom = (net: Net): never => {
    net.w.value = floats(0, 0);
    net.w.setMetadata("tag", "x");
    net.bare = array([0, 0]);
    net.factors.push(3);
    net.table.set("b", 2);
    net.settings.extra = true;
    net.child = new nnx.Linear(1, 1, { rngs: new nnx.Rngs(0) });
    Reflect.set(net, "added", 1);
    Reflect.deleteProperty(net, "mode");
    throw new Error("boom");
  };

  it.each([
    ["jit", (net: Net) => nnx.jit(boom)(net)],
    ["grad", (net: Net) => nnx.grad(boom)(net)],
    ["vmap", (net: Net) => nnx.vmap(boom, { inAxes: null, axisSize: 2 })(net)],
    ["remat", (net: Net) => nnx.remat(boom)(net)],
  ])("nnx.%s leaves nothing half done in what it was given", async (_name, run) => {
    const net = new Net();
    expect(() => run(net)).toThrow("boom");
    expect([await net.w.value.toArray(), net.w.metadata, await net.bare.toArray()]).toEqual([[1, 2], {}, [10, 20]]);
    expect([net.factors, [...net.table], net.settings]).toEqual([[1, 2], [["a", 1]], { depth: { of: 1 } }]);
    expect([net.child, "added" in net, net.mode]).toEqual([null, false, NaN]);
  });
});

describe("an eager Linear", () => {
  it("is one launch, whatever the rank, and gives what its two ops give", async () => {
    const layer = new nnx.Linear(5, 7, { rngs: new nnx.Rngs(0), biasInit: nnx.initializers.normal(1) });
    const x = mul(ones([2, 3, 5]), array([0.1, -2, 3, 0.4, 5]));
    await x.data();
    const before = counters().dispatches;
    const y = layer.call(x);
    await y.data();
    expect(counters().dispatches - before).toBe(1);
    const product = matmul(reshape(x, [6, 5]), layer.kernel.value);
    if (layer.bias === null) throw new Error("the bias is there unless told");
    expect(await y.toArray()).toEqual(await reshape(add(product, layer.bias.value), [2, 3, 7]).toArray());
    expect(layer.call(ones([0, 5])).shape).toEqual([0, 7]);
    expect(layer.call(ones([5])).shape).toEqual([7]);
  });

  it("stays differentiable, and a value that is gone is refused", async () => {
    const layer = new nnx.Linear(2, 2, { rngs: new nnx.Rngs(0) });
    const grads = nnx.grad((m: nnx.Linear, x: Tensor) => sum(m.call(x)))(layer, array([[1, 2]]));
    expect(await grads.kernel.value.toArray()).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(await grads.bias?.value.toArray()).toEqual([1, 1]);
    const gone = array([[1, 2]]);
    gone.dispose();
    expect(() => layer.call(gone)).toThrow(/dispose/);
  });
});
