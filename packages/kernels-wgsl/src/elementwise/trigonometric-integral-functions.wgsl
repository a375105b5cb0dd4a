// The sine and cosine integrals, by series in x^2 below 4 and from the auxiliary functions f and g beyond. Polynomials are
// interpolated at Chebyshev's points to 1e-8.
//#use bits-functions.wgsl
//#use exponential-functions.wgsl
//#use trigonometric-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// Si(x) / x, v = x^2.
fn si_near(v: F) -> F {
  let t = (v - 8.0) * 0.125;
  var p = fma(F(2.56692059e-6), t, F(-5.74469205e-5));
  p = fma(p, t, F(0.000926041932));
  p = fma(p, t, F(-0.0101808439));
  p = fma(p, t, F(0.0699543626));
  p = fma(p, t, F(-0.269986315));
  p = fma(p, t, F(0.648892421));
  return p;
}

// (Ci(x) - ln(x / r)) / (x^2 - r^2) for the first root r of Ci, v = x^2.
fn ci_near(v: F) -> F {
  let t = (v - 2.0) * 0.5;
  var p = fma(F(-4.12909561e-7), t, F(2.30196541e-5));
  p = fma(p, t, F(-0.000849658897));
  p = fma(p, t, F(0.0188882268));
  p = fma(p, t, F(-0.226312795));
  return p;
}

// x f(x), v = 1 / x^2 from 1/64 to 1/16.
fn sici_f_middle(v: F) -> F {
  let t = (v - 0.0390625) * 42.6666667;
  var p = fma(F(1.2837224e-6), t, F(-3.70003935e-6));
  p = fma(p, t, F(8.42258831e-6));
  p = fma(p, t, F(-2.90201466e-5));
  p = fma(p, t, F(0.000113765162));
  p = fma(p, t, F(-0.000509547657));
  p = fma(p, t, F(0.00294683686));
  p = fma(p, t, F(-0.0275697479));
  p = fma(p, t, F(0.941811981));
  return p;
}

fn sici_f_far(v: F) -> F {
  let t = (v - 0.0078125) * 128.0;
  var p = fma(F(-8.00634904e-7), t, F(2.20476963e-6));
  p = fma(p, t, F(-5.33575443e-6));
  p = fma(p, t, F(2.17486691e-5));
  p = fma(p, t, F(-0.000114971002));
  p = fma(p, t, F(0.000882770039));
  p = fma(p, t, F(-0.0133817373));
  p = fma(p, t, F(0.985590427));
  return p;
}

// x^2 g(x), in the same parts.
fn sici_g_middle(v: F) -> F {
  let t = (v - 0.0390625) * 42.6666667;
  var p = fma(F(-3.36735364e-6), t, F(8.79609173e-6));
  p = fma(p, t, F(-1.54623122e-5));
  p = fma(p, t, F(4.60360292e-5));
  p = fma(p, t, F(-0.000153802893));
  p = fma(p, t, F(0.000527906168));
  p = fma(p, t, F(-0.00204948624));
  p = fma(p, t, F(0.00964077243));
  p = fma(p, t, F(-0.0630636735));
  p = fma(p, t, F(0.849912769));
  return p;
}

fn sici_g_far(v: F) -> F {
  let t = (v - 0.0078125) * 128.0;
  var p = fma(F(-1.75665584e-6), t, F(3.73022782e-6));
  p = fma(p, t, F(-4.09928364e-6));
  p = fma(p, t, F(1.17610532e-5));
  p = fma(p, t, F(-4.12197871e-5));
  p = fma(p, t, F(0.000144841521));
  p = fma(p, t, F(-0.000627428879));
  p = fma(p, t, F(0.00372374832));
  p = fma(p, t, F(-0.0366144558));
  p = fma(p, t, F(0.958826955));
  return p;
}

fn sici_f(v: F) -> F { return select(sici_f_far(v), sici_f_middle(v), v > F(0.015625)); }

fn sici_g(v: F) -> F { return select(sici_g_far(v), sici_g_middle(v), v > F(0.015625)); }

fn op_si(x: F) -> F {
  // From 1e9 on it is pi / 2.
  let a = min(abs(x), F(1e9));
  let low = min(a, F(4.0));
  let r = 1.0 / max(a, F(4.0));
  let v = r * r;
  let far = 1.57079633 - r * fma(sici_f(v), op_cos(a), r * sici_g(v) * op_sin(a));
  return keep_nan(op_copysign(select(far, low * si_near(low * low), a < F(4.0)), x), x);
}

// Ci(x) / (x - r) for the second root r, on [2, 4].
fn ci_middle(v: F) -> F {
  let t = (v - 3.0) * 1.0;
  var p = fma(F(-1.90547914e-6), t, F(6.29794949e-6));
  p = fma(p, t, F(-1.94190484e-5));
  p = fma(p, t, F(6.95503039e-5));
  p = fma(p, t, F(-1.81720679e-5));
  p = fma(p, t, F(-7.88457815e-5));
  p = fma(p, t, F(-0.0100714777));
  p = fma(p, t, F(0.044134792));
  p = fma(p, t, F(0.0484353265));
  p = fma(p, t, F(-0.311389593));
  return p;
}

fn op_ci(x: F) -> F {
  let a = abs(x);
  let low = min(a, F(2.0));
  let past = (low - 0.616505504) + 1.80337638e-8;
  let log = select(op_log(low * 1.62204609), op_log1p(past * 1.62204609), abs(past) < F(0.25));
  let near = fma(past * (low + 0.616505486), ci_near(low * low), log);
  let r = 1.0 / max(a, F(4.0));
  let v = r * r;
  let far = r * (sici_f(v) * op_sin(a) - r * sici_g(v) * op_cos(a));
  let middle = ((a - 3.38418030739) - 1.15162881e-07) * ci_middle(a);
  let y = select(select(select(far, middle, a < F(4.0)), near, a < F(2.0)), F(0.0), is_infinity(a));
  return keep_nan(select(y, not_a_number(), is_infinity(-x)), x);
}
