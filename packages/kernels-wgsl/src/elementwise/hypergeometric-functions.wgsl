// Kummer's function 1F1 and Gauss' 2F1 by their series, and the derivatives by their parameters: each term with its derivative, so that
// a parameter may be 0. Negative arguments are turned to positive ones (Kummer's and Pfaff's transformations), whose terms
// do not cancel: XLA sums them as they are.
// Bounds: every loop ends when all lanes have converged; the counts keep a device from hanging.
//#use bits-functions.wgsl
//#use exponential-functions.wgsl
//#use power-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

const KUMMER_TERMS = 500u;
const GAUSS_TERMS = 5000u;
const ASYMPTOTIC_TERMS = 60u;

// From here on 1F1 is its asymptotic series.
fn kummer_is_far(y: F) -> B { return y >= F(100.0); }

// Whether a sum goes on after a term: while terms count, or grow.
fn term_counts(term: F, sum: F, ratio: F) -> B {
  return (term != F(0.0)) & ((abs(term) > F(5.9604645e-8) * abs(sum)) | (abs(ratio) >= F(1.0)));
}

// Sum of (a)_k / (b)_k y^k / k!, times `first`.
fn kummer_series(a: F, b: F, y: F, first: F, start: B) -> F {
  var term = first;
  var sum = first;
  var open = start;
  for (var k = 0u; k < KUMMER_TERMS && any_lane(open); k += 1u) {
    let n = F(f32(k));
    let ratio = (a + n) / (b + n) * (y / (n + 1.0));
    term = select(term, term * ratio, open);
    sum = select(sum, sum + term, open);
    open = open & term_counts(term, sum, ratio);
  }
  return sum;
}

// Its derivative by a times `by_a`, and that by b times `by_b`.
fn kummer_slope(a: F, b: F, y: F, first: F, by_a: F, by_b: F) -> F {
  var term = first;
  var slope = F(0.0);
  var sum = F(0.0);
  var open = !op_isnan(a + b + y);
  for (var k = 0u; k < KUMMER_TERMS && any_lane(open); k += 1u) {
    let n = F(f32(k));
    let step = y / (n + 1.0) / (b + n);
    let ratio = (a + n) * step;
    let next = term * ratio;
    slope = select(slope, slope * ratio + by_a * (term * step) - by_b * (next / (b + n)), open);
    term = select(term, next, open);
    sum = select(sum, sum + slope, open);
    // Derivatives of terms change their sign: one near 0 is not the end.
    open = open & (term_counts(slope, sum, ratio) | term_counts(term, sum, ratio));
  }
  return sum;
}

// Sum of (p)_k (q)_k / k! z^k as far as terms fall.
fn asymptotic_series(p: F, q: F, z: F, start: B) -> F {
  var term = F(1.0);
  var sum = F(1.0);
  var open = start;
  for (var k = 0u; k < ASYMPTOTIC_TERMS && any_lane(open); k += 1u) {
    let n = F(f32(k));
    let ratio = (p + n) * (q + n) * z / (n + 1.0);
    open = open & (abs(ratio) < F(1.0));
    term = select(term, term * ratio, open);
    sum = select(sum, sum + term, open);
    open = open & (abs(term) > F(5.9604645e-8));
  }
  return sum;
}

// 1F1(a; b; x); `gammas` is gamma(b) / gamma(a), of negative x gamma(b) / gamma(b - a).
fn op_hyp1f1(a: F, b: F, x: F, gammas: F) -> F {
  let negative = x < F(0.0);
  let y = abs(x);
  let p = select(a, b - a, negative);
  let far = kummer_is_far(y);
  // e^-y goes in two halves, before the sum and after it, that neither leaves the floats.
  let half = select(F(1.0), op_exp(-0.5 * y), negative);
  let near = half * kummer_series(p, b, y, half, !far & !op_isnan(a + b + x));
  let rest = asymptotic_series(b - p, 1.0 - p, 1.0 / y, far);
  let most = gammas * op_pow(y, p - b) * rest * select(op_exp(y), F(1.0), negative);
  let found = select(select(near, most, far), op_exp(x), a == b);
  let pole = select(found, infinity(), (b == F(0.0)) & (a != F(0.0)));
  return select(select(pole, F(1.0), a == F(0.0)), not_a_number(), op_isnan(a + b + x));
}

