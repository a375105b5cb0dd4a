import { add, ArgumentError, dotGeneral, reshape, type DType, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, normalizeAxis, shapeText, sizeOf, checkKeys, checkedPrecision } from "@jnx/tensor/internal";
import { lecunNormal, zeros, type Initializer } from "../initializers.ts";
import { Module } from "../module.ts";
import type { PrecisionLike } from "@jnx/tensor";
import type { RngsOptions } from "../rngs.ts";
import { readValue, type Metadata } from "../variable.ts";
import type { Param } from "../variable-types.ts";
import { flattened, generalOptions, makeParam, promoteDtype } from "./params.ts";
import type { DotGeneral, ProductOptions, PromoteDtype } from "./params.ts";

/** Options of `LinearGeneral`. */
export interface LinearGeneralOptions extends RngsOptions, ProductOptions {
  /** The axes of the input that are contracted, −1. */
  readonly axis?: number | readonly number[];
  /** Leading axes of the input that have kernels of their own, with their extents, `{ 0: 8 }`; none unless given. */
  readonly batchAxis?: Readonly<Record<number, number>>;
  /** Whether a bias is added, true. */
  readonly useBias?: boolean;
  /** The dtype to compute in; that of the operands unless given. */
  readonly dtype?: DType;
  /** The dtype of the parameters, float32. */
  readonly paramDtype?: DType;
  /** lecunNormal() unless given; sees [inputs, outputs] with all axes of a kind as one. */
  readonly kernelInit?: Initializer;
  /** zeros unless given. */
  readonly biasInit?: Initializer;
  /** A function in the place of `lax.dotGeneral`. */
  readonly dotGeneral?: DotGeneral | undefined;
  /** What makes such a function at each call; goes before dotGeneral. */
  readonly dotGeneralCls?: (() => DotGeneral) | undefined;
  readonly kernelMetadata?: Metadata;
  readonly biasMetadata?: Metadata;
}

/**
 * A linear layer over several axes: kernel [...batch, ...inFeatures, ...outFeatures], bias [...batch, ...outFeatures]. The
 * result has the batch axes, then the input's other axes, then outFeatures. Draws two keys of the stream `params`.
 * Source: flax.nnx.LinearGeneral.
 *
 * @throws ArgumentError when axis and inFeatures differ in number or batch axes do not lead, ShapeError for other extents.
 * @example
 * const heads = new nnx.LinearGeneral(12, [2, 6], { rngs: new nnx.Rngs(0) });
 * heads.call(ones([3, 12])).shape; // [3, 2, 6]
 */
export class LinearGeneral extends Module {
  readonly inFeatures: readonly number[];
  readonly outFeatures: readonly number[];
  readonly axis: readonly number[];
  readonly batchAxis: Readonly<Record<number, number>>;
  readonly useBias: boolean;
  readonly dtype: DType | undefined;
  readonly paramDtype: DType;
  readonly precision: PrecisionLike | undefined;
  readonly promoteDtype: PromoteDtype | undefined;
  readonly preferredElementType: DType | undefined;
  readonly dotGeneral: DotGeneral | undefined;
  readonly dotGeneralCls: (() => DotGeneral) | undefined;
  readonly kernel: Param;
  readonly bias: Param | null;

  constructor(
    inFeatures: number | readonly number[],
    outFeatures: number | readonly number[],
    options: LinearGeneralOptions,
  ) {
    checkKeys(
      "LinearGeneral",
      options,
      "rngs axis batchAxis useBias? dtype paramDtype kernelInit biasInit dotGeneral dotGeneralCls",
      "kernelMetadata biasMetadata precision promoteDtype preferredElementType",
    );
    super();
    const { rngs, axis = -1, batchAxis = {}, useBias = true, dtype, paramDtype = "float32" } = options;
    this.inFeatures = listOf(inFeatures);
    this.outFeatures = listOf(outFeatures);
    this.axis = listOf(axis);
    this.batchAxis = batchAxis;
    this.useBias = useBias;
    this.dtype = dtype;
    this.paramDtype = paramDtype;
    this.precision = checkedPrecision("LinearGeneral", options.precision);
    this.promoteDtype = options.promoteDtype;
    this.preferredElementType = options.preferredElementType;
    this.dotGeneral = options.dotGeneral;
    this.dotGeneralCls = options.dotGeneralCls;
    if (this.inFeatures.length !== this.axis.length)
      throw new ArgumentError(
        `LinearGeneral: inFeatures [${this.inFeatures.join(", ")}] and axis [${this.axis.join(", ")}] must be equally many`,
      );
    const batch = batchExtents(batchAxis);
    const [inputs, outputs] = [sizeOf([...batch, ...this.inFeatures]), sizeOf(this.outFeatures)];
    const { kernelInit = lecunNormal(), biasInit = zeros } = options;
    this.kernel = makeParam(
      flattened(kernelInit, [inputs, outputs]),
      rngs.params(),
      [...batch, ...this.inFeatures, ...this.outFeatures],
      paramDtype,
      options.kernelMetadata,
    );
    const biasShape = [...batch, ...this.outFeatures];
    this.bias = useBias
      ? makeParam(flattened(biasInit, [sizeOf(biasShape)]), rngs.params(), biasShape, paramDtype, options.biasMetadata)
      : null;
  }

  /** x: [...batch, ...rest, ...inFeatures in any place] → [...batch, ...rest, ...outFeatures] */
  call(x: TensorLike): Tensor {
    const inputs = asTensor(x, "LinearGeneral");
    const axes = this.axis.map((axis) => normalizeAxis("LinearGeneral", axis, inputs.ndim)).sort((a, b) => a - b);
    const batch = Object.keys(this.batchAxis).map(Number);
    const bias = this.bias === null ? undefined : readValue(this.bias);
    const operands = [inputs, readValue(this.kernel), bias] as const;
    const [input, kernel, offset] = (this.promoteDtype ?? promoteDtype)(operands, this.dtype);
    const contracted = axes.map((_, k) => batch.length + k);
    const multiply: DotGeneral = this.dotGeneralCls?.() ?? this.dotGeneral ?? dotGeneral;
    const numbers = [
      [axes, contracted],
      [batch, batch],
    ] as const;
    const y = multiply(input, kernel, numbers, generalOptions(this));
    if (offset === undefined) return y;
    const rest = inputs.shape.map((extent, axis) => (batch.includes(axis) ? extent : 1));
    return add(y, reshape(offset, [...rest.filter((_, axis) => !axes.includes(axis)), ...this.outFeatures]));
  }
}

function listOf(value: number | readonly number[]): readonly number[] {
  return typeof value === "number" ? [value] : value;
}

function batchExtents(batchAxis: Readonly<Record<number, number>>): number[] {
  const axes = Object.keys(batchAxis).map(Number);
  if (axes.some((axis, k) => axis !== k))
    throw new ArgumentError(`LinearGeneral: batch axes must lead, 0, 1, …, received ${shapeText(axes)}`);
  return Object.values(batchAxis);
}
