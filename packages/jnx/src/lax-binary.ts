/** Functions of several arrays as jax.lax has them: see lax-unary.ts. */
import {
  add as addOf,
  arctan2 as arctan2Of,
  betainc as betaincOf,
  bitwiseAnd as bitwiseAndOf,
  bitwiseOr as bitwiseOrOf,
  bitwiseXor as bitwiseXorOf,
  equal as equalOf,
  greater as greaterOf,
  greaterEqual as greaterEqualOf,
  igamma as igammaOf,
  igammaGradA as igammaGradAOf,
  igammac as igammacOf,
  laxDiv as laxDivOf,
  leftShift as leftShiftOf,
  less as lessOf,
  lessEqual as lessEqualOf,
  maximum as maximumOf,
  minimum as minimumOf,
  mul as mulOf,
  mulhi as mulhiOf,
  nextafter as nextafterOf,
  notEqual as notEqualOf,
  polygamma as polygammaOf,
  power as powerOf,
  randomGammaGrad as randomGammaGradOf,
  rem as remOf,
  shiftRightArithmetic as shiftRightArithmeticOf,
  shiftRightLogical as shiftRightLogicalOf,
  sub as subOf,
  zeta as zetaOf,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import type { BinaryFunction } from "@jnx/tensor/internal";
import { strictly } from "./strictly.ts";

/**
 * x + y. Of numbers. Source: lax.add.
 * @example await lax.add(jnp.array([1]), 2).toArray(); // [3]
 */
export const add: BinaryFunction = /* @__PURE__ */ strictly("add", addOf, "number");

/**
 * The angle of the point (y, x), as atan2(x, y) has it: of x over y. Of floats. Source: lax.atan2.
 * @example await lax.atan2(jnp.array([0], { dtype: "float32" }), 1).toArray(); // [0]
 */
export const atan2: BinaryFunction = /* @__PURE__ */ strictly("atan2", arctan2Of, "float");

/**
 * The bits that both have. Of whole numbers and bools. Source: lax.bitwise_and.
 * @example await lax.bitwiseAnd(jnp.array([6]), 3).toArray(); // [2]
 */
export const bitwiseAnd: BinaryFunction = /* @__PURE__ */ strictly("bitwiseAnd", bitwiseAndOf, "bits");

/**
 * The bits that either has. Of whole numbers and bools. Source: lax.bitwise_or.
 * @example await lax.bitwiseOr(jnp.array([6]), 3).toArray(); // [7]
 */
export const bitwiseOr: BinaryFunction = /* @__PURE__ */ strictly("bitwiseOr", bitwiseOrOf, "bits");

/**
 * The bits that one of them has. Of whole numbers and bools. Source: lax.bitwise_xor.
 * @example await lax.bitwiseXor(jnp.array([6]), 3).toArray(); // [5]
 */
export const bitwiseXor: BinaryFunction = /* @__PURE__ */ strictly("bitwiseXor", bitwiseXorOf, "bits");

/**
 * x / y; of whole numbers, cut off towards zero. Of numbers. Source: lax.div.
 * @example await lax.div(jnp.array([-7]), 2).toArray(); // [-3]
 */
export const div: BinaryFunction = /* @__PURE__ */ strictly("div", laxDivOf, "number");

/**
 * x = y. Of numbers and bools. Source: lax.eq.
 * @example await lax.eq(jnp.array([1]), 2).toArray(); // [0]
 */
export const eq: BinaryFunction = /* @__PURE__ */ strictly("eq", equalOf, "any");

/**
 * x ≥ y. Of numbers and bools. Source: lax.ge.
 * @example await lax.ge(jnp.array([1]), 2).toArray(); // [0]
 */
export const ge: BinaryFunction = /* @__PURE__ */ strictly("ge", greaterEqualOf, "any");

/**
 * x > y. Of numbers and bools. Source: lax.gt.
 * @example await lax.gt(jnp.array([1]), 2).toArray(); // [0]
 */
export const gt: BinaryFunction = /* @__PURE__ */ strictly("gt", greaterOf, "any");

/**
 * x ≤ y. Of numbers and bools. Source: lax.le.
 * @example await lax.le(jnp.array([1]), 2).toArray(); // [1]
 */
export const le: BinaryFunction = /* @__PURE__ */ strictly("le", lessEqualOf, "any");

/**
 * x < y. Of numbers and bools. Source: lax.lt.
 * @example await lax.lt(jnp.array([1]), 2).toArray(); // [1]
 */
export const lt: BinaryFunction = /* @__PURE__ */ strictly("lt", lessOf, "any");

/**
 * x ≠ y. Of numbers and bools. Source: lax.ne.
 * @example await lax.ne(jnp.array([1]), 2).toArray(); // [1]
 */
export const ne: BinaryFunction = /* @__PURE__ */ strictly("ne", notEqualOf, "any");

/**
 * The regularized lower incomplete gamma function. Of floats. Source: lax.igamma.
 * @example await lax.igamma(jnp.array([1], { dtype: "float32" }), 0).toArray(); // [0]
 */
export const igamma: (x: TensorLike, y: TensorLike) => Tensor = /* @__PURE__ */ strictly("igamma", igammaOf, "float");

/**
 * 1 - igamma(a, x). Of floats. Source: lax.igammac.
 * @example await lax.igammac(jnp.array([1], { dtype: "float32" }), 0).toArray(); // [1]
 */
export const igammac: (x: TensorLike, y: TensorLike) => Tensor = /* @__PURE__ */ strictly(
  "igammac",
  igammacOf,
  "float",
);

/**
 * The derivative of igamma(a, x) by a. Of floats. Source: lax.igamma_grad_a.
 * @example await lax.igammaGradA(jnp.array([1], { dtype: "float32" }), 0).toArray(); // [0]
 */
export const igammaGradA: (x: TensorLike, y: TensorLike) => Tensor = /* @__PURE__ */ strictly(
  "igammaGradA",
  igammaGradAOf,
  "float",
);

/**
 * The larger; NaN where one is. Of numbers and bools. Source: lax.max.
 * @example await lax.max(jnp.array([1]), 2).toArray(); // [2]
 */
export const max: BinaryFunction = /* @__PURE__ */ strictly("max", maximumOf, "any");

/**
 * The smaller; NaN where one is. Of numbers and bools. Source: lax.min.
 * @example await lax.min(jnp.array([1]), 2).toArray(); // [1]
 */
export const min: BinaryFunction = /* @__PURE__ */ strictly("min", minimumOf, "any");

/**
 * x · y. Of numbers. Source: lax.mul.
 * @example await lax.mul(jnp.array([3]), 2).toArray(); // [6]
 */
export const mul: BinaryFunction = /* @__PURE__ */ strictly("mul", mulOf, "number");

/**
 * The high 32 bits of the product. Of whole numbers. Source: lax.mulhi.
 * @example await lax.mulhi(jnp.array([65536]), 65536).toArray(); // [1]
 */
export const mulhi: (x: TensorLike, y: TensorLike) => Tensor = /* @__PURE__ */ strictly("mulhi", mulhiOf, "integer");

/**
 * The float after x on the way to y. Of floats. Source: lax.nextafter.
 * @example await lax.nextafter(jnp.array([1], { dtype: "float32" }), 2).toArray(); // [1]
 */
export const nextafter: (x: TensorLike, y: TensorLike) => Tensor = /* @__PURE__ */ strictly(
  "nextafter",
  nextafterOf,
  "float",
);

/**
 * The m-th derivative of digamma. Of floats. Source: lax.polygamma.
 * @example await lax.polygamma(jnp.array([1], { dtype: "float32" }), 1).toArray(); // [1.6449]
 */
export const polygamma: (x: TensorLike, y: TensorLike) => Tensor = /* @__PURE__ */ strictly(
  "polygamma",
  polygammaOf,
  "float",
);

/**
 * x to the power y, which may be a whole number. Of floats. Source: lax.pow.
 * @example await lax.pow(jnp.array([2], { dtype: "float32" }), 3).toArray(); // [8]
 */
export const pow: (x: TensorLike, y: TensorLike) => Tensor = /* @__PURE__ */ strictly("pow", powerOf, "power");

/**
 * How a draw x of the gamma distribution moves with its parameter a. Of floats. Source: lax.random_gamma_grad.
 * @example await lax.randomGammaGrad(jnp.array([1], { dtype: "float32" }), 1).toArray(); // [1.1736]
 */
export const randomGammaGrad: (x: TensorLike, y: TensorLike) => Tensor = /* @__PURE__ */ strictly(
  "randomGammaGrad",
  randomGammaGradOf,
  "float",
);

/**
 * What the division cut off towards zero leaves: it has x's sign. Of numbers. Source: lax.rem.
 * @example await lax.rem(jnp.array([-7]), 2).toArray(); // [-1]
 */
export const rem: BinaryFunction = /* @__PURE__ */ strictly("rem", remOf, "number");

/**
 * x · 2^y, in the bits there are. Of whole numbers. Source: lax.shift_left.
 * @example await lax.shiftLeft(jnp.array([3]), 2).toArray(); // [12]
 */
export const shiftLeft: BinaryFunction = /* @__PURE__ */ strictly("shiftLeft", leftShiftOf, "integer");

/**
 * The bits moved down, with the sign's copies above. Of whole numbers. Source: lax.shift_right_arithmetic.
 * @example await lax.shiftRightArithmetic(jnp.array([-8]), 1).toArray(); // [-4]
 */
export const shiftRightArithmetic: (x: TensorLike, y: TensorLike) => Tensor = /* @__PURE__ */ strictly(
  "shiftRightArithmetic",
  shiftRightArithmeticOf,
  "integer",
);

/**
 * The bits moved down, with zeros above. Of whole numbers. Source: lax.shift_right_logical.
 * @example await lax.shiftRightLogical(jnp.array([8]), 1).toArray(); // [4]
 */
export const shiftRightLogical: (x: TensorLike, y: TensorLike) => Tensor = /* @__PURE__ */ strictly(
  "shiftRightLogical",
  shiftRightLogicalOf,
  "integer",
);

/**
 * x - y. Of numbers. Source: lax.sub.
 * @example await lax.sub(jnp.array([3]), 2).toArray(); // [1]
 */
export const sub: BinaryFunction = /* @__PURE__ */ strictly("sub", subOf, "number");

/**
 * The Hurwitz zeta function Σ (q + n)^-x. Of floats. Source: lax.zeta.
 * @example await lax.zeta(jnp.array([2], { dtype: "float32" }), 1).toArray(); // [1.6449]
 */
export const zeta: BinaryFunction = /* @__PURE__ */ strictly("zeta", zetaOf, "float");

/**
 * The regularized incomplete beta function. Of floats. Source: lax.betainc.
 * @example await lax.betainc(1, 1, jnp.array([0.25])).toArray(); // [0.25]
 */
export const betainc: (a: TensorLike, b: TensorLike, x: TensorLike) => Tensor = /* @__PURE__ */ strictly(
  "betainc",
  betaincOf,
  "float",
);
