/** jax.random.normal on a CPU, bit for bit: XLA's own polynomials, each step rounded once. */

const { fround } = Math;

/**
 * a b + c, rounded once: the product of two float32 numbers is exact in float64. Where the sum is rounded there to the
 * middle between two float32 numbers, what it lost decides.
 */
function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const near = fround(sum);
  const other = 2 * sum - near;
  if (near === sum || fround(other) !== other) return near;
  const back = sum - product;
  const lost = product - (sum - back) + (c - back);
  return lost !== 0 && lost > 0 === other > near ? other : near;
}

function horner(coefficients: Float32Array, x: number): number {
  let value = coefficients[0] ?? NaN;
  for (let i = 1; i < coefficients.length; i++) value = fma(value, x, coefficients[i] ?? NaN);
  return value;
}

const BELOW = Float32Array.of(1, 15.0629091, 83.0475693, 221.762405, 309.098724, 216.427887, 60.11866);
const ABOVE = Float32Array.of(4.527e-5, 0.498541027, 6.57873249, 29.9119186, 60.9496689, 57.1129646, 20.0395527);
const LOG = [
  Float32Array.of(0.0703768358, -0.115146101, 0.116769984),
  Float32Array.of(-0.12420141, 0.142493233, -0.166680574),
  Float32Array.of(0.200007141, -0.24999994, 0.333333313),
] as const;
const MIDDLE = Float32Array.of(
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
); // prettier-ignore
const TAILS = Float32Array.of(
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
); // prettier-ignore

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** ln x for normal x > 0. */
function log(x: number): number {
  float[0] = x;
  const u = word[0] ?? 0;
  let e = (u >>> 23) - 126;
  word[0] = (u & 0x7fffff) | 0x3f000000;
  const half = float[0] ?? 0;
  const low = half < fround(0.707106769);
  if (low) e--;
  const r = low ? fround(fround(half - 1) + half) : fround(half - 1);
  const r2 = fround(r * r);
  const r3 = fround(r2 * r);
  const y = fma(fma(horner(LOG[0], r), r3, horner(LOG[1], r)), r3, horner(LOG[2], r));
  const s = fma(y, r3, fround(e * fround(-2.12194442e-4)));
  return fma(e, 0.693359375, fround(fma(-0.5, r2, r) + s));
}

function log1p(x: number): number {
  if (Math.abs(x) >= fround(0.414213568)) return log(fround(1 + x));
  const x2 = fround(x * x);
  const t = fround(fround(x * x2) * fround(horner(ABOVE, x) / horner(BELOW, x)));
  return fround(x + fma(x2, -0.5, t));
}

/** The standard normal number that JAX makes of 32 random bits. */
export function normalOf(bits: number): number {
  const x = Math.max(fround((bits >>> 9) * 2 ** -22 - fround(0.99999994)), fround(-0.99999994));
  const w = -log1p(-fround(x * x));
  const p = w < 5 ? horner(MIDDLE, fround(w - 2.5)) : horner(TAILS, fround(fround(Math.sqrt(w)) - 3));
  return fround(fround(Math.SQRT2) * fround(p * x));
}
