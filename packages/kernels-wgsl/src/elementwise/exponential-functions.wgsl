// Elementwise functions: exp, exp2, expm1, log, log1p, logistic, and erfc and erf_inv, which need them.
// These are the polynomials XLA uses on the CPU, `fma` where it fuses: an adapter with a fused fma gives
// JAX's bits, another one (both software adapters) stays within a few ulp. See tests/kernels/functions.spec.ts.
// Native exp, log, tanh and pow are not used: their special values and last digits differ by adapter.
//#use bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

fn exp_negated(x: F) -> F { return bitcast<F>(bitcast<U>(x) ^ U(0x80000000u)); }

// A whole k itself, as compilers cannot know: seeing it twice, they would add up the two parts of ln 2.
fn exp_hidden(k: F) -> F { return bitcast<F>(bitcast<U>(k) & U(0xfffff000u)); }

// x within [low, 88.8], NaN kept: selects, of which SwiftShader does ten in the time of a min or max of floats.
fn exp_range(x: F, low: F) -> F {
  let c = select(x, low, x < low);
  return select(c, F(88.8), c > F(88.8));
}

// The whole number nearest to c / ln 2, up to 127.
fn exp_whole(c: F) -> F {
  let k = floor(fma(c, F(1.442695), F(0.5)));
  return select(k, F(127.0), k > F(127.0));
}

// e^x: x = k ln 2 + r, then a polynomial in r. From -87.8 on, k is at least -127.
fn op_exp(x: F) -> F {
  let c = exp_range(x, F(-87.8));
  let k = exp_whole(c);
  let r = fma(F(2.12194442e-4), exp_hidden(k), fma(F(-0.693359375), k, c));
  var p = fma(r, F(1.98756912e-4), F(1.39819994e-3));
  p = fma(p, r, F(0.00833345205));
  p = fma(p, r, F(0.0416657962));
  p = fma(p, r, F(0.166666657));
  p = fma(p, r, F(0.5));
  p = fma(p, r * r, r) + 1.0;
  return keep_nan(p * two_to(I(k)), x);
}

// As XLA does it, which is far from exact for large x.
fn op_exp2(x: F) -> F { return op_exp(x * 0.693147182); }

// e^x - 1 = 2^k (e^r - 1) + (2^k - 1).
fn op_expm1(x: F) -> F {
  let c = exp_range(x, F(-87.0));
  let k = exp_whole(c);
  let r = fma(F(2.12194442e-4), exp_hidden(k), fma(F(-0.693359375), k, c));
  var p = fma(r, F(0.00019900428), F(0.001392692));
  p = fma(p, r, F(0.008333299));
  p = fma(p, r, F(0.04166655));
  p = fma(p, r, F(0.16666667));
  p = fma(p, r, F(0.5));
  p = fma(p, r * r, r);
  let s = two_to(I(k));
  return keep_nan(select(fma(p, s, s - 1.0), x, abs(x) < F(1e-8)), x);
}

// ln x: x = 2^e m with m in [sqrt(1/2), sqrt 2).
fn op_log(x: F) -> F {
  let bits = max(bitcast<I>(x), I(0x00800000));
  let half = bitcast<F>((bitcast<U>(bits) & U(0x007fffffu)) | U(0x3f000000u));
  let low = half < F(0.707106769);
  let e = F((bits >> U(23u)) - I(126)) - select(F(0.0), F(1.0), low);
  let r = select(half - 1.0, (half - 1.0) + half, low);
  let r2 = r * r;
  let r3 = r2 * r;
  let a = fma(fma(r, F(0.0703768358), F(-0.115146101)), r, F(0.116769984));
  let b = fma(fma(r, F(-0.124201410), F(0.142493233)), r, F(-0.166680574));
  let c = fma(fma(r, F(0.200007141), F(-0.249999940)), r, F(0.333333313));
  let y = fma(fma(a, r3, b), r3, c);
  let z = fma(F(-0.5), r2, r) + fma(y, r3, e * -2.12194442e-4);
  let finite = fma(e, F(0.693359375), z);
  let zero = size_bits(x) < U(0x00800000u);
  let special = select(not_a_number(), x, bitcast<U>(x) == U(0x7f800000u));
  let positive = select(finite, special, bitcast<U>(x) >= U(0x7f800000u));
  return select(positive, from_bits(U(0xff800000u)), zero);
}

