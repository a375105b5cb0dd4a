/** Distribution functions in float64, for tests of samples: textbook series and continued fractions. */

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

export function logGamma(x: number): number {
  const w = x - 1;
  const sum = LANCZOS.reduce((total, c, i) => total + c / (w + i + 1), 0.9999999999998099);
  const t = w + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (w + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** The regularized lower incomplete gamma function P(a, x). */
export function gammaCdf(a: number, x: number): number {
  if (x <= 0) return 0;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let n = 1; n < 500 && term > sum * 1e-16; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return front * sum;
  }
  return (
    1 -
    front *
      continued(
        (n) => (n === 0 ? 1 : -n * (n - a)),
        (n) => x + 2 * n + 1 - a,
      )
  );
}

/** The regularized incomplete beta function I_x(a, b). */
export function betaCdf(a: number, b: number, x: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaCdf(b, a, 1 - x);
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x) - Math.log(a),
  );
  const numerator = (n: number): number => {
    if (n === 0) return 1;
    const m = n >> 1;
    if (n % 2 === 0) return (m * (b - m) * x) / ((a + n - 1) * (a + n));
    return (-(a + m) * (a + b + m) * x) / ((a + n - 1) * (a + n));
  };
  return front * continued(numerator, () => 1);
}

/** p₀ / (q₀ + p₁ / (q₁ + p₂ / …)), by Lentz's method. */
function continued(p: (n: number) => number, q: (n: number) => number): number {
  let [value, c, d] = [1e-300, 1e-300, 0];
  for (let n = 0; n < 500; n++) {
    d = 1 / (q(n) + p(n) * d);
    c = q(n) + p(n) / c;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return value;
}

export function normalCdf(x: number): number {
  const half = 0.5 * gammaCdf(0.5, 0.5 * x * x);
  return x < 0 ? 0.5 - half : 0.5 + half;
}
