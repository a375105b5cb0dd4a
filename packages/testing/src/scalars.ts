/** Functions of one or two numbers in float64, with JAX's results at special points: what the op table is held against. */

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

/** 2/√π ∫₀ˣ e^(−t²) dt: the Maclaurin series near 0, 1 − erfc beyond. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (Math.abs(x) > 2.5) return Math.sign(x) * (1 - erfcTail(Math.abs(x)));
  let [term, total] = [x, x];
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return TWO_OVER_SQRT_PI * total;
}

/** 1 − erf(x), by its continued fraction where it is small. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return NaN;
  return x > 2.5 ? erfcTail(x) : 1 - erf(x);
}

/** erfc(x) = e^(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))) for x > 2. */
function erfcTail(x: number): number {
  if (x === Infinity) return 0;
  let fraction = x;
  for (let k = 60; k >= 1; k--) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}

/** The x with erf(x) = y: bisection, then Newton's steps. */
export function erfInv(y: number): number {
  if (Number.isNaN(y) || Math.abs(y) > 1) return NaN;
  if (Math.abs(y) === 1) return y * Infinity;
  if (y === 0) return y;
  let [low, high] = [-6, 6];
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (erf(middle) < y) low = middle;
    else high = middle;
  }
  const x = (low + high) / 2;
  return x - (erf(x) - y) / (TWO_OVER_SQRT_PI * Math.exp(-x * x));
}

/** log |Γ(x)|: Stirling's series after moving x up to 12, the reflection formula below 1/2. */
export function lgamma(x: number): number {
  if (Math.abs(x) === Infinity) return Infinity;
  if (x < 0.5) {
    const sine = Math.abs(sinPi(x));
    return sine === 0 ? Infinity : Math.log(Math.PI) - Math.log(sine) - lgamma(1 - x);
  }
  let [y, moved] = [x, 0];
  for (; y < 12; y++) moved += Math.log(y);
  const v = 1 / (y * y);
  const tail = (1 / 12 - v * (1 / 360 - v * (1 / 1260 - v * (1 / 1680 - v / 1188)))) / y;
  return (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + tail - moved;
}

/** sin πx without losing digits to π. */
export function sinPi(x: number): number {
  const part = x - 2 * Math.round(x / 2);
  return Number.isInteger(part) ? 0 : Math.sin(Math.PI * part);
}

export function digamma(x: number): number {
  if (x <= 0 && Number.isInteger(x)) return NaN;
  if (x === -Infinity) return NaN;
  if (x < 0.5) return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x - Math.round(x)));
  let [y, moved] = [x, 0];
  for (; y < 12; y++) moved += 1 / y;
  const v = 1 / (y * y);
  return Math.log(y) - 0.5 / y - v * (1 / 12 - v * (1 / 120 - v * (1 / 252 - v * (1 / 240 - v / 132)))) - moved;
}

export function gamma(x: number): number {
  const odd = x < 0 && Number.isFinite(x) && Math.floor(x) % 2 !== 0;
  return (odd ? -1 : 1) * Math.exp(lgamma(x));
}

export function logBeta(a: number, b: number): number {
  return lgamma(a) + lgamma(b) - lgamma(a + b);
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

export function softplus(x: number): number {
  return x === Infinity ? x : Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

export function geluTanh(x: number): number {
  return x * (0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))));
}

/** To the nearest whole number, halves to even. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (!Number.isFinite(x) || rest === 0) return x;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** C's pow: 1 to any power, and anything to the power 0, is 1, NaN included; so is (−1)^±∞. */
export function pow(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (x === -1 && Math.abs(y) === Infinity) return 1;
  return x ** y;
}

export type Whole = "int32" | "uint32";

export function wrap(dtype: Whole, value: number): number {
  return dtype === "int32" ? value | 0 : value >>> 0;
}

export function multiply(dtype: Whole, x: number, y: number): number {
  return wrap(dtype, Math.imul(x, y));
}

/** lax.div: truncated; −1 (all ones) over zero; the least int32 over −1 is itself. */
export function divide(dtype: Whole, x: number, y: number): number {
  return y === 0 ? wrap(dtype, -1) : wrap(dtype, Math.trunc(x / y));
}

/** lax.rem: the sign of x; x itself over zero. */
export function rem(dtype: Whole, x: number, y: number): number {
  return y === 0 ? x : wrap(dtype, x % y);
}

/** jnp.floor_divide, as it is built from lax.div and lax.rem. */
export function floorDivide(dtype: Whole, x: number, y: number): number {
  const lower = dtype === "int32" && Math.sign(x) !== Math.sign(y) && rem(dtype, x, y) !== 0;
  return wrap(dtype, divide(dtype, x, y) - (lower ? 1 : 0));
}

/** jnp.remainder: the sign of y; 0 over zero. */
export function remainder(dtype: Whole, x: number, y: number): number {
  if (y === 0) return 0;
  const rest = rem(dtype, x, y);
  return rest !== 0 && rest < 0 !== y < 0 ? wrap(dtype, rest + y) : rest;
}

export function shiftLeft(dtype: Whole, x: number, y: number): number {
  return y >>> 0 >= 32 ? 0 : wrap(dtype, x << y);
}

/** Arithmetic for int32, with the sign beyond 31; logical for uint32. */
export function shiftRight(dtype: Whole, x: number, y: number): number {
  if (y >>> 0 >= 32) return dtype === "int32" && x < 0 ? -1 : 0;
  return dtype === "int32" ? x >> y : (x >>> y) >>> 0;
}

/** x^y by repeated multiplication, wrapping to 32 bits; negative exponents as JAX's loop over y's bits leaves them. */
export function integerPow(dtype: Whole, x: number, y: number): number {
  let [result, factor] = [1, x];
  for (let rest = y >>> 0; rest > 0; rest >>>= 1) {
    if (rest & 1) result = Math.imul(result, factor);
    factor = Math.imul(factor, factor);
  }
  return wrap(dtype, result);
}

/** As XLA converts a float: truncated and saturated; NaN gives 0. */
export function toWhole(dtype: Whole, x: number): number {
  if (Number.isNaN(x)) return 0;
  const [low, high] = dtype === "int32" ? [-2147483648, 2147483647] : [0, 4294967295];
  return Math.min(high, Math.max(low, Math.trunc(x))) + 0;
}
