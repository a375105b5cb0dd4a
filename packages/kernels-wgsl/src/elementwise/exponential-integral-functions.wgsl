// The exponential integrals E1, Ei and En. Polynomials are interpolated at Chebyshev's points to 2e-8; those of large x are of
// x e^x E1(x) and x e^-x Ei(x) in 1 / x.
//#use bits-functions.wgsl
//#use exponential-functions.wgsl
//#use incomplete-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// (E1(x) + ln x + gamma) / x on [0, 1].
fn exp1_near(v: F) -> F {
  let t = (v - 0.5) * 2.0;
  var p = fma(F(-5.04897103e-6), t, F(7.4326105e-5));
  p = fma(p, t, F(-0.000949672693));
  p = fma(p, t, F(0.0105412963));
  p = fma(p, t, F(-0.100745478));
  p = fma(p, t, F(0.887684168));
  return p;
}

// 1 / v from 1 to 4.
fn exp1_middle(v: F) -> F {
  let t = (v - 0.625) * 2.66666667;
  var p = fma(F(7.87687238e-6), t, F(-1.96235754e-5));
  p = fma(p, t, F(2.82956652e-5));
  p = fma(p, t, F(-7.65100114e-5));
  p = fma(p, t, F(0.000235744913));
  p = fma(p, t, F(-0.000678980542));
  p = fma(p, t, F(0.00205504278));
  p = fma(p, t, F(-0.00673247974));
  p = fma(p, t, F(0.0245572587));
  p = fma(p, t, F(-0.107010021));
  p = fma(p, t, F(0.68398076));
  return p;
}

// And beyond.
fn exp1_far(v: F) -> F {
  let t = (v - 0.125) * 8.0;
  var p = fma(F(-6.03912876e-6), t, F(1.47109911e-5));
  p = fma(p, t, F(-2.26281226e-5));
  p = fma(p, t, F(6.61173522e-5));
  p = fma(p, t, F(-0.000221585923));
  p = fma(p, t, F(0.000755010477));
  p = fma(p, t, F(-0.00292441561));
  p = fma(p, t, F(0.0136183355));
  p = fma(p, t, F(-0.0841340285));
  p = fma(p, t, F(0.898237119));
  return p;
}

// E1(x) for x >= 0.
fn exp1_of(x: F) -> F {
  let low = min(x, F(1.0));
  let near = fma(low, exp1_near(low), -0.577215665 - op_log(low));
  let v = 1.0 / max(x, F(1.0));
  let scaled = select(exp1_far(v), exp1_middle(min(v, F(1.0))), x < F(4.0));
  return select(op_exp(-x) * (v * scaled), near, x < F(1.0));
}

fn op_exp1(x: F) -> F {
  return keep_nan(select(exp1_of(x), not_a_number(), x < F(0.0)), x);
}

// (Ei(x) - ln(x / r)) / (x - r) for the root r of Ei, on [0, 3].
fn expi_near(v: F) -> F {
  let t = (v - 1.5) * 0.666666667;
  var p = fma(F(3.95385648e-6), t, F(2.88942899e-5));
  p = fma(p, t, F(0.000182122669));
  p = fma(p, t, F(0.00107685408));
  p = fma(p, t, F(0.00565036196));
  p = fma(p, t, F(0.0258148404));
  p = fma(p, t, F(0.100578663));
  p = fma(p, t, F(0.324633409));
  p = fma(p, t, F(0.836266967));
  p = fma(p, t, F(1.69253618));
  return p;
}

// And on [3, 6].
fn expi_beyond(v: F) -> F {
  let t = (v - 4.5) * 0.666666667;
  var p = fma(F(5.14214622e-5), t, F(0.000362832286));
  p = fma(p, t, F(0.00218479111));
  p = fma(p, t, F(0.012267558));
  p = fma(p, t, F(0.0603928507));
  p = fma(p, t, F(0.254268101));
  p = fma(p, t, F(0.888361973));
  p = fma(p, t, F(2.45563857));
  p = fma(p, t, F(4.94883598));
  p = fma(p, t, F(6.16406219));
  return p;
}