fn op_hyp1f1_by_a(a: F, b: F, x: F) -> F {
  let negative = x < F(0.0);
  let half = select(F(1.0), op_exp(-0.5 * abs(x)), negative);
  let sign = select(F(1.0), F(-1.0), negative);
  return half * kummer_slope(select(a, b - a, negative), b, abs(x), half, sign, F(0.0));
}

fn op_hyp1f1_by_b(a: F, b: F, x: F) -> F {
  let negative = x < F(0.0);
  let half = select(F(1.0), op_exp(-0.5 * abs(x)), negative);
  let both = select(F(0.0), F(1.0), negative);
  return half * kummer_slope(select(a, b - a, negative), b, abs(x), half, both, F(1.0));
}

// Sum of (a)_k (b)_k / (c)_k x^k / k!.
fn gauss_series(a: F, b: F, c: F, x: F, start: B) -> F {
  var term = F(1.0);
  var sum = F(1.0);
  var open = start;
  for (var k = 0u; k < GAUSS_TERMS && any_lane(open); k += 1u) {
    let n = F(f32(k));
    let ratio = (a + n) / (c + n) * ((b + n) / (n + 1.0)) * x;
    term = select(term, term * ratio, open);
    sum = select(sum, sum + term, open);
    open = open & term_counts(term, sum, ratio);
  }
  return sum;
}

fn gauss_slope(a: F, b: F, c: F, x: F, by_a: F, by_c: F) -> F {
  var term = F(1.0);
  var slope = F(0.0);
  var sum = F(0.0);
  var open = abs(x) < F(1.0);
  for (var k = 0u; k < GAUSS_TERMS && any_lane(open); k += 1u) {
    let n = F(f32(k));
    let step = (b + n) / (c + n) * (x / (n + 1.0));
    let ratio = (a + n) * step;
    let next = term * ratio;
    slope = select(slope, slope * ratio + by_a * (term * step) - by_c * (next / (c + n)), open);
    term = select(term, next, open);
    sum = select(sum, sum + slope, open);
    // Derivatives of terms change their sign: one near 0 is not the end.
    open = open & (term_counts(slope, sum, ratio) | term_counts(term, sum, ratio));
  }
  return select(not_a_number(), sum, abs(x) < F(1.0));
}

fn ends_series(a: F) -> B { return (a <= F(0.0)) & (a == floor(a)); }

// 2F1(a, b; c; x); `at_one` is gamma(c) gamma(c - a - b) / (gamma(c - a) gamma(c - b)).
fn op_hyp2f1(a: F, b: F, c: F, x: F, at_one: F) -> F {
  let finite = ends_series(a) | ends_series(b);
  // The parameter that ends the series, or the lesser, stays as it is.
  let swap = select(b < a, !ends_series(a), finite);
  let p = select(a, b, swap);
  let q = select(b, a, swap);
  let d = c - a - b;
  let negative = x < F(0.0);
  let turned = !negative & (d < F(0.0)) & !finite;
  let one = (x == F(1.0)) & !finite;
  let outside = (x > F(1.0)) & !finite;
  let first = select(p, c - p, turned);
  let second = select(q, c - q, negative | turned);
  let z = select(x, x / (x - 1.0), negative);
  let wrong = op_isnan(a + b + c + x);
  let sum = gauss_series(first, second, c, z, !one & !outside & !wrong);
  let power = select(F(0.0), select(d, -p, negative), negative | turned);
  let series = sum * op_pow(select(1.0 - x, F(1.0), !(negative | turned)), power);
  let found = select(select(series, at_one, one), infinity(), outside | (one & (d <= F(0.0))));
  let pole = select(found, infinity(), ends_series(c));
  let none = (x == F(0.0)) | (((a == F(0.0)) | (b == F(0.0))) & (c != F(0.0)));
  return select(select(pole, F(1.0), none), not_a_number(), wrong);
}

fn op_hyp2f1_by_a(a: F, b: F, c: F, x: F) -> F { return gauss_slope(a, b, c, x, F(1.0), F(0.0)); }
fn op_hyp2f1_by_c(a: F, b: F, c: F, x: F) -> F { return gauss_slope(a, b, c, x, F(0.0), F(1.0)); }
