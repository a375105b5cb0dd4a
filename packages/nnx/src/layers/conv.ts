import {
  add,
  ArgumentError,
  array,
  astype,
  convGeneralDilated,
  mul,
  pad,
  reshape,
  ShapeError,
  take,
} from "@jnx/tensor";
import type { ConvOptions as TensorConvOptions, DType, Padding, PadPair, Tensor, TensorLike } from "@jnx/tensor";
import { asTensor, at, sameShape, shapeText, checkKeys, checkedPrecision } from "@jnx/tensor/internal";
import { lecunNormal, zeros, type Initializer } from "../initializers.ts";
import { Module } from "../module.ts";
import type { PrecisionLike } from "@jnx/tensor";
import type { RngsOptions } from "../rngs.ts";
import { readValue, type Metadata } from "../variable.ts";
import type { Param } from "../variable-types.ts";
import { generalOptions, makeParam, promoteDtype } from "./params.ts";
import type { GeneralProductOptions, ProductOptions, PromoteDtype } from "./params.ts";

/**
 * Padding of a convolution: by name (CIRCULAR wraps around, REFLECT mirrors, CAUSAL pads before one axis alone), one
 * number for all axes, or for each axis a number or a pair.
 */
export type ConvPadding =
  "SAME" | "SAME_LOWER" | "VALID" | "CIRCULAR" | "REFLECT" | "CAUSAL" | number | readonly (number | PadPair)[];

/** Options that Conv and ConvTranspose share. */
export interface ConvLayerOptions extends RngsOptions, ProductOptions {
  /** "SAME" unless given. */
  readonly padding?: ConvPadding;
  /** Elements of the kernel lie this far apart, 1. */
  readonly kernelDilation?: number | readonly number[];
  /** Whether a bias is added, true. */
  readonly useBias?: boolean;
  /** What the kernel is multiplied with, of its shape. */
  readonly mask?: Tensor;
  /** The dtype to compute in; that of the operands unless given. */
  readonly dtype?: DType;
  /** The dtype of the parameters, float32. */
  readonly paramDtype?: DType;
  /** lecunNormal() unless given. */
  readonly kernelInit?: Initializer;
  /** zeros unless given. */
  readonly biasInit?: Initializer;
  readonly kernelMetadata?: Metadata;
  readonly biasMetadata?: Metadata;
}

/** Options of `Conv`. */
export interface ConvOptions extends ConvLayerOptions {
  /** Steps of the kernel, 1. */
  readonly strides?: number | readonly number[];
  /** Elements of the input lie this far apart, 1. */
  readonly inputDilation?: number | readonly number[];
  /** Groups of channels and features that know nothing of each other, 1. */
  readonly featureGroupCount?: number;
  /** A function in the place of `lax.convGeneralDilated`. */
  readonly convGeneralDilated?: ConvGeneralDilated | undefined;
}

/** A function in the place of `lax.convGeneralDilated`. */
export type ConvGeneralDilated = (
  x: Tensor,
  kernel: Tensor,
  options: TensorConvOptions & GeneralProductOptions,
) => Tensor;

/** One number for each axis. */
export function perAxis(value: number | readonly number[] | undefined, axes: number): readonly number[] {
  return typeof value === "object" ? value : new Array<number>(axes).fill(value ?? 1);
}

/** The name, or pairs for each axis. */
export function resolveConvPadding(name: string, padding: ConvPadding, axes: number): string | readonly PadPair[] {
  if (typeof padding === "string") return padding;
  if (typeof padding === "number") return Array.from({ length: axes }, () => [padding, padding] as const);
  const pairs = padding.map((one): PadPair => (typeof one === "number" ? [one, one] : one));
  if (pairs.length !== axes || !pairs.every((pair) => pair.length === 2 && pair.every(Number.isInteger)))
    throw new ArgumentError(
      `${name}: padding is a name, a number, or a number or pair for each of ${axes} axes, received ${JSON.stringify(padding)}`,
    );
  return pairs;
}

/** The kernel, masked. */
export function maskedKernel(name: string, kernel: Param, mask: Tensor | undefined): Tensor {
  const value = readValue(kernel);
  if (mask === undefined) return value;
  if (!sameShape(mask.shape, value.shape))
    throw new ShapeError(
      `${name}: the mask needs the kernel's shape ${shapeText(value.shape)}, received ${shapeText(mask.shape)}`,
    );
  return mul(value, mask);
}

