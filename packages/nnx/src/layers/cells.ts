import {
  add,
  ArgumentError,
  mul,
  sigmoid,
  split,
  sub,
  tanh,
  type DType,
  type Shape,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, checkKeys } from "@jnx/tensor/internal";
import { lecunNormal, orthogonal, zeros, type Initializer } from "../initializers.ts";
import { Module } from "../module.ts";
import { Rngs, type RngsOptions, type RngStream } from "../rngs.ts";
import type { Metadata } from "../variable.ts";
import { Linear, type LinearOptions } from "./linear.ts";
import type { PromoteDtype } from "./params.ts";

/** What a cell hands from step to step: one array, or several. */
export type CellCarry = Tensor | readonly Tensor[];

/** Applied to gates or to what is remembered. */
export type Activation = (x: Tensor) => Tensor;

/** Options of every cell. */
export interface CellOptions extends RngsOptions {
  /** tanh unless given. */
  readonly activationFn?: Activation;
  /** Of the kernels that read the input, lecunNormal() unless given. */
  readonly kernelInit?: Initializer;
  /** Of the kernels that read the hidden state, orthogonal() unless given. */
  readonly recurrentKernelInit?: Initializer;
  /** zeros unless given. */
  readonly biasInit?: Initializer;
  /** The dtype to compute in; that of the operands unless given. */
  readonly dtype?: DType;
  /** The dtype of the parameters, float32. */
  readonly paramDtype?: DType;
  /** The first carry, where `initializeCarry` is not told another; zeros unless given. */
  readonly carryInit?: Initializer | undefined;
  /** What brings operands to one dtype instead of the layers' own rule. */
  readonly promoteDtype?: PromoteDtype | undefined;
  /** Whether the cell forks a stream of its own for first carries, false; Flax prefers streams given to the RNN. */
  readonly keepRngs?: boolean;
  readonly kernelMetadata?: Metadata;
  readonly recurrentKernelMetadata?: Metadata;
  readonly biasMetadata?: Metadata;
}

/** Options of cells with gates. */
export interface GatedCellOptions extends CellOptions {
  /** sigmoid unless given. */
  readonly gateFn?: Activation;
}

/** Options of `initializeCarry`. */
export interface CarryOptions {
  /** Where keys come from, its stream `carry`; drawn even for zeros. */
  readonly rngs?: Rngs | RngStream | null;
  /** zeros unless given. */
  readonly carryInit?: Initializer;
}

/**
 * Base of what an RNN steps through time: `call(carry, x)` gives the next carry and the output.
 * Source: flax.nnx.RNNCellBase.
 *
 * @example new nnx.GRUCell(2, 3, { rngs: new nnx.Rngs(0) }) instanceof nnx.RNNCellBase; // true
 */
export abstract class RNNCellBase<C extends CellCarry = CellCarry> extends Module {
  readonly inFeatures: number;
  readonly hiddenFeatures: number;
  readonly dtype: DType | undefined;
  readonly paramDtype: DType;
  readonly promoteDtype: PromoteDtype | undefined;
  readonly carryInit: Initializer | undefined;
  readonly rngs: RngStream | null;

  constructor(inFeatures: number, hiddenFeatures: number, options: CellOptions) {
    super();
    this.inFeatures = inFeatures;
    this.hiddenFeatures = hiddenFeatures;
    this.dtype = options.dtype;
    this.paramDtype = options.paramDtype ?? "float32";
    this.promoteDtype = options.promoteDtype;
    this.carryInit = options.carryInit;
    // Before any parameter, as in Flax.
    this.rngs = options.keepRngs === true ? options.rngs.stream("carry").fork() : null;
  }

  /** carry, x: [..., inFeatures] → next carry, output [..., hiddenFeatures] */
  abstract call(carry: C, x: TensorLike): [C, Tensor];

  /** The first carry for inputs of a shape: [..., inFeatures] → arrays of [..., hiddenFeatures]. */
  abstract initializeCarry(inputShape: Shape, options?: CarryOptions): C;

