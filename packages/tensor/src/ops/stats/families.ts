import type { Tensor } from "../../tensor.ts";
import type { TensorLike } from "../create.ts";
import { asFloat } from "../convert.ts";
import { asTensor } from "../create.ts";
import {
  add,
  div,
  equal,
  exp,
  greater,
  isnan,
  less,
  lessEqual,
  log,
  logicalOr,
  mul,
  sub,
  where,
} from "../elementwise.ts";

/** Distributions of one form, moved by `loc` and stretched by `scale`. */

/** A function of a distribution: of x (or of a share q), its shape parameters S, then where it lies: 0 and 1 unless given. */
type Placed<S extends readonly TensorLike[]> = (
  x: TensorLike,
  ...parameters: [...shapes: S, loc?: TensorLike, scale?: TensorLike]
) => Tensor;

/** The same at loc 0 and scale 1. */
type Standard<S extends readonly TensorLike[]> = (z: Tensor, ...shapes: S) => Tensor;

/** The functions of a continuous distribution: its density, the density's logarithm, and those of K. */
export type Distribution<S extends readonly TensorLike[], K extends string> = Readonly<
  Record<K | "logpdf" | "pdf", Placed<S>>
>;

type Parameters = [...shapes: TensorLike[]];

function built(
  count: number,
  logpdf: Standard<Parameters>,
  others: Readonly<Record<string, Standard<Parameters>>>,
): unknown {
  type Function = (x: TensorLike, ...parameters: TensorLike[]) => Tensor;
  const placedBy =
    (standard: Standard<Parameters>, finish: (y: Tensor, scale: TensorLike) => Tensor): Function =>
    (x, ...parameters) => {
      const [loc = 0, scale = 1] = parameters.slice(count);
      const y = finish(standard(div(sub(x, loc), scale), ...parameters.slice(0, count)), scale);
      return typeof scale === "number" && scale > 0 ? y : where(lessEqual(scale, 0), Number.NaN, y);
    };
  const quantile =
    (standard: Standard<Parameters>): Function =>
    (q, ...parameters) => {
      const [loc = 0, scale = 1] = parameters.slice(count);
      return add(loc, mul(scale, standard(asFloat(asTensor(q, "ppf")), ...parameters.slice(0, count))));
    };
  // Nothing that the scale does to it moves what is impossible.
  const density = placedBy(logpdf, (y, scale) => where(equal(y, -Infinity), y, sub(y, log(scale))));
  const rest = Object.entries(others).map(([name, standard]) => [
    name,
    name === "ppf" || name === "isf" ? quantile(standard) : placedBy(standard, (y) => y),
  ]);
  const pdf: Function = (...args) => exp(density(...args));
  return { ...Object.fromEntries(rest), logpdf: density, pdf };
}

/** A distribution without shape parameters. A scale that is not above 0 gives NaN. */
export function plain<K extends string>(
  logpdf: Standard<[]>,
  others: Readonly<Record<K, Standard<[]>>>,
): Distribution<[], K> {
  return built(0, logpdf, others) as Distribution<[], K>; // a function for each of the others, and the two
}

/** One with a shape parameter. */
export function shaped<K extends string>(
  logpdf: Standard<[TensorLike]>,
  others: Readonly<Record<K, Standard<[TensorLike]>>>,
): Distribution<[a: TensorLike], K> {
  // The shapes are handed on as they came: one, as the type says.
  return built(1, logpdf as Standard<Parameters>, others as never) as Distribution<[TensorLike], K>;
}

/** One with two. */
export function twiceShaped<K extends string>(
  logpdf: Standard<[TensorLike, TensorLike]>,
  others: Readonly<Record<K, Standard<[TensorLike, TensorLike]>>>,
): Distribution<[a: TensorLike, b: TensorLike], K> {
  // As above: two.
  return built(2, logpdf as Standard<Parameters>, others as never) as Distribution<[TensorLike, TensorLike], K>;
}

/** y for shares from 0 to 1, NaN elsewhere. */
export function ofShare(q: Tensor, y: Tensor): Tensor {
  return where(logicalOr(isnan(q), logicalOr(less(q, 0), greater(q, 1))), Number.NaN, y);
}

/** The functions of a distribution with one shape parameter that is neither moved nor stretched. */
export type Shape1<K extends string> = Readonly<
  Record<K | "logpdf" | "pdf", (x: TensorLike, shape: TensorLike) => Tensor>
>;

/** A density from its logarithm. */
export function density<P extends readonly unknown[]>(
  logpdf: (...parameters: P) => Tensor,
): { readonly logpdf: (...parameters: P) => Tensor; readonly pdf: (...parameters: P) => Tensor } {
  return { logpdf, pdf: (...parameters) => exp(logpdf(...parameters)) };
}
