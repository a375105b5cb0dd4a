import { spreadBatch, bind, type AnyOp, type CallOp, type Level } from "@jnx/tensor/internal";
import { broadcastTo, Tensor } from "@jnx/tensor";

/**
 * The level that runs a function on a whole batch. The function sees tensors of one example's shape; each stands for a
 * physical tensor that has the batch as its first axis. Maps broadcast, other ops ask their record how they batch, and
 * what they call runs below this level, where tapes and captures see physical tensors.
 */
export class Batch implements Level {
  readonly name: string;
  readonly size: number;
  readonly axisName: string | undefined;
  /** What errors call the examples that were given. */
  readonly #names = new WeakMap<Tensor, string>();

  constructor(name: string, size: number, axisName?: string) {
    this.name = name;
    this.size = size;
    this.axisName = axisName;
  }

  /** One example of a tensor whose first axis is the batch, with the name that errors call it by. */
  example(physical: Tensor, name?: string): Tensor {
    const { shape, dtype, weak } = physical;
    if (shape[0] !== this.size)
      throw new Error(`jnx internal error: ${this.name} of ${this.size} made a batch of shape [${shape.join(", ")}]`);
    const one = new Tensor({ shape: shape.slice(1), dtype, weak }, { kind: "symbolic", trace: this, value: physical });
    if (name !== undefined) this.#names.set(one, name);
    return one;
  }

  describe(tensor: Tensor): string | undefined {
    return this.#names.get(tensor);
  }

  /** The whole batch that a tensor of this level stands for; undefined for what is the same for all examples. */
  physical({ payload }: Tensor): Tensor | undefined {
    if (payload.kind !== "symbolic" || payload.trace !== this) return undefined;
    return payload.value as Tensor; // made by example()
  }

  claims(inputs: readonly Tensor[]): boolean {
    return inputs.some((input) => this.physical(input) !== undefined);
  }

  process(op: AnyOp, inputs: readonly Tensor[], attrs: unknown): Tensor {
    const whole = inputs.map((input) => this.physical(input));
    const batched = whole.map((physical) => physical !== undefined);
    const operands = inputs.map((input, k) => whole[k] ?? input);
    // A map without a rule sees elements alone: it broadcasts.
    const result =
      op.batch === undefined ? bind(op, spreadBatch(operands, batched), attrs) : op.batch(operands, batched, attrs);
    return result instanceof Tensor ? this.example(result) : result.unbatched;
  }

  call(op: CallOp, inputs: readonly Tensor[]): readonly Tensor[] | undefined {
    if (op.batch === undefined) return undefined;
    const whole = inputs.map((input) => this.physical(input));
    const batched = whole.map((physical) => physical !== undefined);
    const operands = inputs.map((input, k) => whole[k] ?? input);
    return op.batch(operands, batched, this).map((output) => this.example(output));
  }

  /** What a function of examples gave on this level, each tensor with the batch first. */
  collect(outputs: readonly Tensor[]): Tensor[] {
    return outputs.map((output) => this.physical(output) ?? broadcastTo(output, [this.size, ...output.shape]));
  }

  attached(tensor: Tensor): readonly Tensor[] {
    const physical = this.physical(tensor);
    return physical === undefined ? [] : [physical];
  }
}
