/** The small model that tests of objects take apart. */
import type { Tensor } from "@jnx/tensor";
import * as nnx from "@jnx/nnx";

export class Block extends nnx.Module {
  readonly linear: nnx.Linear;
  readonly dropout: nnx.Dropout;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.linear = new nnx.Linear(2, 2, { rngs });
    this.dropout = new nnx.Dropout(0.5, { rngs });
  }
  call(x: Tensor): Tensor {
    return this.dropout.call(this.linear.call(x));
  }
}

export const block = (): Block => new Block({ rngs: new nnx.Rngs(0) });