/** [batch…, spatial…, features] with one batch axis, and the way back. */
export function oneBatchAxis(
  name: string,
  x: Tensor,
  spatial: number,
  features: number,
): { readonly flat: Tensor; restore(y: Tensor): Tensor } {
  const batch = x.ndim - spatial - 1;
  if (batch < 0 || x.shape.at(-1) !== features)
    throw new ShapeError(
      `${name}: expected [batch…, ${spatial} spatial ax${spatial === 1 ? "is" : "es"}, ${features}], received ${shapeText(x.shape)}`,
    );
  if (batch === 1) return { flat: x, restore: (y) => y };
  const count = x.shape.slice(0, batch).reduce((product, extent) => product * extent, 1);
  return {
    flat: reshape(x, [count, ...x.shape.slice(batch)]),
    restore: (y) => reshape(y, [...x.shape.slice(0, batch), ...y.shape.slice(1)]),
  };
}

const SPATIAL = ["", "W", "HW", "DHW"];

/** Channels-last dimension numbers of so many spatial axes. */
export function channelsLast(axes: number): readonly [string, string, string] {
  const spatial = SPATIAL[axes] ?? "";
  return [`N${spatial}C`, `${spatial}IO`, `N${spatial}C`];
}

/**
 * A convolution over the axes between batch and channels: x [batch…, spatial…, inFeatures]. kernel: [...kernelSize,
 * inFeatures / featureGroupCount, outFeatures], bias: [outFeatures]; draws two keys, kernel then bias.
 * Source: flax.nnx.Conv.
 *
 * @throws ShapeError when x does not fit, ArgumentError for padding that does not.
 * @example
 * const conv = new nnx.Conv(3, 8, [3, 3], { rngs: new nnx.Rngs(0) });
 * conv.call(ones([1, 28, 28, 3])).shape; // [1, 28, 28, 8]
 */
export class Conv extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly kernelSize: readonly number[];
  readonly strides: number | readonly number[];
  readonly padding: ConvPadding;
  readonly inputDilation: number | readonly number[];
  readonly kernelDilation: number | readonly number[];
  readonly featureGroupCount: number;
  readonly useBias: boolean;
  readonly mask: Tensor | undefined;
  readonly dtype: DType | undefined;
  readonly paramDtype: DType;
  readonly precision: PrecisionLike | undefined;
  readonly promoteDtype: PromoteDtype | undefined;
  readonly preferredElementType: DType | undefined;
  readonly convGeneralDilated: ConvGeneralDilated | undefined;
  readonly kernel: Param;
  readonly bias: Param | null;

  constructor(inFeatures: number, outFeatures: number, kernelSize: number | readonly number[], options: ConvOptions) {
    checkKeys(
      "Conv",
      options,
      "rngs strides inputDilation featureGroupCount convGeneralDilated padding kernelDilation useBias? mask",
      "dtype paramDtype kernelInit biasInit kernelMetadata biasMetadata precision promoteDtype",
      "preferredElementType",
    );
    super();
    const { rngs, strides = 1, padding = "SAME", inputDilation = 1, kernelDilation = 1, useBias = true } = options;
    const { featureGroupCount = 1, mask, dtype, paramDtype = "float32" } = options;
    const { kernelInit = lecunNormal(), biasInit = zeros } = options;
    if (inFeatures % featureGroupCount !== 0 || outFeatures % featureGroupCount !== 0)
      throw new ArgumentError(
        `Conv: featureGroupCount ${featureGroupCount} does not divide ${inFeatures} channels and ${outFeatures} features`,
      );
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.kernelSize = typeof kernelSize === "number" ? [kernelSize] : [...kernelSize];
    this.strides = strides;
    this.padding = padding;
    this.inputDilation = inputDilation;
    this.kernelDilation = kernelDilation;
    this.featureGroupCount = featureGroupCount;
    this.useBias = useBias;
    this.mask = mask;
    this.dtype = dtype;
    this.paramDtype = paramDtype;
    this.precision = checkedPrecision("Conv", options.precision);
    this.promoteDtype = options.promoteDtype;
    this.preferredElementType = options.preferredElementType;
    this.convGeneralDilated = options.convGeneralDilated;
    const shape = [...this.kernelSize, inFeatures / featureGroupCount, outFeatures];
    this.kernel = makeParam(kernelInit, rngs.params(), shape, paramDtype, options.kernelMetadata);
    this.bias = useBias ? makeParam(biasInit, rngs.params(), [outFeatures], paramDtype, options.biasMetadata) : null;
  }

  /** x: [batch…, spatial…, inFeatures] → [batch…, spatial…, outFeatures] */
  call(x: TensorLike): Tensor {
    const axes = this.kernelSize.length;
    const { flat, restore } = oneBatchAxis("Conv", asTensor(x, "Conv"), axes, this.inFeatures);
    const dilation = perAxis(this.kernelDilation, axes);
    const [padded, padding] = padInput(flat, this.padding, this.kernelSize, dilation);
    const offset = this.bias === null ? undefined : readValue(this.bias);
    const operands = [padded, maskedKernel("Conv", this.kernel, this.mask), offset] as const;
    const [input, kernel, bias] = (this.promoteDtype ?? promoteDtype)(operands, this.dtype);
    const how = {
      windowStrides: perAxis(this.strides, axes),
      padding,
      lhsDilation: perAxis(this.inputDilation, axes),
      rhsDilation: dilation,
      featureGroupCount: this.featureGroupCount,
      dimensionNumbers: channelsLast(axes),
    };
    const y =
      this.convGeneralDilated === undefined
        ? convGeneralDilated(...preferred([input, kernel], this.preferredElementType), how)
        : this.convGeneralDilated(input, kernel, { ...how, ...generalOptions(this) });
    return restore(bias === undefined ? y : add(y, bias));
  }
}

