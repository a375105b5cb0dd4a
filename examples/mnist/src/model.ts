import { nnx, type Tensor } from "jnx";
import { pixels, side } from "./data.ts";

/** What tells digits apart: images [batch, 784] → logits [batch, 10]. */
export interface Classifier extends nnx.Module {
  call(x: Tensor): Tensor;
}

/** A multilayer perceptron 784-256-128-10 with dropout after each hidden layer. */
export class MLP extends nnx.Module {
  readonly hidden1: nnx.Linear;
  readonly hidden2: nnx.Linear;
  readonly output: nnx.Linear;
  readonly dropout: nnx.Dropout;

  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.hidden1 = new nnx.Linear(pixels, 256, { rngs });
    this.hidden2 = new nnx.Linear(256, 128, { rngs });
    this.output = new nnx.Linear(128, 10, { rngs });
    this.dropout = new nnx.Dropout(0.05, { rngs });
  }

  /** x: [batch, 784] → logits: [batch, 10] */
  call(x: Tensor): Tensor {
    x = this.dropout.call(nnx.relu(this.hidden1.call(x)));
    x = this.dropout.call(nnx.relu(this.hidden2.call(x)));
    return this.output.call(x);
  }
}

/** Two convolutions, each halved by pooling, and two layers on top of them, with dropout before the last. */
export class CNN extends nnx.Module {
  readonly conv1: nnx.Conv;
  readonly conv2: nnx.Conv;
  readonly hidden: nnx.Linear;
  readonly output: nnx.Linear;
  readonly dropout: nnx.Dropout;

  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.conv1 = new nnx.Conv(1, 16, [3, 3], { rngs });
    this.conv2 = new nnx.Conv(16, 32, [3, 3], { rngs });
    this.hidden = new nnx.Linear((side / 4) ** 2 * 32, 128, { rngs });
    this.output = new nnx.Linear(128, 10, { rngs });
    this.dropout = new nnx.Dropout(0.1, { rngs });
  }

  /** x: [batch, 784] → logits: [batch, 10] */
  call(x: Tensor): Tensor {
    const images = x.reshape([-1, side, side, 1]);
    const halved = { strides: [2, 2] };
    const y = nnx.avgPool(nnx.relu(this.conv1.call(images)), [2, 2], halved);
    const z = nnx.avgPool(nnx.relu(this.conv2.call(y)), [2, 2], halved);
    const flat = z.reshape([x.shape[0] ?? 0, -1]);
    return this.output.call(this.dropout.call(nnx.relu(this.hidden.call(flat))));
  }
}
