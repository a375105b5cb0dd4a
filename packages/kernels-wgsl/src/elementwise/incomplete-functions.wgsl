// The incomplete gamma functions P(a, x) and Q(a, x), and the densities under them and under the incomplete beta function.
// Series and continued fractions are XLA's. What they are multiplied with, x^a e^-x / gamma(a) and its like, XLA takes from
// the difference of large logarithms; here it comes from small parts that keep their digits.
// Bounds: every loop ends when all lanes have converged; the counts keep a device from hanging.
//#use bits-functions.wgsl
//#use gamma-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

const INCOMPLETE_TERMS = 2000u;

// From here on Stirling's series serves.
fn gamma_is_large(a: F) -> B { return a >= F(10.0); }

// 1 / gamma(a) for 0 < a <= 20: down to [1/2, 3/2] by its recurrence, Taylor's series of 1 / gamma(1 + s) there.
fn gamma_reciprocal(a: F) -> F {
  let low = a < F(0.5);
  var t = select(a, a + 1.0, low);
  var product = F(1.0);
  for (var k = 0u; k < 20u && any_lane(t >= F(1.5)); k += 1u) {
    let down = t >= F(1.5);
    t = select(t, t - 1.0, down);
    product = select(product, product * t, down);
  }
  let s = t - 1.0;
  var p = fma(s, F(-2.0134854e-5), F(1.2805028e-4));
  p = fma(p, s, F(-2.1524167e-4));
  p = fma(p, s, F(-1.1651676e-3));
  p = fma(p, s, F(7.2189432e-3));
  p = fma(p, s, F(-9.6219715e-3));
  p = fma(p, s, F(-0.042197735));
  p = fma(p, s, F(0.16653861));
  p = fma(p, s, F(-0.042002635));
  p = fma(p, s, F(-0.65587807));
  p = fma(p, s, F(0.57721566));
  p = fma(p, s, F(1.0));
  return select(p / product, p * a, low);
}

// ln(1 + m) - m: by ln((1 + r) / (1 - r)) near 0, from `log`, which is ln(1 + m), elsewhere.
fn log1p_less(m: F, log: F) -> F {
  let r = m / (2.0 + m);
  let y = r * r;
  var p = fma(y, F(0.11764706), F(0.13333333));
  p = fma(p, y, F(0.15384615));
  p = fma(p, y, F(0.18181818));
  p = fma(p, y, F(0.22222222));
  p = fma(p, y, F(0.28571429));
  p = fma(p, y, F(0.4));
  p = fma(p, y, F(0.66666667));
  return select(log - m, r * (y * p - m), (m > F(-0.5)) & (m < F(1.0)));
}

// Half the exponent of x^a e^-x / gamma(a): of all of it, or of e^-x beside a power. `log` is that of x / a.
fn gamma_density_half(a: F, x: F, log: F) -> F {
  let far = fma(a, log1p_less((x - a) / a, log), -stirling_rest(a));
  return 0.5 * select(-x, far, gamma_is_large(a));
}

// The base of that power: past it e^-x is 0.
fn gamma_density_base(x: F) -> F { return min(x, F(200.0)); }

fn gamma_density(a: F, power: F, half: F) -> F {
  let small = power * gamma_reciprocal(min(a, F(10.0)));
  return half * (half * select(small, sqrt(a * 0.15915494), gamma_is_large(a)));
}

// sum of x^k / ((a + 1) ... (a + k)).
fn igamma_series(a: F, x: F, start: B) -> F {
  var r = a;
  var c = F(1.0);
  var sum = F(1.0);
  var open = start;
  for (var k = 0u; k < INCOMPLETE_TERMS && any_lane(open); k += 1u) {
    r += 1.0;
    c = select(c, c * (x / r), open);
    sum = select(sum, sum + c, open);
    open = open & (c > F(5.9604645e-8) * sum);
  }
  return sum;
}

// 1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - ...)), by Lentz.
fn igamma_fraction(a: F, x: F, start: B) -> F {
  var b = x + 1.0 - a;
  var c = F(1e30);
  var d = 1.0 / b;
  var h = d;
  var open = start;
  for (var k = 1u; k < INCOMPLETE_TERMS && any_lane(open); k += 1u) {
    let n = F(f32(k));
    let step = n * (a - n);
    b += 2.0;
    d = 1.0 / fma(step, d, b);
    c = b + step / c;
    let ratio = c * d;
    h = select(h, h * ratio, open);
    open = open & (abs(ratio - 1.0) > F(5.9604645e-8));
  }
  return h;
}

// P and Q from the density x^a e^-x / gamma(a): one of them is computed, the other is what it leaves of 1.
fn igamma_part(a: F, x: F, density: F, wants_upper: B) -> F {
  let upper = (x >= F(1.0)) & (x > a);
  let open = (a > F(0.0)) & (x > F(0.0)) & (density > F(0.0)) & !is_infinity(x);
  let low = density / a * igamma_series(a, x, open & !upper);
  let high = density * igamma_fraction(a, x, open & upper);
  let found = select(select(low, high, upper), F(0.0), density == F(0.0));
  let whole = select(found, 1.0 - found, upper != wants_upper);
  // All of the distribution is at 0 for a = 0, and at infinity for infinite a.
  let above = (x == F(0.0)) | (is_infinity(a) & !is_infinity(x));
  let below = (a == F(0.0)) | is_infinity(x);
  let one = select(above, below & !above, !wants_upper);
  let known = select(whole, select(F(0.0), F(1.0), one), above | below);
  let wrong = (x < F(0.0)) | (a < F(0.0)) | ((a == F(0.0)) & (x == F(0.0))) | op_isnan(a) | op_isnan(x);
  return select(known, not_a_number(), wrong);
}

fn op_igamma(a: F, x: F, density: F) -> F { return igamma_part(a, x, density, B(false)); }
fn op_igammac(a: F, x: F, density: F) -> F { return igamma_part(a, x, density, B(true)); }