/** Operands in the dtype to multiply and add up in. */
export function preferred(operands: readonly [Tensor, Tensor], dtype: DType | undefined): [Tensor, Tensor] {
  const [x, kernel] = operands;
  return dtype === undefined ? [x, kernel] : [astype(x, dtype), astype(kernel, dtype)];
}

/** What lax has no name for is padded first. */
function padInput(
  x: Tensor,
  padding: ConvPadding,
  kernelSize: readonly number[],
  dilation: readonly number[],
): [Tensor, Padding] {
  const resolved = resolveConvPadding("Conv", padding, kernelSize.length);
  const spans = kernelSize.map((extent, k) => (extent - 1) * at(dilation, k) + 1);
  if (resolved === "CAUSAL") {
    if (kernelSize.length !== 1)
      throw new ArgumentError(`Conv: CAUSAL padding is for one spatial axis, received ${kernelSize.length}`);
    return [
      pad(x, 0, [
        [0, 0, 0],
        [at(spans, 0) - 1, 0, 0],
        [0, 0, 0],
      ]),
      "VALID",
    ];
  }
  if (resolved !== "CIRCULAR" && resolved !== "REFLECT")
    return [x, typeof resolved === "string" ? named(resolved) : resolved];
  let y = x;
  spans.forEach((span, k) => {
    y = around(y, k + 1, Math.floor((span - 1) / 2), Math.floor(span / 2), resolved === "REFLECT");
  });
  return [y, "VALID"];
}

function named(padding: string): Padding {
  const known = (["SAME", "SAME_LOWER", "VALID"] as const).find((name) => name === padding);
  if (known === undefined)
    throw new ArgumentError(
      `Conv: padding is "SAME", "SAME_LOWER", "VALID", "CIRCULAR", "REFLECT", "CAUSAL", a number or pairs, received "${padding}"`,
    );
  return known;
}

/** Axis `axis` continued on both sides: by itself again, or mirrored at its first and last element. */
function around(x: Tensor, axis: number, before: number, after: number, mirror: boolean): Tensor {
  const extent = at(x.shape, axis);
  if (before + after === 0 || extent === 0) return x;
  const period = mirror ? Math.max(1, 2 * (extent - 1)) : extent;
  const indices = Array.from({ length: extent + before + after }, (_, i) => {
    const place = (((i - before) % period) + period) % period;
    return place < extent ? place : period - place;
  });
  return take(x, array(indices, { dtype: "int32" }), { axis });
}
