// Parts of lgamma, digamma and polygamma, by Lanczos' sum with g = 7 as XLA has it, around the log, log1p, sin and cos that
// the ops' records call and hand in. Below 1/2 the reflection formulas take over.
//#use bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// Where Lanczos' sum is taken: x - 1, or -x below 1/2.
fn gamma_shift(x: F) -> F { return select(x - 1.0, -x, x < F(0.5)); }

fn lanczos_sum(z: F) -> F {
  var sum = 1.0 + 676.520368 / (z + 1.0);
  sum = sum - 1259.13922 / (z + 2.0);
  sum = sum + 771.323429 / (z + 3.0);
  sum = sum - 176.615029 / (z + 4.0);
  sum = sum + 12.5073433 / (z + 5.0);
  sum = sum - 0.138571095 / (z + 6.0);
  sum = sum + 9.98436958e-6 / (z + 7.0);
  return sum + 1.50563274e-7 / (z + 8.0);
}

fn over_square(c: F, d: F) -> F { return (c / d) / d; }

// Minus the derivative of the sum.
fn lanczos_slope(z: F) -> F {
  var sum = over_square(F(676.520368), z + 1.0);
  sum = sum - over_square(F(1259.13922), z + 2.0);
  sum = sum + over_square(F(771.323429), z + 3.0);
  sum = sum - over_square(F(176.615029), z + 4.0);
  sum = sum + over_square(F(12.5073433), z + 5.0);
  sum = sum - over_square(F(0.138571095), z + 6.0);
  sum = sum + over_square(F(9.98436958e-6), z + 7.0);
  return sum + over_square(F(1.50563274e-7), z + 8.0);
}

// pi times the distance to the nearest whole number: where the reflection takes its sine.
fn gamma_turn(x: F) -> F {
  let size = abs(x);
  let part = size - floor(size);
  return 3.14159265 * min(part, 1.0 - part);
}

// From log1p(shift / 7.5), log(lanczos_sum(shift)) and log(sin(gamma_turn(x))).
fn lgamma_from(x: F, log_ratio: F, log_sum: F, log_sine: F) -> F {
  let z = gamma_shift(x);
  let log_t = 2.01490302 + log_ratio;
  let y = 0.918938533 + (z + 0.5 - (z + 7.5) / log_t) * log_t + log_sum;
  let infinite = log_sine < F(-3e38);
  let reflected = select(1.14472989 - log_sine - y, -log_sine, infinite);
  let value = select(y, reflected, x < F(0.5));
  let size = size_bits(x);
  return keep_nan(select(value, infinity(), size == U(0x7f800000u)), x);
}

// ln gamma(a) - ((a - 1/2) ln a - a + ln(2 pi) / 2) for a >= 8.
fn stirling_rest(a: F) -> F {
  let r = 1.0 / a;
  let z = r * r;
  return r * fma(fma(z, F(7.9365079e-4), F(-2.7777778e-3)), z, F(0.083333333));
}

// The same for digamma, with the sign that its cotangent needs.
fn digamma_turn(x: F) -> F { return 3.14159265 * (x + abs(floor(x + 0.5))); }

// From log1p(shift / 7.5) and the cotangent of digamma_turn(x).
fn digamma_from(x: F, log_ratio: F, cotangent: F) -> F {
  let z = gamma_shift(x);
  let y = 2.01490302 + log_ratio - lanczos_slope(z) / lanczos_sum(z) - 7.0 / (z + 7.5);
  let value = select(y, y - 3.14159265 * cotangent, x < F(0.5));
  let pole = (x <= F(0.0)) & (x == floor(x));
  return keep_nan(select(value, not_a_number(), pole), x);
}

// v^n for n up to 12.
fn gamma_power(v: F, n: F) -> F {
  var power = F(1.0);
  for (var k = 0u; k < 12u; k++) {
    power = power * select(F(1.0), v, F(f32(k)) < n);
  }
  return power;
}

// Sum over k of (x + k)^-(n + 1) for x > 0: eight terms, then Euler's and Maclaurin's formula with coefficients a, b, c.
fn hurwitz_sum(x: F, n: F, a: F, b: F, c: F) -> F {
  var sum = F(0.0);
  for (var k = 0u; k < 8u; k++) {
    sum = sum + gamma_power(1.0 / (x + f32(k)), n + 1.0);
  }
  let v = 1.0 / (x + 8.0);
  let v2 = v * v;
  let rest = 1.0 / n + v * (0.5 + v * (a + v2 * (b + v2 * c)));
  return sum + gamma_power(v, n) * rest;
}

// (-1)^(n + 1) n! times that sum; below 0 by reflection for n = 1, with the sine of gamma_turn(x), and NaN for larger n.
fn polygamma_from(x: F, n: F, signed_factorial: F, a: F, b: F, c: F, sine: F) -> F {
  let below = x < F(0.0);
  let sum = hurwitz_sum(select(x, 1.0 - x, below), n, a, b, c);
  let reflected = (3.14159265 / sine) * (3.14159265 / sine) - sum;
  let low = select(not_a_number(), reflected, n == F(1.0));
  return keep_nan(select(signed_factorial * sum, low, below), x);
}
