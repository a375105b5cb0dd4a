// Kummer's function 1F1 by its series, and its derivatives by the parameters: each term with its derivative, so that a
// parameter may be 0. Negative arguments are turned to positive ones (Kummer's transformation), whose terms do not cancel: XLA
// sums them as they are.
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