// 1 / v from 6 to 12.
fn expi_middle(v: F) -> F {
  let t = (v - 0.125) * 24.0;
  var p = fma(F(2.3467361e-6), t, F(5.55727175e-6));
  p = fma(p, t, F(-4.63061806e-5));
  p = fma(p, t, F(4.52387474e-5));
  p = fma(p, t, F(0.00037340076));
  p = fma(p, t, F(-0.00112702502));
  p = fma(p, t, F(-0.00335342103));
  p = fma(p, t, F(0.0101574503));
  p = fma(p, t, F(0.0909786369));
  p = fma(p, t, F(1.18184798));
  return p;
}

// To 24.
fn expi_far(v: F) -> F {
  let t = (v - 0.0625) * 48.0;
  var p = fma(F(-4.39844165e-6), t, F(-5.74494448e-6));
  p = fma(p, t, F(3.92452084e-5));
  p = fma(p, t, F(0.000268586876));
  p = fma(p, t, F(0.00194034925));
  p = fma(p, t, F(0.0283915274));
  p = fma(p, t, F(1.07234498));
  return p;
}

// And beyond.
fn expi_last(v: F) -> F {
  let t = (v - 0.0208333333) * 48.0;
  var p = fma(F(1.22392351e-6), t, F(8.54761773e-6));
  p = fma(p, t, F(7.86063616e-5));
  p = fma(p, t, F(0.00106363976));
  p = fma(p, t, F(0.0227530738));
  p = fma(p, t, F(1.02176071));
  return p;
}

// Ei(x) for 0 < x < 6: both terms have one sign, and none is lost near the root.
fn expi_low(x: F) -> F {
  let past = (x - 0.372507423) + 1.23810937e-8;
  let log = select(op_log(x * 2.68451035), op_log1p(past * 2.68451035), abs(past) < F(0.15));
  return fma(past, select(expi_beyond(x), expi_near(x), x < F(3.0)), log);
}

fn op_expi(x: F) -> F {
  let v = 1.0 / max(x, F(6.0));
  let scaled = select(select(expi_last(v), expi_far(v), x < F(24.0)), expi_middle(v), x < F(12.0));
  // By halves: e^x is infinite before Ei is.
  let half = op_exp(0.5 * x);
  let high = select(half * (half * (v * scaled)), infinity(), x > F(100.0));
  let above = select(high, expi_low(min(x, F(6.0))), x < F(6.0));
  return keep_nan(select(above, -exp1_of(-x), (x < F(0.0)) | (x == F(0.0))), x);
}

// Orders up to this come from E1 where x is small; above, the continued fraction is short there, too.
const EXPN_STEPS = 24u;

// En(x) = (e^-x - x E(n-1)(x)) / (n - 1), which loses nothing for x <= 1.
fn expn_upward(n: F, x: F, low: F) -> F {
  let power = op_exp(-x);
  var y = low;
  for (var k = 1u; k < EXPN_STEPS && any_lane(F(f32(k)) < n); k += 1u) {
    let order = F(f32(k));
    y = select(y, (power - x * y) / order, order < n);
  }
  return y;
}

// Below 1 whole n >= 0 alone.
fn op_expn(n: F, x: F) -> F {
  let whole = (n >= F(0.0)) & (floor(n) == n);
  let upward = (n <= F(24.0)) & (x <= F(1.0));
  let low = exp1_of(x);
  let power = op_exp(-x);
  let open = (x > F(0.0)) & (whole | (x > F(1.0))) & op_isfinite(n) & !is_infinity(x) & !upward & !(n == F(1.0));
  let far = power * igamma_fraction(1.0 - n, x, open);
  var y = select(far, expn_upward(select(F(1.0), n, upward & whole), x, low), upward);
  y = select(y, low, n == F(1.0));
  y = select(y, power / x, n == F(0.0));
  y = select(y, 1.0 / (n - 1.0), (x < F(1e-36)) & (n > F(1.0)));
  y = select(y, infinity(), (x == F(0.0)) & (n <= F(1.0)));
  y = select(y, F(0.0), is_infinity(x) | (power == F(0.0)));
  let none = (x < F(0.0)) | (!whole & (x <= F(1.0))) | !op_isfinite(n);
  return keep_nan(select(y, not_a_number(), none), x);
}
