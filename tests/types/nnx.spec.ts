import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import * as optax from "@jnx/optax";
import { expectTypeOf, test } from "vitest";

// These hold when `tsc` passes; nothing here runs on a device.
class Block extends nnx.Module {
  readonly linear: nnx.Linear;
  readonly norms: nnx.BatchNorm[];
  readonly scale?: nnx.Param;
  readonly name = "block";
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.linear = new nnx.Linear(2, 3, { rngs });
    this.norms = [new nnx.BatchNorm(3, { rngs })];
  }
  call(x: Tensor): Tensor {
    return this.linear.call(x);
  }
}

declare const block: Block;
declare const x: Tensor;
const loss = (m: Block, v: Tensor): Tensor => t.sum(m.call(v));
const both = (m: Block, v: Tensor): [Tensor, { name: string }] => [loss(m, v), { name: "aux" }];

test("a gradient is typed by the model's state", () => {
  const grad = nnx.grad(loss);
  type Grads = ReturnType<typeof grad>;
  expectTypeOf(grad).parameters.toEqualTypeOf<[Block, Tensor]>();
  expectTypeOf<Grads>().toEqualTypeOf<nnx.StateOf<Block>>();
  expectTypeOf<Grads["linear"]["kernel"]>().toEqualTypeOf<nnx.Param<Tensor>>();
  expectTypeOf<Grads["norms"][0]["mean"]>().toEqualTypeOf<nnx.BatchStat<Tensor>>();
  expectTypeOf<Grads["scale"]>().toEqualTypeOf<nnx.Param<Tensor>>();
  expectTypeOf<"name" extends keyof Grads ? true : false>().toEqualTypeOf<false>();
  expectTypeOf(nnx.grad(loss, { argnums: 1 })).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(nnx.valueAndGrad(loss)).returns.toEqualTypeOf<[Tensor, nnx.StateOf<Block>]>();
  expectTypeOf(nnx.valueAndGrad(both, { hasAux: true })).returns.toEqualTypeOf<
    [[Tensor, { name: string }], nnx.StateOf<Block>]
  >();
  expectTypeOf(nnx.grad(both, { hasAux: true })).returns.toEqualTypeOf<[nnx.StateOf<Block>, { name: string }]>();
});

test("states, structures and what is merged of them are typed by the model", () => {
  const split = (): [nnx.GraphDef<Block>, nnx.StateOf<Block>, nnx.StateOf<Block>] => nnx.split(block, nnx.Param, "...");
  expectTypeOf(split).returns.toExtend<readonly unknown[]>();
  const pure = (): nnx.PureState<Block> => nnx.split(block);
  expectTypeOf(pure).returns.toEqualTypeOf<[nnx.GraphDef<Block>, nnx.StateOf<Block>]>();
  const merged = () => nnx.merge(...nnx.split(block));
  expectTypeOf(merged).returns.toEqualTypeOf<Block>();
  const unpacked = () => nnx.merge(nnx.unpack(block));
  expectTypeOf(unpacked).returns.toEqualTypeOf<Block>();
  const kernel = () => nnx.unpack(block).linear.kernel;
  expectTypeOf(kernel).returns.toEqualTypeOf<nnx.Param<Tensor>>();
  const clone = () => nnx.clone(block);
  expectTypeOf(clone).returns.toEqualTypeOf<Block>();
  const flat = () => nnx.toFlatState(nnx.state(block)).split(nnx.Param, "...");
  expectTypeOf(flat).returns.toEqualTypeOf<[nnx.FlatState, nnx.FlatState]>();
});

test("transforms keep the signature", () => {
  expectTypeOf(nnx.jit(loss)).parameters.toEqualTypeOf<[Block, Tensor]>();
  expectTypeOf(nnx.jit(loss)).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(nnx.vmap(loss, { inAxes: [new nnx.StateAxes([["...", null]]), 0] })).returns.toEqualTypeOf<Tensor>();
  expectTypeOf(nnx.remat(loss)).parameters.toEqualTypeOf<[Block, Tensor]>();
  class Point extends nnx.dataclass({ w: nnx.field<nnx.Param>(), size: nnx.field<number>({ default: 1 }) }) {}
  const point = (): Point => new Point({ w: new nnx.Param(x) });
  expectTypeOf<Point["w"]>().toEqualTypeOf<nnx.Param>();
  expectTypeOf(point).returns.toEqualTypeOf<Point>();
});

test("what does not exist does not compile", () => {
  const mistakes = (): void => {
    // @ts-expect-error an option misspelt
    nnx.grad(loss, { argnum: 0 });
    // @ts-expect-error an option of Python's
    nnx.valueAndGrad(loss, { has_aux: true });
    // @ts-expect-error an option of another function
    nnx.jit(loss, { argnums: 0 });
    // @ts-expect-error an option of Python's
    nnx.vmap(loss, { in_axes: 0 });
    // @ts-expect-error an axis written as text
    nnx.vmap(loss, { inAxes: "0" });
    // @ts-expect-error Carry is nnx.Carry
    nnx.scan(loss, { inAxes: ["Carry", 0] });
    // @ts-expect-error an option misspelt
    nnx.scan(loss, { reversed: true });
    // @ts-expect-error an option misspelt
    nnx.remat(loss, { policies: null });
    // @ts-expect-error an option misspelt
    nnx.clone(block, { variable: false });
    // @ts-expect-error an option misspelt
    nnx.splitRngs(new nnx.Rngs(0), { split: 5 });
    // @ts-expect-error the size of the split is missing
    nnx.splitRngs(new nnx.Rngs(0), {});
    // @ts-expect-error a model has no such field
    t.add(nnx.grad(loss)(block, x).bias, 1);
    // @ts-expect-error what is static has no gradient
    t.add(nnx.grad(loss)(block, x).name, 1);
    // @ts-expect-error an argument too few
    nnx.jit(loss)(block);
    // @ts-expect-error the state is missing
    nnx.merge(nnx.graphdef(block));
    // @ts-expect-error a number is no filter
    nnx.state(block, 3);
    // @ts-expect-error rngs are missing
    new nnx.Linear(2, 3, {});
    // @ts-expect-error an option misspelt
    new nnx.Linear(2, 3, { usebias: false, rngs: new nnx.Rngs(0) });
    // @ts-expect-error wrt is missing
    new nnx.Optimizer(block, optax.sgd(0.1));
    // @ts-expect-error a field of the dataclass is missing
    new (class extends nnx.dataclass({ w: nnx.field<nnx.Param>() }) {})({});
  };
  expectTypeOf(mistakes).toBeFunction();
});
