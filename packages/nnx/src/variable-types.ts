import { Tensor, type DType, type Shape } from "@jnx/tensor";
import * as random from "@jnx/tensor/random";
import { peek, Variable, type Metadata } from "./variable.ts";

/**
 * What is learnt: gradients are taken of it and optimizers update it. Source: flax.nnx.Param.
 * @example new nnx.Param(array([1, 2])).shape; // [2]
 */
export class Param<T = Tensor> extends Variable<T> {}

/**
 * Statistics of the data seen, such as BatchNorm's mean. Source: flax.nnx.BatchStat.
 *
 * @example
 * const seen = new nnx.BatchStat(array([0.5]));
 * seen instanceof nnx.Param; // false
 */
export class BatchStat<T = Tensor> extends Variable<T> {}

/** What decoding remembers, such as attention's keys. Source: flax.nnx.Cache. */
export class Cache<T = Tensor> extends Variable<T> {}

/** A value seen on the way, kept to be looked at. Source: flax.nnx.Intermediate. */
export class Intermediate<T = Tensor> extends Variable<T> {}

/**
 * A zero added to an intermediate value, to have its gradient. Source: flax.nnx.Perturbation.
 * @example new nnx.Perturbation(array([0])) instanceof nnx.Intermediate; // true
 */
export class Perturbation<T = Tensor> extends Intermediate<T> {}

/**
 * State of random streams; `nnx.RngState` as a filter finds keys and counts. Source: flax.nnx.RngState.
 * @example nnx.toFlatState(nnx.state(model, nnx.RngState)).length; // 2
 */
export class RngState extends Variable {}

/** Keys as they are kept: their words. What transforms put in the place of arrays stays. */
function wordsOf(value: Tensor): Tensor {
  return value instanceof random.KeyArray ? random.keyData(value) : value;
}

/** Keys as they are read. */
function keysOf(value: Tensor): Tensor {
  return value instanceof Tensor ? random.wrapKeyData(value) : value;
}

/** A stream's base key, or its keys: an array of keys when read, kept as its words. Source: flax.nnx.RngKey. */
export class RngKey extends RngState {
  override get shape(): Shape {
    return keysOf(peek(this)).shape;
  }

  override get dtype(): DType {
    return keysOf(peek(this)).dtype;
  }

  override get ndim(): number {
    return keysOf(peek(this)).ndim;
  }

  override get size(): number {
    return keysOf(peek(this)).size;
  }

  override getRawValue(): Tensor {
    return keysOf(super.getRawValue());
  }

  override setRawValue(next: Tensor): void {
    super.setRawValue(wordsOf(next));
  }

  override copy(value?: Tensor, metadata: Metadata = {}): this {
    return super.copy(value && wordsOf(value), metadata);
  }

  protected override createValue(value: Tensor): Tensor {
    return wordsOf(value);
  }
}

/** How many keys a stream has given. */
export class RngCount extends RngState {}

/**
 * State of an optimizer. Source: flax.nnx.OptState.
 * @example nnx.toFlatState(nnx.state(optimizer, nnx.OptState)).length; // 10
 */
export class OptState extends Variable {}

/** An optimizer's array that belongs to no parameter, such as a count. */
export class OptArray extends OptState {}

/** An optimizer's memory of one parameter, with that parameter's metadata. */
export class OptVariable extends OptState {}

/**
 * The small matrices of a low-rank adapter; a Param filter finds it too. Source: flax.nnx.LoRAParam.
 * @example new nnx.LoRAParam(array([0])) instanceof nnx.Param; // true
 */
export class LoRAParam<T = Tensor> extends Param<T> {}