// ln(1 + x), a rational function near 0.
fn op_log1p(x: F) -> F {
  var d = x + 15.0629091;
  d = fma(d, x, F(83.0475693));
  d = fma(d, x, F(221.762405));
  d = fma(d, x, F(309.098724));
  d = fma(d, x, F(216.427887));
  d = fma(d, x, F(60.1186600));
  var n = fma(F(4.527e-5), x, F(0.498541027));
  n = fma(n, x, F(6.57873249));
  n = fma(n, x, F(29.9119186));
  n = fma(n, x, F(60.9496689));
  n = fma(n, x, F(57.1129646));
  n = fma(n, x, F(20.0395527));
  let x2 = x * x;
  let near = x + fma(x2, F(-0.5), (x * x2) * (n / d));
  return select(op_log(1.0 + x), near, abs(x) < F(0.414213568));
}

// 1 / (1 + e^-x).
fn op_logistic(x: F) -> F { return 1.0 / (1.0 + op_exp(exp_negated(x))); }

// 1 - x P(x^2) below 1.
fn erfc_near(x: F, z: F) -> F {
  var p = fma(F(7.85386146e-5), z, F(-8.01019371e-4));
  p = fma(p, z, F(0.00518832775));
  p = fma(p, z, F(-0.0268538129));
  p = fma(p, z, F(0.112835854));
  p = fma(p, z, F(-0.37612626));
  p = fma(p, z, F(1.12837911));
  return fma(exp_negated(x), p, F(1.0));
}

// Q(u) of e^(-z) / |x| Q(1 / z), for |x| < 2.
fn erfc_middle(u: F) -> F {
  var p = fma(F(0.0232682), u, F(-0.138703942));
  p = fma(p, u, F(0.368742466));
  p = fma(p, u, F(-0.582473278));
  p = fma(p, u, F(0.621000469));
  p = fma(p, u, F(-0.494451523));
  p = fma(p, u, F(0.340488));
  p = fma(p, u, F(-0.274112701));
  return fma(p, u, F(0.563825965));
}

fn erfc_far(u: F) -> F {
  var p = fma(F(-10.477664), u, F(12.9772));
  p = fma(p, u, F(-7.49551868));
  p = fma(p, u, F(2.92101908));
  p = fma(p, u, F(-1.01526523));
  p = fma(p, u, F(0.42184633));
  p = fma(p, u, F(-0.282076746));
  return fma(p, u, F(0.564189494));
}

fn op_erfc(x: F) -> F {
  let a = abs(x);
  let z = x * x;
  let u = 1.0 / z;
  let q = select(erfc_far(u), erfc_middle(u), a < F(2.0));
  let tail = select(op_exp(exp_negated(z)) * (1.0 / a) * q, F(0.0), z > F(88.7228394));
  let away = select(tail, 2.0 - tail, x < F(0.0));
  return keep_nan(select(away, erfc_near(x, z), a < F(1.0)), x);
}

// Giles' polynomials in w = -ln(1 - x^2). Better ones would be further from JAX: these are off by up to 6e-6.
fn erf_inv_near(t: F) -> F {
  var p = fma(F(2.81022636e-08), t, F(3.43273939e-07));
  p = fma(p, t, F(-3.5233877e-06));
  p = fma(p, t, F(-4.39150654e-06));
  p = fma(p, t, F(0.00021858087));
  p = fma(p, t, F(-0.00125372503));
  p = fma(p, t, F(-0.00417768164));
  p = fma(p, t, F(0.246640727));
  return fma(p, t, F(1.50140941));
}

fn erf_inv_far(t: F) -> F {
  var p = fma(F(-0.000200214257), t, F(0.000100950558));
  p = fma(p, t, F(0.00134934322));
  p = fma(p, t, F(-0.00367342844));
  p = fma(p, t, F(0.00573950773));
  p = fma(p, t, F(-0.0076224613));
  p = fma(p, t, F(0.00943887047));
  p = fma(p, t, F(1.00167406));
  return fma(p, t, F(2.83297682));
}

fn op_erf_inv(x: F) -> F {
  let w = exp_negated(op_log1p(exp_negated(x * x)));
  let p = select(erf_inv_far(sqrt(w) - 3.0), erf_inv_near(w - 2.5), w < F(5.0));
  let inside = select(p * x, op_copysign(infinity(), x), abs(x) == F(1.0));
  return select(inside, not_a_number(), (abs(x) > F(1.0)) | op_isnan(x));
}
