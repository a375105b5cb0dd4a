// The derivative of a gamma number x by its shape a, with its place in the distribution held: -(dP/da) / (dP/dx) of the lower
// incomplete gamma function P(a, x). The series up to x = max(1, a), the continued fraction beyond, as XLA has both.
// Each gives x times the logarithmic derivative of what it sums.
// Bounds: every loop ends when all lanes have converged; the counts keep a device from hanging.
//#use ../elementwise/bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

const GAMMA_TERMS = 20000u;
const GAMMA_FRACTIONS = 2000u;

// sum of x^k / ((a + 1) ... (a + k)) and its derivative by a.
fn gamma_grad_series(a: F, x: F, start: B, slope: F) -> F {
  var r = a;
  var c = F(1.0);
  var sum = F(1.0);
  var dc = F(0.0);
  var dsum = F(0.0);
  var open = start;
  for (var term = 0u; term < GAMMA_TERMS && any_lane(open); term += 1u) {
    let next = r + 1.0;
    let dnext = dc * (x / next) - (c * x) / (next * next);
    let cnext = c * (x / next);
    r = select(r, next, open);
    dc = select(dc, dnext, open);
    dsum = select(dsum, dsum + dnext, open);
    c = select(c, cnext, open);
    sum = select(sum, sum + cnext, open);
    open = open & (abs(dnext) > F(1.1920929e-7) * abs(dsum));
  }
  return -(dsum + sum * slope) * x / a;
}

fn gamma_grad_shrink(x: F, large: B) -> F { return select(x, x * 1.1920929e-7, large); }

// The convergents p / q of the upper function's fraction, and their derivatives by a.
fn gamma_grad_fraction(a: F, x: F, start: B, slope: F) -> F {
  var y = 1.0 - a;
  var z = x + y + 1.0;
  var p2 = F(1.0);
  var q2 = x;
  var p1 = x + 1.0;
  var q1 = z * x;
  var dp2 = F(0.0);
  var dq2 = F(0.0);
  var dp1 = F(0.0);
  var dq1 = -x;
  var value = p1 / q1;
  var dvalue = (dp1 - value * dq1) / q1;
  var open = start;
  for (var n = 1u; n <= GAMMA_FRACTIONS && any_lane(open); n += 1u) {
    let c = F(f32(n));
    y += 1.0;
    z += 2.0;
    let yc = y * c;
    let p = p1 * z - p2 * yc;
    let q = q1 * z - q2 * yc;
    let dp = dp1 * z - p1 - dp2 * yc + p2 * c;
    let dq = dq1 * z - q1 - dq2 * yc + q2 * c;
    let sound = q != F(0.0);
    let found = select(value, p / q, sound);
    let dfound = select(dvalue, (dp - found * dq) / q, sound);
    let moved = select(F(1.0), abs(dfound - dvalue), sound);
    value = select(value, found, open);
    dvalue = select(dvalue, dfound, open);
    let large = abs(p) > F(8388608.0);
    p2 = gamma_grad_shrink(p1, large);
    q2 = gamma_grad_shrink(q1, large);
    dp2 = gamma_grad_shrink(dp1, large);
    dq2 = gamma_grad_shrink(dq1, large);
    p1 = gamma_grad_shrink(p, large);
    q1 = gamma_grad_shrink(q, large);
    dp1 = gamma_grad_shrink(dp, large);
    dq1 = gamma_grad_shrink(dq, large);
    open = open & (moved > F(1.1920929e-7));
  }
  return (dvalue + value * slope) * x;
}

// Whether the fraction serves, rather than the series.
fn gamma_grad_upper(a: F, x: F) -> B { return (x > F(1.0)) & (x > a); }

// From ln x, ln gamma(a), and digamma of a + 1 for the series or of a for the fraction. 0 for x = 0, NaN where x < 0 or
// a <= 0 or one of them is NaN.
fn op_random_gamma_grad(a: F, x: F, log_x: F, log_gamma: F, digamma: F) -> F {
  let number = (a > F(0.0)) & (x >= F(0.0));
  let upper = gamma_grad_upper(a, x);
  let slope = log_x - digamma;
  // Where x^a e^-x / gamma(a) is no float32, one term is enough.
  let open = number & (x > F(0.0)) & (a * log_x - x - log_gamma >= F(-88.72284));
  let low = gamma_grad_series(a, x, open & !upper, slope);
  let high = gamma_grad_fraction(a, x, open & upper, slope);
  let value = select(select(low, high, upper), F(0.0), x == F(0.0));
  return select(not_a_number(), value, number);
}
