import { nnx, type Tensor } from "jnx";
import { pixels } from "./data.ts";

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
