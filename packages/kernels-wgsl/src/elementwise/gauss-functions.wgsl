// Gauss' function 2F1 and its derivatives by the parameters: each term of its series with its derivative, so that a parameter may be 0.
// Negative arguments are turned to positive ones (Pfaff's transformation), whose terms do not cancel: XLA sums them as they
// are. Near 1, where a series would not end, the hypergeometric equation is followed from 7/8 on: steps that halve the distance
// to 1, each by a Taylor series. Of a place there are then four numbers: the function, its derivative by x, and the derivatives of both by
// a times `by_a` and by c times `by_c`.
// Bounds: every loop ends when all lanes have converged; the counts keep a device from hanging.
//#use bits-functions.wgsl
//#use hypergeometric-functions.wgsl
//#use power-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

const GAUSS_TERMS = 5000u;
const TAYLOR_TERMS = 400u;
// Halvings from 1/8 down to the least float.
const TAYLOR_STEPS = 128u;

// At x, by the series: the sum of (a)_k (b)_k / (c)_k x^k / k!.
fn gauss_series(a: F, b: F, c: F, x: F, by_a: F, by_c: F, start: B) -> array<F, 4> {
  var term = F(1.0);
  var change = F(0.0);
  var sum = F(1.0);
  var rise = F(0.0);
  var varied = F(0.0);
  var rise_varied = F(0.0);
  var open = start;
  for (var k = 0u; k < GAUSS_TERMS && any_lane(open); k += 1u) {
    let n = F(f32(k));
    let step = (b + n) / (c + n) * (x / (n + 1.0));
    let ratio = (a + n) * step;
    let next = term * ratio;
    change = select(F(0.0), change * ratio + by_a * (term * step) - by_c * (next / (c + n)), open);
    term = select(F(0.0), next, open);
    sum += term;
    rise += (n + 1.0) * term;
    varied += change;
    rise_varied += (n + 1.0) * change;
    // Derivatives of terms change their sign: one near 0 is not the end.
    let most = max(abs(term), abs(change));
    open = open & (term_counts(most, sum, ratio) | term_counts((n + 1.0) * most, rise, ratio));
  }
  return array<F, 4>(sum, rise / x, varied, rise_varied / x);
}

// From 1 - left on by t. With x = x0 + t the equation x (1 - x) w'' + (c - (a + b + 1) x) w' = a b w gives the terms u_k t^k of w
// from two to the next, and so their derivatives.
fn gauss_step(old: array<F, 4>, a: F, b: F, c: F, by_a: F, by_c: F, left: F, t: F, start: B) -> array<F, 4> {
  let pace = t / (left * (1.0 - left));
  let base = c - a - b - 1.0 + (a + b + 1.0) * left;
  let base_change = by_c - by_a * (1.0 - left);
  var before = old[0];
  var term = old[1] * t;
  var before_change = old[2];
  var change = old[3] * t;
  var sum = before + term;
  var rise = term;
  var varied = before_change + change;
  var rise_varied = change;
  var open = start;
  for (var k = 0u; k < TAYLOR_TERMS && any_lane(open); k += 1u) {
    let n = F(f32(k));
    let ratio = pace / ((n + 1.0) * (n + 2.0));
    let bend = (n + 1.0) * (base + n * (2.0 * left - 1.0));
    let next = ((n + a) * (n + b) * t * before - bend * term) * ratio;
    let next_change = (n + b) * t * ((n + a) * before_change + by_a * before)
      - bend * change - (n + 1.0) * base_change * term;
    before = term;
    term = select(F(0.0), next, open);
    before_change = change;
    change = select(F(0.0), next_change * ratio, open);
    sum += term;
    rise += (n + 2.0) * term;
    varied += change;
    rise_varied += (n + 2.0) * change;
    // Of two terms: one near 0 is not the end.
    let most = max(max(abs(before), abs(term)), max(abs(before_change), abs(change)));
    open = open & (term_counts(most, sum, F(0.0)) | term_counts((n + 2.0) * most, rise, F(0.0)));
  }
  return array<F, 4>(sum, rise / t, varied, rise_varied / t);
}

// At 1 - s, for s < 1/8. (Steps from less than 7/8 on would amplify the other solution, x^(1 - c), where c is large.)
fn gauss_near_one(a: F, b: F, c: F, s: F, by_a: F, by_c: F, start: B) -> array<F, 4> {
  var at = gauss_series(a, b, c, F(0.875), by_a, by_c, start);
  var left = F(0.125);
  var far = start;
  for (var i = 0u; i < TAYLOR_STEPS && any_lane(far); i += 1u) {
    let next = max(s, 0.5 * left);
    let there = gauss_step(at, a, b, c, by_a, by_c, left, left - next, far);
    at = array<F, 4>(
      select(at[0], there[0], far),
      select(at[1], there[1], far),
      select(at[2], there[2], far),
      select(at[3], there[3], far),
    );
    left = select(left, next, far);
    far = far & (s < left);
  }
  return at;
}

fn gauss_slope(a: F, b: F, c: F, x: F, by_a: F, by_c: F) -> F {
  let known = abs(x) < F(1.0);
  let near_one = known & (x > F(0.875));
  let far = gauss_series(a, b, c, x, by_a, by_c, known & !near_one)[2];
  let near = gauss_near_one(a, b, c, 1.0 - x, by_a, by_c, near_one)[2];
  return select(not_a_number(), select(far, near, near_one), known);
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
  let inside = !one & !outside & !wrong;
  let near_one = inside & !finite & (z > F(0.875));
  let none = F(0.0);
  let far = gauss_series(first, second, c, z, none, none, inside & !near_one)[0];
  let rest = select(1.0 - x, 1.0 / (1.0 - x), negative);
  let sum = select(far, gauss_near_one(first, second, c, rest, none, none, near_one)[0], near_one);
  let power = select(F(0.0), select(d, -p, negative), negative | turned);
  let series = sum * op_pow(select(1.0 - x, F(1.0), !(negative | turned)), power);
  let found = select(select(series, at_one, one), infinity(), outside | (one & (d <= F(0.0))));
  let pole = select(found, infinity(), ends_series(c));
  let nothing = (x == F(0.0)) | (((a == F(0.0)) | (b == F(0.0))) & (c != F(0.0)));
  return select(select(pole, F(1.0), nothing), not_a_number(), wrong);
}

fn op_hyp2f1_by_a(a: F, b: F, c: F, x: F) -> F { return gauss_slope(a, b, c, x, F(1.0), F(0.0)); }
fn op_hyp2f1_by_c(a: F, b: F, c: F, x: F) -> F { return gauss_slope(a, b, c, x, F(0.0), F(1.0)); }
