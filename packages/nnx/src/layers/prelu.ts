import { array, astype, greaterEqual, mul, where, type DType, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, isFloat, checkKeys } from "@jnx/tensor/internal";
import { Module } from "../module.ts";
import { readValue, type Metadata } from "../variable.ts";
import { Param } from "../variable-types.ts";
import { promoteDtype, type PromoteDtype } from "./params.ts";

/** Options of `PReLU`. */
export interface PReLUOptions {
  /** The slope at first, 0.01. */
  readonly negativeSlopeInit?: number;
  /** The dtype to compute in; that of the input unless given. */
  readonly dtype?: DType;
  /** The dtype of the slope, float32. */
  readonly paramDtype?: DType;
  /** What brings input and slope to `dtype` instead of the layer's own rule. */
  readonly promoteDtype?: PromoteDtype | undefined;
  readonly negativeSlopeMetadata?: Metadata;
}

/**
 * x where x ≥ 0, else negativeSlope · x, with a slope that is learnt. Source: flax.nnx.PReLU; He et al. 2015.
 * @example new nnx.PReLU().call(array([-1, 2])); // [-0.01, 2]
 */
export class PReLU extends Module {
  readonly negativeSlope: Param;
  readonly dtype: DType | undefined;
  readonly paramDtype: DType;
  readonly promoteDtype: PromoteDtype | undefined;

  constructor(options: PReLUOptions = {}) {
    checkKeys("PReLU", options, "negativeSlopeInit dtype paramDtype promoteDtype negativeSlopeMetadata");
    super();
    const { negativeSlopeInit = 0.01, dtype, paramDtype = "float32" } = options;
    this.negativeSlope = new Param(array(negativeSlopeInit, { dtype: paramDtype }), options.negativeSlopeMetadata);
    this.dtype = dtype;
    this.paramDtype = paramDtype;
    this.promoteDtype = options.promoteDtype;
  }

  /** x of any shape → the same shape */
  call(x: TensorLike): Tensor {
    const given = [asTensor(x, "PReLU"), readValue(this.negativeSlope)] as const;
    const [input, slope] =
      this.dtype === undefined && isFloat(given[0].dtype)
        ? ([given[0], astype(given[1], given[0].dtype)] as const)
        : (this.promoteDtype ?? promoteDtype)(given, this.dtype);
    return where(greaterEqual(input, 0), input, mul(slope, input));
  }
}
