// Elementwise functions: sin, cos, tan, good for every finite number; tanh by XLA's polynomials.
// Reduction is done in whole numbers (Payne and Hanek): the bits of 2 / pi that matter for the exponent of x
// are multiplied by its significand modulo 4, so neither size nor a missing fma costs digits.
//#use bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// A NaN may not come from a constant expression; from a call it may. NaN unless x is finite.
fn trig_finite(y: F, u: U, x: F) -> F {
  return select(bitcast<F>(u), y, op_isfinite(x));
}

// Upper half of the 64-bit product a b for a < 2^24.
fn mul_high_24(a: U, b: U) -> U {
  let low = (a & U(0xfffu)) * (b & U(0xffffu));
  let m1 = (a >> U(12u)) * (b & U(0xffffu));
  let m2 = (a & U(0xfffu)) * (b >> U(16u));
  let high = (a >> U(12u)) * (b >> U(16u));
  // a b = low + m1 2^12 + m2 2^16 + high 2^28
  let carry = (low >> U(12u)) + (m1 & U(0xfffffu)) + ((m2 & U(0xffffu)) << U(4u)) + ((high & U(0xfu)) << U(16u));
  return (carry >> U(20u)) + (m1 >> U(20u)) + (m2 >> U(16u)) + (high >> U(4u));
}

// Word number i of: 32 zero bits, then 2 / pi after the point.
fn two_over_pi(i: U) -> U {
  let a = select(U(0xa2f9836eu), U(0u), i == U(0u));
  let b = select(U(0xfc2757d1u), U(0x4e441529u), i == U(2u));
  let c = select(U(0xdb629599u), U(0xf534ddc0u), i == U(4u));
  let d = select(U(0xfe5163abu), U(0x3c439041u), i == U(6u));
  return select(select(d, c, i < U(6u)), select(b, a, i < U(2u)), i < U(4u));
}

fn funnel(high: U, low: U, shift: U) -> U {
  return (high << shift) | ((low >> U(1u)) >> (U(31u) - shift));
}

// |x| 2 / pi modulo 4 as 2 + 30 bits, and the 32 bits after them; for |x| >= 1/2.
fn turns(x: F) -> array<U, 2> {
  let u = size_bits(x);
  let start = clamp(u >> U(23u), U(126u), U(254u)) - U(120u);
  let m = (u & U(0x7fffffu)) | U(0x800000u);
  let i = start >> U(5u);
  let s = start & U(31u);
  let w1 = two_over_pi(i + U(1u));
  let w2 = two_over_pi(i + U(2u));
  let q0 = funnel(two_over_pi(i), w1, s);
  let q1 = funnel(w1, w2, s);
  let q2 = funnel(w2, two_over_pi(i + U(3u)), s);
  let low = m * q1;
  let next = low + mul_high_24(m, q2);
  let carry = select(U(0u), U(1u), next < low);
  return array<U, 2>(m * q0 + mul_high_24(m, q1) + carry, next);
}

// Quarter turns in |x|, rounded.
fn quadrant(x: F, t: array<U, 2>) -> U {
  let small = abs(x) < F(0.785398163);
  return select((t[0] + U(0x20000000u)) >> U(30u), U(0u), small);
}

// |x| less that many quarter turns, in [-pi/4, pi/4].
fn rest_of_turn(x: F, t: array<U, 2>) -> F {
  let high = funnel(t[0], t[1], U(2u));
  let flip = select(U(0u), U(0xffffffffu), high >= U(0x80000000u));
  let a = high ^ flip;
  let b = (t[1] << U(2u)) ^ flip;
  let n = countLeadingZeros(a);
  let digits = funnel(a, b, min(n, U(31u)));
  let scale = bitcast<F>((U(127u - 32u) - min(n, U(31u))) << U(23u));
  let r = F(digits) * scale * 1.57079633;
  return select(select(r, -r, flip != U(0u)), abs(x), abs(x) < F(0.785398163));
}

fn sin_poly(r: F) -> F {
  let z = r * r;
  var p = fma(z, F(2.7270823e-06), F(-0.00019840317));
  p = fma(z, p, F(0.008333333));
  p = fma(z, p, F(-0.16666667));
  return fma(r * z, p, r);
}

fn cos_poly(r: F) -> F {
  let z = r * r;
  var p = fma(z, F(-2.7298466e-07), F(2.4800582e-05));
  p = fma(z, p, F(-0.0013888888));
  p = fma(z, p, F(0.041666668));
  return fma(z * z, p, fma(z, F(-0.5), F(1.0)));
}

fn op_sin(x: F) -> F {
  let t = turns(x);
  let q = quadrant(x, t);
  let r = rest_of_turn(x, t);
  let y = select(sin_poly(r), cos_poly(r), (q & U(1u)) != U(0u));
  let sign = ((q & U(2u)) << U(30u)) ^ (bitcast<U>(x) & U(0x80000000u));
  return trig_finite(bitcast<F>(bitcast<U>(y) ^ sign), U(0x7fc00000u), x);
}

fn op_cos(x: F) -> F {
  let t = turns(x);
  let q = quadrant(x, t);
  let r = rest_of_turn(x, t);
  let y = select(cos_poly(r), sin_poly(r), (q & U(1u)) != U(0u));
  let sign = ((q + U(1u)) & U(2u)) << U(30u);
  return trig_finite(bitcast<F>(bitcast<U>(y) ^ sign), U(0x7fc00000u), x);
}

fn op_tan(x: F) -> F {
  let t = turns(x);
  let odd = (quadrant(x, t) & U(1u)) != U(0u);
  let r = rest_of_turn(x, t);
  let s = sin_poly(r);
  let c = cos_poly(r);
  let y = select(s, -c, odd) / select(c, s, odd);
  let signed = bitcast<F>(bitcast<U>(y) ^ (bitcast<U>(x) & U(0x80000000u)));
  return trig_finite(signed, U(0x7fc00000u), x);
}

// XLA's rational function below 7.9988, 1 with x's sign from there, x itself near 0; both are seen from x^2. No clamp by
// min and max: SwiftShader takes as long for one as for four fma.
fn op_tanh(x: F) -> F {
  let z = x * x;
  var p = fma(z, F(-2.76076847e-16), F(2.00018794e-13));
  p = fma(z, p, F(-8.60467184e-11));
  p = fma(z, p, F(5.12229725e-8));
  p = fma(z, p, F(1.48572235e-5));
  p = fma(z, p, F(6.37261954e-4));
  p = fma(z, p, F(4.89352457e-3));
  var q = fma(z, F(1.19825836e-6), F(1.18534706e-4));
  q = fma(z, q, F(2.26843474e-3));
  q = fma(z, q, F(4.89352504e-3));
  let end = bitcast<F>((bitcast<U>(x) & U(0x80000000u)) | U(0x3f800000u));
  return keep_nan(select(select((x * p) / q, end, z > F(63.980988)), x, z < F(1.6e-7)), x);
}
