import { op_tan, op_uniform_from_bits, op_wald } from "@jnx/kernels-wgsl";
import { bind } from "../../dispatch.ts";
import type { MapOp } from "../../op.ts";
import { checkShape, type Shape } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { composite } from "../composite.ts";
import { asTensor, type TensorLike } from "../create.ts";
import { add, div, equal, exp, less, mul, power, sqrt, square, sub, where } from "../elementwise.ts";
import { sum } from "../reduce.ts";
import { call, draw, drawing, exponentialOp, laplaceOp, logisticOp, normalOp, rayleighOp, unitOp } from "./draw.ts";
import type { KeyArray } from "./key-array.ts";
import { checkedKey, splitPair } from "./keys.ts";
import { drawShape, float, spread } from "./shapes.ts";

/** Continuous distributions that are a draw, or arithmetic with one: derivatives by their parameters follow. */

/**
 * Exponential with rate 1: −log1p(−u). Source: jax.random.exponential.
 *
 * @throws ArgumentError when k is not one key.
 * @example await random.exponential(random.key(0), [2]).toArray(); // [2.9501, 3.8434]
 */
export function exponential(k: TensorLike, shape: Shape = []): Tensor {
  return draw(exponentialOp, checkedKey("exponential", k), checkShape("random.exponential", shape));
}

/**
 * Laplace with mean 0 and scale 1: sign(u)·log1p(−|u|) of u on (−1, 1). Source: jax.random.laplace.
 *
 * @throws ArgumentError when k is not one key.
 * @example await random.laplace(random.key(0), [2]).toArray(); // [-2.257, -3.1503]
 */
export function laplace(k: TensorLike, shape: Shape = []): Tensor {
  return draw(laplaceOp, checkedKey("laplace", k), checkShape("random.laplace", shape));
}

/**
 * Logistic with mean 0 and scale 1: log(u) − log1p(−u). Source: jax.random.logistic.
 *
 * @throws ArgumentError when k is not one key.
 * @example await random.logistic(random.key(0), [2]).toArray(); // [2.8964, 3.8218]
 */
export function logistic(k: TensorLike, shape: Shape = []): Tensor {
  return draw(logisticOp, checkedKey("logistic", k), checkShape("random.logistic", shape));
}

const EPSILON = 2 ** -23;

const cauchyOp = /* @__PURE__ */ drawing("random_cauchy", "float32", ([bits = ""], _rest, context) => {
  const constant = (value: number): string => context.constant(value, "float32");
  const u = call(context, op_uniform_from_bits, bits, constant(EPSILON), constant(1));
  return call(context, op_tan, `(${constant(Math.PI)} * (${u} - 0.5))`);
});

/**
 * Cauchy with median 0 and scale 1: tan(π(u − ½)). Source: jax.random.cauchy.
 *
 * @throws ArgumentError when k is not one key.
 * @example await random.cauchy(random.key(42), [2]).toArray(); // [-0.035485, 0.63373]
 */
export function cauchy(k: TensorLike, shape: Shape = []): Tensor {
  return draw(cauchyOp, checkedKey("cauchy", k), checkShape("random.cauchy", shape));
}

/**
 * Rayleigh: scale·√(−2 log u). The shape is the scale's unless told. Source: jax.random.rayleigh.
 *
 * @throws ArgumentError when k is not one key, ShapeError when the scale does not fit the shape.
 * @example await random.rayleigh(random.key(42), 1, [2]).toArray(); // [1.1967, 0.87859]
 */
export function rayleigh(k: TensorLike, scale: TensorLike, shape?: Shape): Tensor {
  const source = checkedKey("rayleigh", k);
  const by = float(scale, "random.rayleigh");
  const full = drawShape("rayleigh", shape, by.shape);
  return composite("rayleigh", () => mul(by, draw(rayleighOp, source, full)));
}

/**
 * Weibull: scale·(−log1p(−u))^(1/concentration). Source: jax.random.weibull_min.
 *
 * @throws ArgumentError when k is not one key, ShapeError when the parameters do not fit the shape.
 * @example await random.weibullMin(random.key(42), 1, 2, [2]).toArray(); // [0.81903, 1.0671]
 */
export function weibullMin(k: TensorLike, scale: TensorLike, concentration: TensorLike, shape: Shape = []): Tensor {
  const source = checkedKey("weibullMin", k);
  const [by, kappa] = [float(scale, "random.weibullMin"), float(concentration, "random.weibullMin")];
  const checked = checkShape("random.weibullMin", shape);
  return composite("weibullMin", () => mul(power(draw(exponentialOp, source, checked), div(1, kappa)), by));
}

/**
 * Pareto with minimum 1: exp(e / b) of an exponential e. The shape is b's unless told. Source: jax.random.pareto.
 *
 * @throws ArgumentError when k is not one key, ShapeError when b does not fit the shape.
 * @example await random.pareto(random.key(42), 2, [2]).toArray(); // [1.3985, 1.7672]
 */
export function pareto(k: TensorLike, b: TensorLike, shape?: Shape): Tensor {
  const source = checkedKey("pareto", k);
  const by = float(b, "random.pareto");
  const full = drawShape("pareto", shape, by.shape);
  return composite("pareto", () => exp(div(draw(exponentialOp, source, full), by)));
}

/**
 * Lognormal: exp(σ·normal). The shape is sigma's unless told. Source: jax.random.lognormal.
 *
 * @throws ArgumentError when k is not one key, ShapeError when sigma does not fit the shape.
 * @example await random.lognormal(random.key(42), 1, [2]).toArray(); // [0.97209, 1.5954]
 */
