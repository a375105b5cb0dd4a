/** Loss curves of five models over 200 steps follow the real Flax's: tests/oracle/nnx_curves.py makes them. */
import { add, arange, array, laxSlice, mean, reshape, square, stack, sub, type Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";
import * as optax from "@jnx/optax";
import { useDevice } from "@jnx/testing";
import { describe, expect, it } from "vitest";
import { goldenArray } from "../goldens/read.ts";

useDevice();

class Mlp extends nnx.Module {
  readonly hidden: nnx.Linear;
  readonly norm: nnx.BatchNorm;
  readonly dropout: nnx.Dropout;
  readonly out: nnx.Linear;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.hidden = new nnx.Linear(8, 16, { rngs });
    this.norm = new nnx.BatchNorm(16, { rngs });
    this.dropout = new nnx.Dropout(0.2, { rngs });
    this.out = new nnx.Linear(16, 4, { rngs });
  }
  call(x: Tensor): Tensor {
    return this.out.call(this.dropout.call(nnx.relu(this.norm.call(this.hidden.call(x)))));
  }
}

class Cnn extends nnx.Module {
  readonly first: nnx.Conv;
  readonly second: nnx.Conv;
  readonly out: nnx.Linear;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.first = new nnx.Conv(1, 4, [3, 3], { rngs });
    this.second = new nnx.Conv(4, 8, [3, 3], { rngs });
    this.out = new nnx.Linear(8, 3, { rngs });
  }
  call(x: Tensor): Tensor {
    const y = nnx.avgPool(nnx.relu(this.first.call(x)), [2, 2], { strides: [2, 2] });
    return this.out.call(mean(nnx.relu(this.second.call(y)), { axis: [1, 2] }));
  }
}

class Transformer extends nnx.Module {
  readonly embed: nnx.Embed;
  readonly position: nnx.Embed;
  readonly norm1: nnx.LayerNorm;
  readonly attention: nnx.MultiHeadAttention;
  readonly norm2: nnx.LayerNorm;
  readonly up: nnx.Linear;
  readonly down: nnx.Linear;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.embed = new nnx.Embed(11, 16, { rngs });
    this.position = new nnx.Embed(8, 16, { rngs });
    this.norm1 = new nnx.LayerNorm(16, { rngs });
    this.attention = new nnx.MultiHeadAttention({ numHeads: 2, inFeatures: 16, decode: false, rngs });
    this.norm2 = new nnx.LayerNorm(16, { rngs });
    this.up = new nnx.Linear(16, 32, { rngs });
    this.down = new nnx.Linear(32, 16, { rngs });
  }
  call(tokens: Tensor): Tensor {
    const x = add(this.embed.call(tokens), this.position.call(arange(tokens.shape[1] ?? 0)));
    const y = add(x, this.attention.call(this.norm1.call(x), { mask: nnx.makeCausalMask(tokens) }));
    const z = add(y, this.down.call(nnx.gelu(this.up.call(this.norm2.call(y)))));
    return this.embed.attend(z);
  }
}

class Lstm extends nnx.Module {
  readonly rnn: nnx.RNN<nnx.LSTMCell>;
  readonly out: nnx.Linear;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.rnn = new nnx.RNN(new nnx.LSTMCell(4, 8, { rngs }));
    this.out = new nnx.Linear(8, 1, { rngs });
  }
  call(x: Tensor): Tensor {
    const y = this.rnn.call(x);
    const [batch = 0, time = 0, hidden = 0] = y.shape;
    return this.out.call(reshape(laxSlice(y, [0, time - 1, 0], [batch, time, hidden]), [batch, hidden]));
  }
}

class Block extends nnx.Module {
  readonly linear: nnx.Linear;
  readonly dropout: nnx.Dropout;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.linear = new nnx.Linear(8, 8, { rngs });
    this.dropout = new nnx.Dropout(0.1, { rngs });
  }
  call(x: Tensor): Tensor {
    return add(x, this.dropout.call(nnx.tanh(this.linear.call(x))));
  }
}

const makeBlocks = nnx.splitRngs((rngs: nnx.Rngs) => nnx.vmap((one: nnx.Rngs) => new Block({ rngs: one }))(rngs), {
  splits: 4,
});

class Stack extends nnx.Module {
  readonly blocks: Block;
  readonly out: nnx.Linear;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.blocks = makeBlocks(rngs);
    this.out = new nnx.Linear(8, 1, { rngs });
  }
  call(x: Tensor): Tensor {
    const forward = nnx.scan((block: Block, y: Tensor) => block.call(y), {
      inAxes: [0, nnx.Carry],
      outAxes: nnx.Carry,
    });
    return this.out.call(forward(this.blocks, x));
  }
}

/** A whole array of the golden file. */
function golden(...path: readonly string[]): Tensor {
  const { data, shape, dtype } = goldenArray("nnx-curves", ...path);
  return reshape(array(Array.from(data), { dtype: dtype === "int32" ? "int32" : "float32" }), shape);
}

interface Model extends nnx.Module {
  call(x: Tensor): Tensor;
}

const crossEntropy = (logits: Tensor, labels: Tensor): Tensor =>
  mean(optax.softmaxCrossEntropyWithIntegerLabels(logits, labels));
const squared = (y: Tensor, target: Tensor): Tensor => mean(square(sub(y, target)));

describe("200 steps as Flax takes them", () => {
  it.each([
    ["mlp", () => new Mlp({ rngs: new nnx.Rngs({ default: 0, dropout: 1 }) }), optax.adam(1e-2), crossEntropy],
    ["cnn", () => new Cnn({ rngs: new nnx.Rngs(2) }), optax.sgd(0.02, { momentum: 0.9 }), crossEntropy],
    ["transformer", () => new Transformer({ rngs: new nnx.Rngs(3) }), optax.adamw(3e-4), crossEntropy],
    ["lstm", () => new Lstm({ rngs: new nnx.Rngs(4) }), optax.adam(1e-3), squared],
    ["stack", () => new Stack({ rngs: new nnx.Rngs(5) }), optax.adam(2e-3), squared],
  ] as const)("%s", async (name, make, tx, loss) => {
    const [x, y] = [golden(name, "x"), golden(name, "y")];
    const model: Model = make();
    const optimizer = new nnx.Optimizer(model, tx, { wrt: nnx.Param });
    const step = nnx.jit((net: Model, opt: nnx.Optimizer<Model>, batch: Tensor, target: Tensor) => {
      const [value, grads] = nnx.valueAndGrad((one: Model) => loss(one.call(batch), target))(net);
      opt.update(net, grads);
      return value;
    });
    const losses: Tensor[] = [];
    for (let n = 0; n < 200; n++) losses.push(step(model, optimizer, x, y));
    const [got, want] = [await stack(losses).data(), goldenArray("nnx-curves", name, "losses").data];
    const worst = Array.from(want, (v, k) => Math.abs((got[k] ?? Number.NaN) - v) / Math.abs(v));
    expect(Math.max(...worst), `relative difference at step ${worst.indexOf(Math.max(...worst))}`).toBeLessThan(1e-4);
    expect(step.traces).toBe(1);
  });
});
