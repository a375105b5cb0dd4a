import { add, ArgumentError, einsum, reshape, type DType, type Shape, type Tensor, type TensorLike } from "@jnx/tensor";
import { asTensor, checkKeys, checkedPrecision } from "@jnx/tensor/internal";
import { lecunNormal, zeros, type Initializer } from "../initializers.ts";
import { Module } from "../module.ts";
import type { PrecisionLike } from "@jnx/tensor";
import type { RngsOptions } from "../rngs.ts";
import { readValue, type Metadata } from "../variable.ts";
import type { Param } from "../variable-types.ts";
import { generalOptions, makeParam, promoteDtype } from "./params.ts";
import type { GeneralProductOptions, ProductOptions, PromoteDtype } from "./params.ts";

/** A function in the place of `jnp.einsum`. */
export type EinsumOp = (equation: string, x: Tensor, kernel: Tensor, options: GeneralProductOptions) => Tensor;

/** Options of `Einsum`. */
export interface EinsumLayerOptions extends RngsOptions, ProductOptions {
  /** The bias's shape: the kernel's axes that the result keeps. No bias unless given. */
  readonly biasShape?: Shape | null;
  /** The dtype to compute in; that of the operands unless given. */
  readonly dtype?: DType;
  /** The dtype of the parameters, float32. */
  readonly paramDtype?: DType;
  /** lecunNormal() unless given. */
  readonly kernelInit?: Initializer;
  /** zeros unless given. */
  readonly biasInit?: Initializer;
  /** A function in the place of `jnp.einsum`. */
  readonly einsumOp?: EinsumOp | undefined;
  readonly kernelMetadata?: Metadata;
  readonly biasMetadata?: Metadata;
}

/**
 * einsum(equation, x, kernel) + bias. The equation has two operands and "->"; the bias is added along the kernel's letters
 * that the result keeps. Draws a key of the stream `params` for the kernel, and one for a bias. Source: flax.nnx.Einsum.
 *
 * @throws ArgumentError for an equation without "->" or with other than two operands.
 * @example
 * const layer = new nnx.Einsum("nta,hab->nthb", [2, 3, 4], { biasShape: [2, 4], rngs: new nnx.Rngs(0) });
 * layer.call(ones([5, 6, 3])).shape; // [5, 6, 2, 4]
 */
export class Einsum extends Module {
  readonly einsumStr: string;
  readonly kernelShape: Shape;
  readonly biasShape: Shape | null;
  readonly dtype: DType | undefined;
  readonly paramDtype: DType;
  readonly precision: PrecisionLike | undefined;
  readonly promoteDtype: PromoteDtype | undefined;
  readonly preferredElementType: DType | undefined;
  readonly einsumOp: EinsumOp | undefined;
  readonly kernel: Param;
  readonly bias: Param | null;

  constructor(einsumStr: string, kernelShape: Shape, options: EinsumLayerOptions) {
    checkKeys(
      "Einsum",
      options,
      "rngs biasShape dtype paramDtype kernelInit biasInit einsumOp kernelMetadata biasMetadata precision",
      "promoteDtype preferredElementType",
    );
    super();
    const {
      rngs,
      biasShape = null,
      dtype,
      paramDtype = "float32",
      kernelInit = lecunNormal(),
      biasInit = zeros,
    } = options;
    this.einsumStr = checkedEquation(einsumStr);
    this.kernelShape = kernelShape;
    this.biasShape = biasShape;
    this.dtype = dtype;
    this.paramDtype = paramDtype;
    this.precision = checkedPrecision("Einsum", options.precision);
    this.promoteDtype = options.promoteDtype;
    this.preferredElementType = options.preferredElementType;
    this.einsumOp = options.einsumOp;
    this.kernel = makeParam(kernelInit, rngs.params(), kernelShape, paramDtype, options.kernelMetadata);
    this.bias =
      biasShape === null ? null : makeParam(biasInit, rngs.params(), biasShape, paramDtype, options.biasMetadata);
  }

  /** x as the equation's first operand → its result. Another equation may be given for one call. */
  call(x: TensorLike, einsumStr = this.einsumStr): Tensor {
    const equation = checkedEquation(einsumStr);
    const bias = this.bias === null ? undefined : readValue(this.bias);
    const operands = [asTensor(x, "Einsum"), readValue(this.kernel), bias] as const;
    const [input, kernel, offset] = (this.promoteDtype ?? promoteDtype)(operands, this.dtype);
    const how = generalOptions(this);
    const y = this.einsumOp?.(equation, input, kernel, how) ?? einsum(equation, input, kernel, how);
    return offset === undefined ? y : add(y, reshape(offset, biasBroadcast(equation, this.kernelShape, y.ndim)));
  }
}

function checkedEquation(equation: string): string {
  const text = equation.replaceAll(" ", "");
  if (!text.includes("->")) throw new ArgumentError(`Einsum: the equation "${equation}" needs "->" and a result`);
  const operands = text.split("->")[0]?.split(",").length ?? 0;
  if (operands !== 2)
    throw new ArgumentError(
      `Einsum: the equation "${equation}" must have two operands, the input and the kernel, has ${operands}`,
    );
  return text;
}

/** The bias's shape among the result's axes: the kernel's extents where its letters and its ellipsis stand, else 1. */
function biasBroadcast(equation: string, kernelShape: Shape, ndim: number): number[] {
  const [operands = "", result = ""] = equation.split("->");
  const [head = "", tail] = (operands.split(",")[1] ?? "").split("...");
  const last = kernelShape.length - (tail ?? "").length;
  const extents = new Map<string, number>();
  [...head].forEach((letter, k) => extents.set(letter, kernelShape[k] ?? 1));
  [...(tail ?? "")].forEach((letter, k) => extents.set(letter, kernelShape[last + k] ?? 1));
  const [before = "", after] = result.split("...");
  const named = (text: string): number[] => [...text].map((letter) => extents.get(letter) ?? 1);
  const own = tail === undefined || after === undefined ? [] : kernelShape.slice(head.length, last);
  const missing = ndim - before.length - (after ?? "").length - own.length;
  return [...named(before), ...Array.from({ length: missing }, () => 1), ...own, ...named(after ?? "")];
}