export function lognormal(k: TensorLike, sigma: TensorLike = 1, shape?: Shape): Tensor {
  const source = checkedKey("lognormal", k);
  const by = float(sigma, "random.lognormal");
  const full = drawShape("lognormal", shape, by.shape);
  return composite("lognormal", () => exp(mul(draw(normalOp, source, full), by)));
}

/**
 * Maxwell with scale 1: the length of three normal numbers. Source: jax.random.maxwell.
 *
 * @throws ArgumentError when k is not one key.
 * @example await random.maxwell(random.key(42), [2]).toArray(); // [0.55358, 0.29329]
 */
export function maxwell(k: TensorLike, shape: Shape = []): Tensor {
  const source = checkedKey("maxwell", k);
  return drawMaxwell(source, checkShape("random.maxwell", shape));
}

function drawMaxwell(source: KeyArray, shape: Shape): Tensor {
  return composite("maxwell", () => sqrt(sum(square(draw(normalOp, source, [...shape, 3])), { axis: -1 })));
}

/** −1 or 1, from the first bit of each draw. */
export const signOp = /* @__PURE__ */ drawing(
  "random_sign",
  "float32",
  ([bits = ""]) => `select(F(-1.0), F(1.0), (${bits} & U(0x80000000u)) == U(0u))`,
);

/**
 * A Maxwell number, its sign at random, times scale plus loc. With parameters that are arrays, their shape comes after
 * the one asked for. Source: jax.random.double_sided_maxwell.
 *
 * @throws ArgumentError when k is not one key.
 * @example await random.doubleSidedMaxwell(random.key(42), 0, 1, [2]).toArray(); // [-1.381, -0.67569]
 */
export function doubleSidedMaxwell(k: TensorLike, loc: TensorLike, scale: TensorLike, shape: Shape = []): Tensor {
  const source = checkedKey("doubleSidedMaxwell", k);
  const [centre, by] = [float(loc, "random.doubleSidedMaxwell"), float(scale, "random.doubleSidedMaxwell")];
  const parameters = drawShape("doubleSidedMaxwell", undefined, centre.shape, by.shape);
  const asked = checkShape("random.doubleSidedMaxwell", shape);
  const full = [...(asked.length === 0 ? parameters : asked), ...parameters];
  return composite("doubleSidedMaxwell", () => {
    const [size, sign] = splitPair(source);
    return add(mul(mul(draw(signOp, sign, full), drawMaxwell(size, full)), by), centre);
  });
}

/**
 * Triangular on [left, right] with the given mode. The shape is the parameters' unless told.
 * Source: jax.random.triangular.
 *
 * @throws ArgumentError when k is not one key, ShapeError when the parameters do not fit the shape.
 * @example await random.triangular(random.key(42), 0, 0.5, 1, [2]).toArray(); // [0.49432, 0.59987]
 */
export function triangular(
  k: TensorLike,
  left: TensorLike,
  mode: TensorLike,
  right: TensorLike,
  shape?: Shape,
): Tensor {
  const source = checkedKey("triangular", k);
  const given = [left, mode, right].map((one) => asTensor(one, "random.triangular"));
  const full = drawShape("triangular", shape, ...given.map((x) => x.shape));
  return composite("triangular", () => {
    const [l, m, r] = given.map((one) => float(one, "random.triangular"));
    if (l === undefined || m === undefined || r === undefined) throw new Error("jnx internal error: lost a parameter");
    const u = draw(unitOp, source, full);
    const low = add(l, sqrt(mul(mul(u, sub(r, l)), sub(m, l))));
    const high = sub(r, sqrt(mul(mul(sub(1, u), sub(r, l)), sub(r, m))));
    return where(less(u, div(sub(m, l), sub(r, l))), spread(low, full), spread(high, full));
  });
}

/** Operands: a normal number, a uniform one and the mean. */
const waldOp: MapOp<undefined> = {
  kind: "map",
  name: "wald",
  infer: ([v]) => ({ shape: v?.shape ?? [], dtype: "float32", weak: false }),
  wgsl: (args, context) => call(context, op_wald, ...args),
  vjp: ({ inputs: [v, , m], output }, ct) => {
    if (v === undefined || m === undefined) return [];
    // Both roots w of m² y w = (w − m)² give dw/dm = −2 (m y w + w − m) / (m² y − 2 (w − m)).
    const y = square(v);
    const apart = sub(output, m);
    const slope = div(mul(-2, add(mul(mul(m, y), output), apart)), sub(mul(square(m), y), mul(2, apart)));
    return [undefined, undefined, where(equal(y, 0), ct, mul(ct, slope))];
  },
};

/**
 * Wald, or inverse Gaussian, with the given mean and scale 1. The shape is the mean's unless told.
 * Source: jax.random.wald.
 *
 * @throws ArgumentError when k is not one key, ShapeError when the mean does not fit the shape.
 * @example await random.wald(random.key(42), 1, [2]).toArray(); // [1.0789, 1.6188]
 */
export function wald(k: TensorLike, mean: TensorLike, shape?: Shape): Tensor {
  const source = checkedKey("wald", k);
  const m = float(mean, "random.wald");
  const full = drawShape("wald", shape, m.shape);
  return composite("wald", () => {
    const [first, second] = splitPair(source);
    const operands = [draw(normalOp, first, full), draw(unitOp, second, full), spread(m, full)];
    return bind(waldOp, operands, undefined);
  });
}
