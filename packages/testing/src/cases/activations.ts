import * as t from "@jnx/tensor";
import * as r from "../reference.ts";
import { mapRow, shapedRow, type Domain, type Row } from "./rows.ts";

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
const elu = (x: number, alpha: number): number => (x > 0 ? x : alpha * Math.expm1(x));

type Scalar = (x: number) => number;
const smooth = (name: string, run: (x: t.Tensor) => t.Tensor, f: Scalar, domain: Domain = [-3, 3]): Row =>
  mapRow(name, run, 1, () => f, { tolerance: { ulp: 8, abs: 1e-6 }, differentiable: true, domains: [domain] });

const where = { shape: [3, 4], dtype: "bool" as const, values: [1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1] };

/** `f` of the elements of each row that take part. */
function partly(x: r.HostArray, part: r.HostArray, f: (own: number, kept: readonly number[]) => number, other: number) {
  return r.build(x.shape, ([i = 0, j = 0]) => {
    const kept = [0, 1, 2, 3].filter((k) => r.get(part, [i, k]) !== 0).map((k) => r.get(x, [i, k]));
    return r.get(part, [i, j]) === 0 ? other : f(r.get(x, [i, j]), kept);
  });
}

const total = (xs: readonly number[]): number => r.sum(xs.map((x) => Math.exp(x)));
const standard = (x: number, xs: readonly number[], epsilon: number): number =>
  (x - r.mean(xs)) / Math.sqrt(r.variance(xs) + epsilon);
const close = { tolerance: { ulp: 8, abs: 2e-6 }, differentiable: true };

export const activations: readonly Row[] = [
  smooth(
    "celu",
    (x) => t.celu(x, 0.7),
    (x) => Math.max(x, 0) + 0.7 * Math.expm1(Math.min(x, 0) / 0.7),
  ),
  smooth("selu", t.selu, (x) => 1.0507009873554805 * elu(x, 1.6732632423543772)),
  smooth("hardSigmoid", t.hardSigmoid, (x) => clamp(x + 3, 0, 6) / 6, [-2.9, 2.9]),
  smooth("hardSilu", t.hardSilu, (x) => (x === -Infinity ? NaN : (x * clamp(x + 3, 0, 6)) / 6), [-2.9, 2.9]),
  smooth("hardTanh", t.hardTanh, (x) => clamp(x, -1, 1), [-0.9, 0.9]),
  smooth("mish", t.mish, (x) => x * Math.tanh(softplus(x))),
  smooth(
    "squareplus",
    (x) => t.squareplus(x, 2),
    // Its square overflows as a float32.
    (x) => (x + Math.sqrt((Math.abs(x) > 1.8446743e19 ? Infinity : x * x) + 2)) / 2,
  ),
  smooth("sparsePlus", t.sparsePlus, (x) => (x <= -1 ? 0 : x >= 1 ? x : (x + 1) ** 2 / 4), [-0.9, 0.9]),
  smooth("sparseSigmoid", t.sparseSigmoid, (x) => 0.5 * clamp(x + 1, 0, 2), [-0.9, 0.9]),
  smooth("log1mexp", t.log1mexp, (x) => (x < 0.1 ? Math.log(-Math.expm1(-x)) : Math.log1p(-Math.exp(-x))), [0.1, 3]),
  shapedRow(
    "glu",
    "",
    [[3, 6]],
    (x) => t.glu(x),
    (x) => r.build([3, 3], ([i = 0, j = 0]) => r.get(x, [i, j]) * sigmoid(r.get(x, [i, j + 3]))),
    close,
  ),
  shapedRow(
    "glu",
    "axis 0",
    [[4, 3]],
    (x) => t.glu(x, { axis: 0 }),
    (x) => r.build([2, 3], ([i = 0, j = 0]) => r.get(x, [i, j]) * sigmoid(r.get(x, [i + 2, j]))),
    close,
  ),
  shapedRow(
    "logmeanexp",
    "axis 1",
    [[3, 5]],
    (x) => t.logmeanexp(x, { axis: 1 }),
    (x) => r.reduce(x, 1, false, (xs) => r.logsumexp(xs) - Math.log(xs.length)),
    close,
  ),
  shapedRow(
    "softmax",
    "of a part",
    [[3, 4], where],
    (x, part) => t.softmax(x, { where: part }),
    (x, part) => partly(x, part, (own, kept) => Math.exp(own) / total(kept), 0),
    close,
  ),
  shapedRow(
    "logSoftmax",
    "of a part",
    [[3, 4], where],
    (x, part) => t.logSoftmax(x, { where: part }),
    (x, part) => partly(x, part, (own, kept) => own - Math.log(total(kept)), -Infinity),
    { ...close, differentiable: false },
  ),
  shapedRow(
    "standardize",
    "fast",
    [[3, 8]],
    (x) => t.standardize(x),
    (x) => r.along(x, 1, (own, xs) => standard(own, xs, 1e-5)),
    { tolerance: { ulp: 8, abs: 2e-5 }, differentiable: true },
  ),
  shapedRow(
    "standardize",
    "stable, over both axes",
    [[3, 8]],
    (x) => t.standardize(x, { axis: [0, 1], algorithm: "stable", epsilon: 0.1 }),
    (x) => r.along(x, [0, 1], (own, xs) => standard(own, xs, 0.1)),
    { tolerance: { ulp: 8, abs: 2e-5 }, differentiable: true },
  ),
];
