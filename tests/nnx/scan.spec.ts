/** nnx.scan: behaviours that Flax's own tests assert, by the names of those tests, and what goes wrong. */
import {
  add,
  arange,
  array,
  matmul,
  mul,
  ones,
  reshape,
  square,
  sum,
  take,
  transpose,
  zeros,
  type Tensor,
} from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";

useDevice();

class Block extends nnx.Module {
  readonly linear: nnx.Linear;
  readonly dropout: nnx.Dropout;
  readonly mean = new nnx.BatchStat(zeros([]));
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.linear = new nnx.Linear(3, 3, { rngs });
    this.dropout = new nnx.Dropout(0.5, { rngs });
  }
  call(x: Tensor): Tensor {
    const y = nnx.tanh(this.linear.call(x));
    this.mean.value = sum(y);
    return y;
  }
}

const makeBlocks = nnx.splitRngs((rngs: nnx.Rngs) => nnx.vmap((one: nnx.Rngs) => new Block({ rngs: one }))(rngs), {
  splits: 4,
});

class Total extends nnx.Module {
  readonly sum = new nnx.BatchStat(zeros([]));
  readonly weight = new nnx.Param(array(2, { dtype: "float32" }));
}

describe("transforms_test.TestScan", () => {
  it("test_basic: a stack of layers, each applied in turn and written to in its row", async () => {
    const blocks = makeBlocks(new nnx.Rngs(0));
    const x = ones([1, 3]);
    const apply = nnx.scan((block: Block, y: Tensor) => block.call(y), { inAxes: [0, nnx.Carry], outAxes: nnx.Carry });
    const result = await apply(blocks, x).data();
    let expected = x;
    const sums: Tensor[] = [];
    for (let k = 0; k < 4; k++) {
      const [kernel, bias] = [blocks.linear.kernel.value, blocks.linear.bias?.value ?? zeros([4, 3])].map((w) =>
        take(w, k, { axis: 0 }),
      );
      expected = nnx.tanh(add(matmul(expected, kernel ?? x), bias ?? x));
      sums.push(sum(expected));
    }
    expect(Array.from(await expected.data())).toEqual(Array.from(result, (v): unknown => expect.closeTo(v, 5)));
    const means: number[] = [];
    for (const one of sums) means.push(await one.item());
    expect(await blocks.mean.value.toArray()).toEqual(means.map((v): unknown => expect.closeTo(v, 5)));
  });

  it("test_all_carry: in and out, the same object comes back", async () => {
    const total = new Total();
    const run = nnx.scan(
      (state: Total) => {
        state.sum.value = add(state.sum, state.weight);
        return state;
      },
      { inAxes: nnx.Carry, outAxes: nnx.Carry, length: 3 },
    );
    expect(run(total) === total).toBe(true);
    expect(await total.sum.value.item()).toBe(6);
    total.sum.value = zeros([]);
  });

  it("test_all_carry_new_reference_error, test_all_carry_one_argument_error", () => {
    const fresh = nnx.scan((_: Total) => new Total(), { inAxes: nnx.Carry, outAxes: nnx.Carry, length: 3 });
    expect(() => fresh(new Total())).toThrow(
      /carry references must be the same at every step, but the carry is another object/,
    );
    const two = nnx.scan((a: Total, _b: Total) => a, { inAxes: nnx.Carry, outAxes: nnx.Carry, length: 3 });
    expect(() => two(new Total(), new Total())).toThrow(/takes one argument, received 2/);
  });

  it("test_all_scan: an object with an axis is written to row by row", async () => {
    const total = new Total();
    total.sum.value = zeros([3]);
    total.weight.value = array([1, 2, 3.5]);
    const run = nnx.scan(
      (m: Total) => {
        m.sum.value = mul(m.weight, 10);
        return m.weight.value;
      },
      { inAxes: 0, outAxes: 0 },
    );
    expect(await run(total).toArray()).toEqual([1, 2, 3.5]);
    expect(await total.sum.value.toArray()).toEqual([10, 20, 35]);
  });

  it("test_double_carry_error, test_nested_carry, test_input_output_carry_mismatch_error, test_broadcast_in_output_error", () => {
    const f = (a: Tensor, b: Tensor): [Tensor, Tensor] => [a, b];
    expect(() => nnx.scan(f, { inAxes: [nnx.Carry, nnx.Carry] })).toThrow(
      /Carry comes more than once, at inAxes\[0\] and inAxes\[1\]/,
    );
    expect(() => nnx.scan(f, { inAxes: [0, [nnx.Carry]] })).toThrow(/must stand for a whole argument/);
    expect(() => nnx.scan(f, { inAxes: [0, 0] })).toThrow(/only outAxes has/);
    expect(() => nnx.scan(f, { inAxes: [nnx.Carry, 0], outAxes: 0 })).toThrow(/only inAxes has/);
    expect(() => nnx.scan(f, { outAxes: [nnx.Carry, null] })).toThrow(
      /outAxes\[1\] is null, but a result cannot be shared/,
    );
    expect(() => nnx.scan(f, { outAxes: [nnx.Carry, new nnx.StateAxes([["...", nnx.Carry]])] })).toThrow(
      /StateAxes at outAxes\[1\]/,
    );
  });

  it("test_scan_axis_1, test_scan_axis_negative_1, test_scan_different_in_out_axes, test_scan_reverse", async () => {
    const x = reshape(arange(0, 6, 1, { dtype: "float32" }), [2, 3]);
    const step = (c: Tensor, row: Tensor): [Tensor, Tensor] => [add(c, sum(row)), mul(row, 2)];
    const along = (axis: number, out: number, reverse = false): ((c: Tensor, x: Tensor) => [Tensor, Tensor]) =>
      nnx.scan(step, { inAxes: [nnx.Carry, axis], outAxes: [nnx.Carry, out], reverse });
    const [total, ys] = along(1, 1)(zeros([]), x);
    expect([await total.item(), await ys.toArray()]).toEqual([15, await mul(x, 2).toArray()]);
    expect(await along(-1, 0)(zeros([]), x)[1].toArray()).toEqual(await transpose(mul(x, 2)).toArray());
    expect(await along(0, -1)(zeros([]), x)[1].toArray()).toEqual(await transpose(mul(x, 2)).toArray());
    const running = nnx.scan((c: Tensor, v: Tensor): [Tensor, Tensor] => [add(c, v), add(c, v)], { reverse: true });
    expect(await running(zeros([]), array([1, 2, 3.5]))[1].toArray()).toEqual([6.5, 5.5, 3.5]);
  });

  it("test_state_axes: parameters by row, statistics from step to step, one stream shared", async () => {
    const total = new Total();
    total.weight.value = array([1, 2, 3.5]);
    const axes = new nnx.StateAxes([
      [nnx.Param, 0],
      [nnx.BatchStat, nnx.Carry],
      ["...", null],
    ]);
    const run = nnx.scan(
      (c: Tensor, m: Total): [Tensor, Tensor] => {
        m.sum.value = add(m.sum, m.weight);
        return [add(c, 1), m.sum.value];
      },
      { inAxes: [nnx.Carry, axes] },
    );
    const [count, sums] = run(zeros([]), total);
    expect([await count.item(), await sums.toArray(), await total.sum.value.item()]).toEqual([3, [1, 3, 6.5], 6.5]);
  });

  it("test_scan_broadcast_keys: shared streams draw the same at every step, mapped ones do not", async () => {
    const rngs = new nnx.Rngs({ params: 0, dropout: 1 });
    const backups = nnx.splitRngs(rngs, { splits: 3, only: "params" });
    const axes = new nnx.StateAxes([
      ["params", 0],
      ["...", null],
    ]);
    const draw = nnx.scan((r: nnx.Rngs): [Tensor, Tensor] => [r.params.normal([2]), r.dropout.normal([2])], {
      inAxes: [axes],
      outAxes: [0, 0],
    });
    const [own, shared] = draw(rngs);
    const [a, b] = [Array.from(await own.data()), Array.from(await shared.data())];
    expect(b.slice(0, 2)).toEqual(b.slice(2, 4));
    expect(a.slice(0, 2)).not.toEqual(a.slice(2, 4));
    expect(await rngs.dropout.count.value.item()).toBe(0);
    backups.restore();
  });

  it("test_broadcast_variable_mutation: what a step writes to a shared Variable is an error with its path", async () => {
    const total = new Total();
    const run = nnx.scan(
      (c: Tensor, m: Total): [Tensor, Tensor] => {
        m.sum.value = add(m.sum, 1);
        return [c, c];
      },
      { inAxes: [nnx.Carry, null], length: 2 },
    );
    expect(() => run(zeros([]), total)).toThrow(
      /BatchStat at "sum" of argument 1 is shared by all steps .* written by them/,
    );
    expect(await total.sum.value.item()).toBe(0);
  });

  it("test_cache_tracing_simple: the body is traced once", () => {
    let runs = 0;
    const run = nnx.scan((c: Tensor, x: Tensor): [Tensor, Tensor] => {
      runs++;
      return [add(c, x), x];
    });
    run(zeros([]), ones([50]));
    expect(runs).toBe(1);
  });

  it("test_consistent_aliasing, sizes, carries that change, results of another form", () => {
    const total = new Total();
    const f = (c: Tensor, _a: Total, _b: Total): [Tensor, Tensor] => [c, c];
    expect(() => nnx.scan(f, { inAxes: [nnx.Carry, null, 0] })(zeros([]), total, total)).toThrow(
      /inconsistent aliasing/,
    );
    const run = nnx.scan((c: Tensor, _a: Tensor, _b: Tensor): [Tensor, Tensor] => [c, c], {
      inAxes: [nnx.Carry, 0, 1],
    });
    expect(() => run(zeros([]), ones([3]), ones([2, 4]))).toThrow(/argument 1 has 3, argument 2 has 4/);
    const grows = nnx.scan((c: Tensor, x: Tensor): [Tensor, Tensor] => [add(c, x), x]);
    expect(() => grows(zeros([]), ones([3, 2]))).toThrow(
      /the carry argument 0 changes on the way, from float32\[\] to float32\[2\]/,
    );
    expect(() =>
      nnx.scan((c: Tensor) => c, { inAxes: [nnx.Carry], outAxes: [nnx.Carry, 0], length: 2 })(ones([])),
    ).toThrow(/outAxes has 2 entries/);
    expect(() => nnx.scan((c: Tensor): [Tensor, null] => [c, null], { inAxes: [nnx.Carry] })(ones([]))).toThrow(
      /nothing is scanned/,
    );
  });

  it("gradients through a scanned stack equal those of the loop written out, inside jit too", async () => {
    const blocks = makeBlocks(new nnx.Rngs(3));
    const x = ones([2, 3]);
    const lossWith =
      (unroll: boolean) =>
      (m: Block): Tensor =>
        sum(
          square(
            nnx.scan((b: Block, y: Tensor) => b.call(y), { inAxes: [0, nnx.Carry], outAxes: nnx.Carry, unroll })(m, x),
          ),
        );
    const looped = nnx.grad(lossWith(false))(blocks);
    const compiled = nnx.jit((m: Block) => nnx.grad(lossWith(false))(m))(blocks);
    const flat = Array.from(await nnx.grad(lossWith(true))(blocks).linear.kernel.value.data());
    const close = flat.map((v): unknown => expect.closeTo(v, 5));
    expect(Array.from(await looped.linear.kernel.value.data())).toEqual(close);
    expect(Array.from(await compiled.linear.kernel.value.data())).toEqual(close);
  });
});
