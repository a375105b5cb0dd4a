import { add, dotGeneral, matmul, ShapeError, type DType, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, shapeText, checkKeys, checkedPrecision, matmulAdd } from "@jnx/tensor/internal";
import { lecunNormal, zeros, type Initializer } from "../initializers.ts";
import { Module } from "../module.ts";
import type { PrecisionLike } from "@jnx/tensor";
import type { RngsOptions } from "../rngs.ts";
import { readValue, type Metadata } from "../variable.ts";
import type { Param } from "../variable-types.ts";
import { generalOptions, makeParam, promoteDtype } from "./params.ts";
import type { DotGeneral, ProductOptions, PromoteDtype } from "./params.ts";

/** Options of `Linear`. */
export interface LinearOptions extends RngsOptions, ProductOptions {
  /** Whether a bias is added, true. */
  readonly useBias?: boolean;
  /** The dtype to compute in; that of the operands unless given. */
  readonly dtype?: DType;
  /** The dtype of the parameters, float32. */
  readonly paramDtype?: DType;
  /** lecunNormal() unless given. */
  readonly kernelInit?: Initializer;
  /** zeros unless given. */
  readonly biasInit?: Initializer;
  /** A function in the place of `lax.dotGeneral`. */
  readonly dotGeneral?: DotGeneral | undefined;
  readonly kernelMetadata?: Metadata;
  readonly biasMetadata?: Metadata;
}

/**
 * y = x · kernel + bias over the last axis. kernel: [inFeatures, outFeatures], bias: [outFeatures]; draws two keys of
 * the stream `params`, kernel then bias. Source: flax.nnx.Linear.
 *
 * @throws ShapeError when the last axis of x is not inFeatures.
 * @example
 * const layer = new nnx.Linear(784, 256, { rngs: new nnx.Rngs(0) });
 * layer.call(ones([32, 784])).shape; // [32, 256]
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly kernel: Param;
  readonly bias: Param | null;
  readonly useBias: boolean;
  readonly dtype: DType | undefined;
  readonly paramDtype: DType;
  readonly precision: PrecisionLike | undefined;
  readonly promoteDtype: PromoteDtype | undefined;
  readonly preferredElementType: DType | undefined;
  readonly dotGeneral: DotGeneral | undefined;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions) {
    checkKeys(
      "Linear",
      options,
      "rngs useBias? dtype paramDtype kernelInit biasInit dotGeneral kernelMetadata biasMetadata precision",
      "promoteDtype preferredElementType",
    );
    super();
    const {
      rngs,
      useBias = true,
      dtype,
      paramDtype = "float32",
      kernelInit = lecunNormal(),
      biasInit = zeros,
    } = options;
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.useBias = useBias;
    this.dtype = dtype;
    this.paramDtype = paramDtype;
    this.precision = checkedPrecision("Linear", options.precision);
    this.promoteDtype = options.promoteDtype;
    this.preferredElementType = options.preferredElementType;
    this.dotGeneral = options.dotGeneral;
    this.kernel = makeParam(kernelInit, rngs.params(), [inFeatures, outFeatures], paramDtype, options.kernelMetadata);
    this.bias = useBias ? makeParam(biasInit, rngs.params(), [outFeatures], paramDtype, options.biasMetadata) : null;
  }

  /** x: [..., inFeatures] → [..., outFeatures] */
  call(x: TensorLike): Tensor {
    const inputs = asTensor(x, "Linear");
    if (inputs.shape.at(-1) !== this.inFeatures)
      throw new ShapeError(`Linear: expected a last axis of ${this.inFeatures}, received ${shapeText(inputs.shape)}`);
    const bias = this.bias === null ? undefined : readValue(this.bias);
    const operands = [inputs, readValue(this.kernel), bias] as const;
    const [input, kernel, offset] = (this.promoteDtype ?? promoteDtype)(operands, this.dtype);
    if (offset === undefined) return product(this, input, kernel);
    return isPlain(this) ? matmulAdd(input, kernel, offset) : add(product(this, input, kernel), offset);
  }
}

function isPlain(layer: Linear): boolean {
  return layer.dotGeneral === undefined && layer.preferredElementType === undefined;
}

/** x · kernel over the last axis, by the layer's own function where it has one. */
function product(layer: Linear, x: Tensor, kernel: Tensor): Tensor {
  if (isPlain(layer)) return matmul(x, kernel);
  const multiply: DotGeneral = layer.dotGeneral ?? dotGeneral;
  const numbers = [
    [[x.ndim - 1], [0]],
    [[], []],
  ] as const;
  return multiply(x, kernel, numbers, generalOptions(layer));
}
