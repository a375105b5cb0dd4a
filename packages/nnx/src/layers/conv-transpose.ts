import {
  add,
  convTranspose,
  pad,
  reshape,
  sum,
  type DType,
  type Padding,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { ArgumentError } from "@jnx/tensor";
import { asTensor, at, checkKeys, checkedPrecision } from "@jnx/tensor/internal";
import { lecunNormal, zeros } from "../initializers.ts";
import { Module } from "../module.ts";
import type { PrecisionLike } from "@jnx/tensor";
import { readValue } from "../variable.ts";
import type { Param } from "../variable-types.ts";
import { channelsLast, maskedKernel, oneBatchAxis, perAxis, preferred, resolveConvPadding } from "./conv.ts";
import type { ConvLayerOptions, ConvPadding } from "./conv.ts";
import { makeParam, promoteDtype, type PromoteDtype } from "./params.ts";

/** Options of `ConvTranspose`. */
export interface ConvTransposeLayerOptions extends ConvLayerOptions {
  /** How far apart elements of the input lie, 1. */
  readonly strides?: number | readonly number[];
  /** Whether the kernel is flipped and its channels exchanged, as in the gradient of a Conv; false. */
  readonly transposeKernel?: boolean;
}

/**
 * A convolution with fractional strides: "SAME" gives in · stride positions, "VALID" in · stride + max(kernel − stride, 0).
 * kernel: [...kernelSize, inFeatures, outFeatures] (the last two exchanged with transposeKernel), bias: [outFeatures];
 * draws two keys, kernel then bias. Source: flax.nnx.ConvTranspose.
 *
 * @throws ShapeError when x does not fit, ArgumentError for padding that does not.
 * @example
 * const conv = new nnx.ConvTranspose(3, 8, [3, 3], { strides: 2, rngs: new nnx.Rngs(0) });
 * conv.call(ones([1, 7, 7, 3])).shape; // [1, 14, 14, 8]
 */
export class ConvTranspose extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly kernelSize: readonly number[];
  readonly strides: number | readonly number[];
  readonly padding: ConvPadding;
  readonly kernelDilation: number | readonly number[];
  readonly useBias: boolean;
  readonly mask: Tensor | undefined;
  readonly dtype: DType | undefined;
  readonly paramDtype: DType;
  readonly precision: PrecisionLike | undefined;
  readonly promoteDtype: PromoteDtype | undefined;
  readonly preferredElementType: DType | undefined;
  readonly transposeKernel: boolean;
  readonly kernel: Param;
  readonly bias: Param | null;

  constructor(
    inFeatures: number,
    outFeatures: number,
    kernelSize: number | readonly number[],
    options: ConvTransposeLayerOptions,
  ) {
    checkKeys(
      "ConvTranspose",
      options,
      "rngs strides transposeKernel? padding kernelDilation useBias? mask dtype paramDtype kernelInit",
      "biasInit kernelMetadata biasMetadata precision promoteDtype preferredElementType",
    );
    super();
    const { rngs, strides = 1, padding = "SAME", kernelDilation = 1, useBias = true, mask, dtype } = options;
    const { paramDtype = "float32", transposeKernel = false, kernelInit = lecunNormal(), biasInit = zeros } = options;
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.kernelSize = typeof kernelSize === "number" ? [kernelSize] : [...kernelSize];
    this.strides = strides;
    this.padding = padding;
    this.kernelDilation = kernelDilation;
    this.useBias = useBias;
    this.mask = mask;
    this.dtype = dtype;
    this.paramDtype = paramDtype;
    this.precision = checkedPrecision("ConvTranspose", options.precision);
    this.promoteDtype = options.promoteDtype;
    this.preferredElementType = options.preferredElementType;
    this.transposeKernel = transposeKernel;
    const channels = transposeKernel ? [outFeatures, inFeatures] : [inFeatures, outFeatures];
    const shape = [...this.kernelSize, ...channels];
    this.kernel = makeParam(kernelInit, rngs.params(), shape, paramDtype, options.kernelMetadata);
    this.bias = useBias ? makeParam(biasInit, rngs.params(), [outFeatures], paramDtype, options.biasMetadata) : null;
  }

  /** x: [batch…, spatial…, inFeatures] → [batch…, spatial…, outFeatures] */
  call(x: TensorLike): Tensor {
    const axes = this.kernelSize.length;
    const { flat, restore } = oneBatchAxis("ConvTranspose", asTensor(x, "ConvTranspose"), axes, this.inFeatures);
    const strides = perAxis(this.strides, axes);
    const offset = this.bias === null ? undefined : readValue(this.bias);
    const operands = [flat, maskedKernel("ConvTranspose", this.kernel, this.mask), offset] as const;
    const [input, kernel, bias] = (this.promoteDtype ?? promoteDtype)(operands, this.dtype);
    const [left, right] = preferred([input, kernel], this.preferredElementType);
    const y = convTranspose(left, right, strides, paddingOf(this.padding, axes), {
      rhsDilation: perAxis(this.kernelDilation, axes),
      transposeKernel: this.transposeKernel,
      dimensionNumbers: channelsLast(axes),
    });
    const wrapped = this.padding === "CIRCULAR" ? wrap(this, y, input, strides) : y;
    return restore(bias === undefined ? wrapped : add(wrapped, bias));
  }
}

/** What lies beyond a period of in · stride positions is added where it comes round again. */
function wrap(layer: ConvTranspose, y: Tensor, x: Tensor, strides: readonly number[]): Tensor {
  const periods = strides.map((stride, k) => at(x.shape, k + 1) * stride);
  const ends = periods.map((period, k) => {
    const missing = (((period - at(y.shape, k + 1)) % (2 * period)) + 2 * period) % (2 * period);
    const [less, more] = [Math.floor(missing / 2), Math.ceil(missing / 2)];
    return layer.transposeKernel ? ([less, more, 0] as const) : ([more, less, 0] as const);
  });
  let result = pad(y, 0, [[0, 0, 0], ...ends, [0, 0, 0]]);
  periods.forEach((period, k) => {
    const shape = result.shape;
    const turns = at(shape, k + 1) / period;
    result = sum(reshape(result, [...shape.slice(0, k + 1), turns, period, ...shape.slice(k + 2)]), { axis: k + 1 });
  });
  return result;
}

function paddingOf(padding: ConvPadding, axes: number): Padding {
  const resolved = resolveConvPadding("ConvTranspose", padding, axes);
  if (typeof resolved !== "string") return resolved;
  if (resolved === "CIRCULAR" || resolved === "VALID") return "VALID";
  if (resolved === "SAME") return "SAME";
  throw new ArgumentError(
    `ConvTranspose: padding is "SAME", "VALID", "CIRCULAR", a number or pairs, received "${resolved}"`,
  );
}