  /** How many axes at the end of an input are features. */
  get numFeatureAxes(): number {
    return 1;
  }

  /** One array of a first carry. */
  protected carryPart(inputShape: Shape, options: CarryOptions): Tensor {
    const rngs = options.rngs ?? this.rngs;
    const carryInit = options.carryInit ?? this.carryInit ?? zeros;
    if (rngs === null)
      throw new ArgumentError(`${this.constructor.name}.initializeCarry: needs keys; pass { rngs: new nnx.Rngs(0) }`);
    const stream = rngs instanceof Rngs ? rngs.stream("carry") : rngs;
    return carryInit(stream.call(), [...inputShape.slice(0, -1), this.hiddenFeatures], this.paramDtype);
  }
}

/** Options for the Linear that reads the input. */
function inputOptions(options: CellOptions, useBias: boolean): LinearOptions {
  const { rngs, kernelInit = lecunNormal(), kernelMetadata, biasMetadata, biasInit } = options;
  return { ...common(options), rngs, useBias, kernelInit, ...given({ kernelMetadata, biasMetadata, biasInit }) };
}

/** Options for the Linear that reads the hidden state. */
function hiddenOptions(options: CellOptions, useBias: boolean): LinearOptions {
  const { rngs, recurrentKernelInit = orthogonal(), recurrentKernelMetadata, biasMetadata, biasInit } = options;
  const metadata = given({ kernelMetadata: recurrentKernelMetadata, biasMetadata, biasInit });
  return { ...common(options), rngs, useBias, kernelInit: recurrentKernelInit, ...metadata };
}

function common({ dtype, paramDtype, promoteDtype }: CellOptions): Partial<LinearOptions> {
  return given({ dtype, paramDtype, promoteDtype });
}

