import { checkDType, isFloat, type DType } from "../../dtype.ts";
import { ArgumentError, DtypeError } from "../../errors.ts";
import { setting } from "../../config.ts";
import { checkShape, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { asTensor, type TensorLike } from "../create.ts";
import { div, erf } from "../elementwise.ts";
import { moveaxis } from "../movement.ts";
import { bits16Op, bits8Op, bitsOp, call, draw, drawing, normalOp, truncatedOp, uniformOp, unitOp } from "./draw.ts";
import { halfDType, halfNormal, halfTruncated, halfUniform, type DrawOptions } from "./halves.ts";
import { checkedKey, splitWords } from "./keys.ts";
import { as, drawShape, float, spread } from "./shapes.ts";
import { op_unit_from_bits } from "@jnx/kernels-wgsl";
import { checkOptions } from "../../options.ts";

const BITS_OPTIONS = { dtype: true } as const;
const UNIFORM_OPTIONS = { dtype: true, minval: true, maxval: true } as const;
const DRAW_OPTIONS = { dtype: true } as const;
const BERNOULLI_OPTIONS = { mode: true } as const;

export interface BitsOptions {
  /** How many bits; those of "uint64" come as pairs [high, low] of uint32. */
  readonly dtype?: "uint8" | "uint16" | "uint32" | "uint64";
}

const WIDTHS: Readonly<Record<string, number>> = { uint8: 8, uint16: 16, uint32: 32, uint64: 64 };

/**
 * Random bits, uint32 unless told; 64 of them as two words, on a new last axis. Source: jax.random.bits.
 *
 * @throws ArgumentError when k is not one key, DtypeError for another dtype than the four.
 * @example await random.bits(random.key(0), [2]).toArray(); // [4070199207, 4202968722]
 */
export function bits(k: TensorLike, shape: Shape = [], options: BitsOptions = {}): Tensor {
  checkOptions("random.bits", options, BITS_OPTIONS);
  const source = checkedKey("bits", k);
  const checked = checkShape("random.bits", shape);
  const width = WIDTHS[options.dtype ?? "uint32"];
  if (width === undefined)
    throw new DtypeError(
      `random.bits: the dtype must be one of ${Object.keys(WIDTHS).join(", ")}, received ${String(options.dtype)}`,
    );
  if (width < 64) return draw(width === 8 ? bits8Op : width === 16 ? bits16Op : bitsOp, source, checked, [], width);
  return setting("jax_threefry_partitionable")
    ? splitWords(source, checked)
    : moveaxis(draw(bitsOp, source, [2, ...checked]), 0, -1);
}

export interface UniformOptions extends DrawOptions {
  readonly minval?: TensorLike;
  readonly maxval?: TensorLike;
}

/**
 * Uniform on [minval, maxval), [0, 1) unless told: the upper bits of each draw as a fraction, 23 of them in float32.
 * Bounds broadcast against the shape; minval everywhere if maxval is not above it. Source: jax.random.uniform.
 *
 * @throws ArgumentError when k is not one key, ShapeError when the bounds do not fit the shape.
 * @example
 * await random.uniform(random.key(0), [2], { minval: -1 }).toArray(); // [0.89533, 0.95716]
 */
export function uniform(k: TensorLike, shape: Shape = [], options: UniformOptions = {}): Tensor {
  checkOptions("random.uniform", options, UNIFORM_OPTIONS);
  const source = checkedKey("uniform", k);
  const { minval = 0, maxval = 1 } = options;
  const [low, high] = [asTensor(minval, "random.uniform"), asTensor(maxval, "random.uniform")];
  const full = drawShape("uniform", shape, low.shape, high.shape);
  const half = halfDType("uniform", options);
  if (half !== undefined) return halfUniform(source, full, half, low, high);
  if (minval === 0 && maxval === 1) return draw(unitOp, source, full);
  return draw(uniformOp, source, full, [spread(low, full), spread(high, full)]);
}

/**
 * Standard normal, float32 unless told: √2 · erfInv(u) of a uniform u on (−1, 1). Source: jax.random.normal.
 *
 * @throws ArgumentError when k is not one key.
 * @example await random.normal(random.key(0), [2]).toArray(); // [1.6226, 2.0253]
 */
export function normal(k: TensorLike, shape: Shape = [], options: DrawOptions = {}): Tensor {
  checkOptions("random.normal", options, DRAW_OPTIONS);
  const [source, checked] = [checkedKey("normal", k), checkShape("random.normal", shape)];
  const half = halfDType("normal", options);
  return half === undefined ? draw(normalOp, source, checked) : halfNormal(source, checked, half);
}

/** √2 rounded to float32, as JAX divides by. */
const SQRT2 = Math.fround(Math.SQRT2);

const ERF_P = [2.29050653e-4, 3.40829091e-3, 0.0509556942, 0.185208321, 1.12837911];
const ERF_Q = [-1.17916031e-7, 2.35479656e-5, 1.01796258e-3, 0.0140704699, 0.110985048, 0.497469246, 1];

/** erf with XLA's bits; products are exact in float64, so each step rounds once. */
function hostErf(x: number): number {
  if (Math.abs(x) >= Math.fround(3.8325069)) return Math.sign(x);
  const z = Math.fround(x * x);
  const polynomial = (coefficients: readonly number[]): number =>
    coefficients.reduce((value, c) => Math.fround(value * z + Math.fround(c)), 0);
  return Math.fround(Math.fround(x * polynomial(ERF_P)) / polynomial(ERF_Q));
}

/**
 * Standard normal, float32 unless told, cut to the open interval (lower, upper). The shape is that of the bounds unless told.
 * Source: jax.random.truncated_normal.
 *
 * @throws ArgumentError when k is not one key, ShapeError when the bounds do not fit the shape.
 * @example
 * await random.truncatedNormal(random.key(0), -2, 2, [2]).toArray(); // [1.456, 1.7147]
 */
export function truncatedNormal(
  k: TensorLike,
  lower: TensorLike,
  upper: TensorLike,
  shape?: Shape,
  options: DrawOptions = {},
): Tensor {
  checkOptions("random.truncatedNormal", options, DRAW_OPTIONS);
  const source = checkedKey("truncatedNormal", k);
  const [low, high] = [float(lower, "random.truncatedNormal"), float(upper, "random.truncatedNormal")];
  const full = drawShape("truncatedNormal", shape, low.shape, high.shape);
  const half = halfDType("truncatedNormal", options);
  if (half !== undefined) return halfTruncated(source, full, half, low, high);
  const edge = (given: TensorLike, x: Tensor): Tensor =>
    spread(
      typeof given === "number"
        ? asTensor(hostErf(Math.fround(Math.fround(given) / SQRT2)), "erf")
        : erf(div(x, SQRT2)),
      full,
    );
  const operands = [spread(low, full), spread(high, full), edge(lower, low), edge(upper, high)];
  return draw(truncatedOp, source, full, operands);
}

const bernoulliOp = /* @__PURE__ */ drawing(
  "random_bernoulli",
  "bool",
  ([bits = ""], [p = ""], context) => `(${call(context, op_unit_from_bits, bits)} < ${p})`,
);

/** The second draw is worth 2⁻²³ of the first. */
const bernoulliHighOp = /* @__PURE__ */ drawing(
  "random_bernoulli_high",
  "bool",
  ([first = "", second = ""], [p = ""], context) => {
    const unit = (bits: string): string => call(context, op_unit_from_bits, bits);
    return `(${unit(second)} * ${context.constant(2 ** -23, "float32")} < ${p} - ${unit(first)})`;
  },
  "nondifferentiable",
  2,
);

export interface BernoulliOptions {
  /** "high" tells probabilities below 2⁻²³ apart, for twice the work; "low" unless told. */
  readonly mode?: "low" | "high";
}

/**
 * True with probability p: uniform < p. Source: jax.random.bernoulli.
 *
 * @throws ArgumentError when k is not one key, DtypeError when p is an array of another dtype than float32.
 * @example await random.bernoulli(random.key(0), 0.25, [4]).toArray(); // [0, 0, 0, 0]
 */
export function bernoulli(k: TensorLike, p: TensorLike = 0.5, shape?: Shape, options: BernoulliOptions = {}): Tensor {
  checkOptions("random.bernoulli", options, BERNOULLI_OPTIONS);
  const source = checkedKey("bernoulli", k);
  const { mode = "low" } = options;
  if (mode !== "low" && mode !== "high")
    throw new ArgumentError(`random.bernoulli: mode must be "low" or "high", received ${JSON.stringify(mode)}`);
  const chance = asTensor(p, "random.bernoulli");
  if (!isFloat(chance.dtype) && !chance.weak)
    throw new DtypeError(`random.bernoulli: p must be float32, received ${chance.dtype}; convert it with astype()`);
  const full = drawShape("bernoulli", shape, chance.shape);
  return draw(mode === "low" ? bernoulliOp : bernoulliHighOp, source, full, [spread(chance, full)]);
}

const rademacherOp = /* @__PURE__ */ drawing(
  "random_rademacher",
  "int32",
  ([bits = ""]) => `select(I(-1), I(1), (${bits} & U(0x80000000u)) == U(0u))`,
);

export interface RademacherOptions {
  /** Of integers or floats; int32 unless told. Unsigned ones wrap −1. */
  readonly dtype?: DType;
}

/**
 * −1 or 1, each as likely, int32 unless told. Source: jax.random.rademacher.
 *
 * @throws ArgumentError when k is not one key, DtypeError for bool.
 * @example await random.rademacher(random.key(42), [8]).toArray(); // [1, -1, -1, -1, 1, -1, 1, -1]
 */
export function rademacher(k: TensorLike, shape: Shape = [], options: RademacherOptions = {}): Tensor {
  checkOptions("random.rademacher", options, DRAW_OPTIONS);
  const { dtype = "int32" } = options;
  if (checkDType("random.rademacher", dtype) === "bool")
    throw new DtypeError("random.rademacher: the dtype must be of integers or floats, received bool");
  const source = checkedKey("rademacher", k);
  return as(draw(rademacherOp, source, checkShape("random.rademacher", shape)), dtype);
}
