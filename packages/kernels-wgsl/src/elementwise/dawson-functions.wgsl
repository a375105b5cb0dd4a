// Dawson's integral, the scaled complementary error function and Spence's dilogarithm. Polynomials are interpolated at Chebyshev's
// points to 1e-8.
//#use bits-functions.wgsl
//#use exponential-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// D(x) / x on [0, 2], v = x^2.
fn dawsn_near(v: F) -> F {
  let t = (v - 2.0) * 0.5;
  var p = fma(F(1.22275094e-5), t, F(-6.57297542e-5));
  p = fma(p, t, F(0.000288103798));
  p = fma(p, t, F(-0.00124101537));
  p = fma(p, t, F(0.00476619896));
  p = fma(p, t, F(-0.0158937361));
  p = fma(p, t, F(0.04529465));
  p = fma(p, t, F(-0.107479304));
  p = fma(p, t, F(0.204979879));
  p = fma(p, t, F(-0.299985116));
  p = fma(p, t, F(0.319994037));
  return p;
}

// 2 x D(x), v = 1 / x^2 from 1/16 to 1/4.
fn dawsn_middle(v: F) -> F {
  let t = (v - 0.15625) * 10.6666667;
  var p = fma(F(-1.84006189e-5), t, F(-1.78807907e-5));
  p = fma(p, t, F(0.000157314855));
  p = fma(p, t, F(-0.000103680464));
  p = fma(p, t, F(-0.000298954861));
  p = fma(p, t, F(0.000703462547));
  p = fma(p, t, F(-0.000572522893));
  p = fma(p, t, F(-0.000967745866));
  p = fma(p, t, F(0.0038238512));
  p = fma(p, t, F(-0.00231753648));
  p = fma(p, t, F(-0.0128633979));
  p = fma(p, t, F(0.0111770373));
  p = fma(p, t, F(0.0950608847));
  p = fma(p, t, F(1.11159912));
  return p;
}

fn dawsn_far(v: F) -> F {
  let t = (v - 0.03125) * 32.0;
  var p = fma(F(1.40163583e-6), t, F(4.35602442e-6));
  p = fma(p, t, F(1.49624462e-5));
  p = fma(p, t, F(9.54496111e-5));
  p = fma(p, t, F(0.000953669103));
  p = fma(p, t, F(0.0172921948));
  p = fma(p, t, F(1.01642197));
  return p;
}

fn op_dawsn(x: F) -> F {
  let a = abs(x);
  let low = min(a, F(2.0));
  let r = 1.0 / max(a, F(2.0));
  let v = r * r;
  let far = 0.5 * r * select(dawsn_far(v), dawsn_middle(v), v > F(0.0625));
  return keep_nan(op_copysign(select(far, low * dawsn_near(low * low), a < F(2.0)), x), x);
}

// (1 + 2 x) e^(x^2) erfc(x), v = (x - 3.75) / (x + 3.75).
fn erfcx_of(v: F) -> F {
  let t = (v - 0.0) * 1.0;
  var p = fma(F(2.36348201e-5), t, F(-0.00022405205));
  p = fma(p, t, F(0.000325388465));
  p = fma(p, t, F(0.00167573425));
  p = fma(p, t, F(-0.0097646905));
  p = fma(p, t, F(0.0284094304));
  p = fma(p, t, F(-0.058688252));
  p = fma(p, t, F(0.0922906917));
  p = fma(p, t, F(-0.108804565));
  p = fma(p, t, F(0.0822784339));
  p = fma(p, t, F(0.00358543802));
  p = fma(p, t, F(-0.140240659));
  p = fma(p, t, F(1.23751263));
  return p;
}

fn op_erfcx(x: F) -> F {
  let a = abs(x);
  let above = erfcx_of(1.0 - 7.5 / (a + 3.75)) / fma(F(2.0), a, F(1.0));
  // e^(x^2) of the square's two parts.
  let most = min(a, F(16.0));
  let head = head_of(most);
  let power = op_exp(head * head) * op_exp((most - head) * (most + head));
  return keep_nan(select(above, 2.0 * power - above, x < F(0.0)), x);
}

// The dilogarithm of 1 - e^-w for |w| <= ln 2: the sum of Bernoulli's numbers B(n) w^(n + 1) / (n + 1)!.
fn spence_series(w: F) -> F {
  let z = w * w;
  var p = fma(z, F(-9.18577307e-8), F(4.72411186e-6));
  p = fma(p, z, F(-2.77777778e-4));
  p = fma(p, z, F(0.0277777778));
  return fma(fma(p, w, F(-0.25)), z, w);
}

// By way of 1 - x for x < 1/2, of 1 / x for x > 2.
fn op_spence(x: F) -> F {
  let large = x > F(2.0);
  let y = select(x, 1.0 / x, large);
  let log_x = op_log(x);
  let log = select(log_x, -log_x, large);
  let rest = op_log1p(-min(y, F(0.5)));
  let low = select(1.64493407 - log * rest - spence_series(-rest), F(1.64493407), y == F(0.0));
  let near = spence_series(-op_log1p(max(x, F(0.5)) - 1.0));
  let high = select(fma(-0.5 * log, log, -low), from_bits(U(0xff800000u)), is_infinity(x));
  let value = select(select(near, low, x < F(0.5)), high, large);
  return keep_nan(select(value, not_a_number(), x < F(0.0)), x);
}