/** Without the entries that are undefined. */
function given<T extends object>(entries: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // What remains are the entries that have a value.
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Cells with a memory c beside the hidden state h. */
abstract class LongCell extends RNNCellBase<readonly [Tensor, Tensor]> {
  readonly gateFn: Activation;
  readonly activationFn: Activation;

  constructor(inFeatures: number, hiddenFeatures: number, options: GatedCellOptions) {
    super(inFeatures, hiddenFeatures, options);
    this.gateFn = options.gateFn ?? sigmoid;
    this.activationFn = options.activationFn ?? tanh;
  }

  override initializeCarry(inputShape: Shape, options: CarryOptions = {}): readonly [Tensor, Tensor] {
    const c = this.carryPart(inputShape, options);
    return [c, this.carryPart(inputShape, options)];
  }

  /** c′ = f·c + i·g, h′ = o·tanh(c′) */
  protected step(c: Tensor, gates: readonly Tensor[]): [readonly [Tensor, Tensor], Tensor] {
    const [i = c, f = c, g = c, o = c] = gates;
    const next = add(mul(this.gateFn(f), c), mul(this.gateFn(i), this.activationFn(g)));
    const h = mul(this.gateFn(o), this.activationFn(next));
    return [[next, h], h];
  }
}

/**
 * Long short-term memory: i, f, o = σ(W x + R h + b), g = tanh(…), c′ = f·c + i·g, h′ = o·tanh(c′). The carry is [c, h].
 * Eight Linears: ii, if_, ig, io read the input without bias, hi, hf, hg, ho the hidden state. Draws twelve keys of the
 * stream `params`. Source: flax.nnx.LSTMCell; Hochreiter & Schmidhuber 1997.
 *
 * @example
 * const cell = new nnx.LSTMCell(3, 4, { rngs: new nnx.Rngs(0) });
 * const carry = cell.initializeCarry([2, 3], { rngs: new nnx.Rngs(0) });
 * const [[c, h], y] = cell.call(carry, ones([2, 3]));
 * y.shape; // [2, 4]
 */
export class LSTMCell extends LongCell {
  readonly ii: Linear;
  readonly if_: Linear;
  readonly ig: Linear;
  readonly io: Linear;
  readonly hi: Linear;
  readonly hf: Linear;
  readonly hg: Linear;
  readonly ho: Linear;

  constructor(inFeatures: number, hiddenFeatures: number, options: GatedCellOptions) {
    checkKeys(
      "LSTMCell",
      options,
      "rngs gateFn activationFn kernelInit recurrentKernelInit biasInit dtype paramDtype carryInit",
      "promoteDtype keepRngs? kernelMetadata recurrentKernelMetadata biasMetadata",
    );
    super(inFeatures, hiddenFeatures, options);
    const input = (): Linear => new Linear(inFeatures, hiddenFeatures, inputOptions(options, false));
    const hidden = (): Linear => new Linear(hiddenFeatures, hiddenFeatures, hiddenOptions(options, true));
    this.ii = input();
    this.if_ = input();
    this.ig = input();
    this.io = input();
    this.hi = hidden();
    this.hf = hidden();
    this.hg = hidden();
    this.ho = hidden();
  }

  override call([c, h]: readonly [Tensor, Tensor], x: TensorLike): [readonly [Tensor, Tensor], Tensor] {
    const inputs = asTensor(x, "LSTMCell");
    const gate = (fromInput: Linear, fromHidden: Linear): Tensor => add(fromInput.call(inputs), fromHidden.call(h));
    return this.step(c, [
      gate(this.ii, this.hi),
      gate(this.if_, this.hf),
      gate(this.ig, this.hg),
      gate(this.io, this.ho),
    ]);
  }
}

/**
 * LSTMCell with its eight products in two: denseI [inFeatures, 4·hidden] without bias, denseH [hidden, 4·hidden], in the
 * order i, f, g, o. Draws three keys of the stream `params`. Source: flax.nnx.OptimizedLSTMCell.
 *
 * @example
 * const cell = new nnx.OptimizedLSTMCell(3, 4, { rngs: new nnx.Rngs(0) });
 * cell.call(cell.initializeCarry([2, 3], { rngs: new nnx.Rngs(0) }), ones([2, 3]))[1].shape; // [2, 4]
 */
export class OptimizedLSTMCell extends LongCell {
  readonly denseI: Linear;
  readonly denseH: Linear;

  constructor(inFeatures: number, hiddenFeatures: number, options: GatedCellOptions) {
    checkKeys(
      "OptimizedLSTMCell",
      options,
      "rngs gateFn activationFn kernelInit recurrentKernelInit biasInit dtype paramDtype carryInit",
      "promoteDtype keepRngs? kernelMetadata recurrentKernelMetadata biasMetadata",
    );
    super(inFeatures, hiddenFeatures, options);
    this.denseI = new Linear(inFeatures, 4 * hiddenFeatures, inputOptions(options, false));
    this.denseH = new Linear(hiddenFeatures, 4 * hiddenFeatures, hiddenOptions(options, true));
  }

  override call([c, h]: readonly [Tensor, Tensor], x: TensorLike): [readonly [Tensor, Tensor], Tensor] {
    return this.step(c, split(add(this.denseI.call(x), this.denseH.call(h)), 4, { axis: -1 }));
  }
}

/** Options of `SimpleCell`. */
export interface SimpleCellOptions extends CellOptions {
  /** Whether the hidden state is added before the activation, false. */
  readonly residual?: boolean;
}

/**
 * h′ = tanh(W x + b + R h [+ h]). The carry is h; dtype is float32 unless given. Draws three keys of the stream `params`:
 * denseH's kernel, denseI's kernel and bias. Source: flax.nnx.SimpleCell.
 *
 * @example
 * const cell = new nnx.SimpleCell(3, 4, { rngs: new nnx.Rngs(0) });
 * cell.call(cell.initializeCarry([2, 3], { rngs: new nnx.Rngs(0) }), ones([2, 3]))[1].shape; // [2, 4]
 */
export class SimpleCell extends RNNCellBase<Tensor> {
  readonly activationFn: Activation;
  readonly residual: boolean;
  readonly denseH: Linear;
  readonly denseI: Linear;

  constructor(inFeatures: number, hiddenFeatures: number, options: SimpleCellOptions) {
    checkKeys(
      "SimpleCell",
      options,
      "rngs residual? activationFn kernelInit recurrentKernelInit biasInit dtype paramDtype carryInit",
      "promoteDtype keepRngs? kernelMetadata recurrentKernelMetadata biasMetadata",
    );
    const withDtype = { ...options, dtype: options.dtype ?? ("float32" as const) };
    super(inFeatures, hiddenFeatures, withDtype);
    this.activationFn = options.activationFn ?? tanh;
    this.residual = options.residual ?? false;
    this.denseH = new Linear(hiddenFeatures, hiddenFeatures, hiddenOptions(withDtype, false));
    this.denseI = new Linear(inFeatures, hiddenFeatures, inputOptions(withDtype, true));
  }

  override call(carry: Tensor, x: TensorLike): [Tensor, Tensor] {
    const sum = add(this.denseI.call(x), this.denseH.call(carry));
    const h = this.activationFn(this.residual ? add(sum, carry) : sum);
    return [h, h];
  }

  override initializeCarry(inputShape: Shape, options: CarryOptions = {}): Tensor {
    checkKeys("SimpleCell.initializeCarry", options, "rngs carryInit");
    return this.carryPart(inputShape, options);
  }
}

/**
 * Gated recurrent unit: r, z = σ(W x + b + R h), n = tanh(W x + b + r·(R h)), h′ = (1 − z)·n + z·h. The carry is h.
 * denseI [inFeatures, 3·hidden] with bias, denseH [hidden, 3·hidden] without, in the order r, z, n. Draws three keys of
 * the stream `params`. Source: flax.nnx.GRUCell; Cho et al. 2014.
 *
 * @example
 * const cell = new nnx.GRUCell(3, 4, { rngs: new nnx.Rngs(0) });
 * cell.call(cell.initializeCarry([2, 3], { rngs: new nnx.Rngs(0) }), ones([2, 3]))[1].shape; // [2, 4]
 */
export class GRUCell extends RNNCellBase<Tensor> {
  readonly gateFn: Activation;
  readonly activationFn: Activation;
  readonly denseI: Linear;
  readonly denseH: Linear;

  constructor(inFeatures: number, hiddenFeatures: number, options: GatedCellOptions) {
    checkKeys(
      "GRUCell",
      options,
      "rngs gateFn activationFn kernelInit recurrentKernelInit biasInit dtype paramDtype carryInit",
      "promoteDtype keepRngs? kernelMetadata recurrentKernelMetadata biasMetadata",
    );
    super(inFeatures, hiddenFeatures, options);
    this.gateFn = options.gateFn ?? sigmoid;
    this.activationFn = options.activationFn ?? tanh;
    this.denseI = new Linear(inFeatures, 3 * hiddenFeatures, inputOptions(options, true));
    this.denseH = new Linear(hiddenFeatures, 3 * hiddenFeatures, hiddenOptions(options, false));
  }

  override call(carry: Tensor, x: TensorLike): [Tensor, Tensor] {
    const [xr = carry, xz = carry, xn = carry] = split(this.denseI.call(x), 3, { axis: -1 });
    const [hr = carry, hz = carry, hn = carry] = split(this.denseH.call(carry), 3, { axis: -1 });
    const [r, z] = [this.gateFn(add(xr, hr)), this.gateFn(add(xz, hz))];
    const n = this.activationFn(add(xn, mul(r, hn)));
    const h = add(mul(sub(1, z), n), mul(z, carry));
    return [h, h];
  }

  override initializeCarry(inputShape: Shape, options: CarryOptions = {}): Tensor {
    checkKeys("GRUCell.initializeCarry", options, "rngs carryInit");
    return this.carryPart(inputShape, options);
  }
}
