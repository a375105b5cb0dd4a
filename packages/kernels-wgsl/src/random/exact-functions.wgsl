// From random bits to numbers of the distributions that are made of log, log1p and erf_inv, with the bits that XLA gives
// on the CPU. Function names op_*_from_bits are the samplers of jax.random.
// XLA fuses a b + c there; WGSL's fma may round twice, and does on both software adapters, so `exact_fma` makes up for it:
// the product's low half by Dekker's splitting, the sum's by Knuth's two-sum. zero is 0, and comes from a uniform:
// a compiler that knew it would fold (s - a) into b. For finite numbers far from overflow and from subnormals.
//#use ../elementwise/bits-functions.wgsl
//#use sampling-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

fn exact_hide(x: F, zero: U) -> F { return bitcast<F>(bitcast<U>(x) ^ zero); }

// a b - p for p = a b rounded.
fn exact_low(a: F, b: F, p: F) -> F {
  let ah = head_of(a);
  let bh = head_of(b);
  return ((ah * bh - p) + ah * (b - bh) + (a - ah) * bh) + (a - ah) * (b - bh);
}

// a b + c, rounded once.
fn exact_fma(a: F, b: F, c: F, zero: U) -> F {
  let p = a * b;
  let s = exact_hide(p + c, zero);
  let t = exact_hide(s - p, zero);
  return s + (((p - (s - t)) + (c - t)) + exact_low(a, b, p));
}

// The same for |c| >= |a b|, with b in two parts, head and tail: a step of Horner's scheme. The product of both heads is exact,
// and so is what its sum with c lost; the rest of the product need not be.
fn exact_step(a: F, b: F, bh: F, bl: F, c: F, zero: U) -> F {
  let ah = head_of(a);
  let p = ah * bh;
  let s = exact_hide(p + c, zero);
  return s + ((p - exact_hide(s - c, zero)) + (ah * bl + (a - ah) * b));
}

// a / b, rounded once: drivers multiply by a reciprocal.
fn exact_div(a: F, b: F, zero: U) -> F {
  let r = 1.0 / b;
  let q = exact_hide(a * r, zero);
  let qh = head_of(q);
  let bh = head_of(b);
  return q + ((a - qh * bh) - (qh * (b - bh) + (q - qh) * b)) * r;
}

// ln x, XLA's polynomial: x = 2^e m with m in [sqrt(1/2), sqrt 2). Where a factor is a power of two, or e, nothing is lost.
fn exact_log(x: F, zero: U) -> F {
  let bits = max(bitcast<I>(x), I(0x00800000));
  let half = bitcast<F>((bitcast<U>(bits) & U(0x007fffffu)) | U(0x3f000000u));
  let low = half < F(0.707106769);
  let e = F((bits >> U(23u)) - I(126)) - select(F(0.0), F(1.0), low);
  let r = select(half - 1.0, (half - 1.0) + half, low);
  let r2 = r * r;
  let r3 = r2 * r;
  let a = exact_fma(exact_fma(r, F(0.0703768358), F(-0.115146101), zero), r, F(0.116769984), zero);
  let b = exact_fma(exact_fma(r, F(-0.124201410), F(0.142493233), zero), r, F(-0.166680574), zero);
  let c = exact_fma(exact_fma(r, F(0.200007141), F(-0.249999940), zero), r, F(0.333333313), zero);
  let y = exact_fma(exact_fma(a, r3, b, zero), r3, c, zero);
  let z = (r - 0.5 * r2) + exact_fma(y, r3, e * -2.12194442e-4, zero);
  let finite = e * 0.693359375 + z;
  let isnan = op_isnan(x);
  let special = select(not_a_number(), x, isnan | (bitcast<U>(x) == U(0x7f800000u)));
  let positive = select(finite, special, bitcast<U>(x) >= U(0x7f800000u));
  return select(positive, from_bits(U(0xff800000u)), size_bits(x) < U(0x00800000u));
}

// ln(1 + x), a rational function near 0.
fn exact_log1p(y: F, zero: U) -> F {
  let x = exact_hide(y, zero);
  var d = x + 15.0629091;
  d = exact_fma(d, x, F(83.0475693), zero);
  d = exact_fma(d, x, F(221.762405), zero);
  d = exact_fma(d, x, F(309.098724), zero);
  d = exact_fma(d, x, F(216.427887), zero);
  d = exact_fma(d, x, F(60.1186600), zero);
  var n = exact_fma(F(4.527e-5), x, F(0.498541027), zero);
  n = exact_fma(n, x, F(6.57873249), zero);
  n = exact_fma(n, x, F(29.9119186), zero);
  n = exact_fma(n, x, F(60.9496689), zero);
  n = exact_fma(n, x, F(57.1129646), zero);
  n = exact_fma(n, x, F(20.0395527), zero);
  let x2 = x * x;
  let near = x + (exact_hide((x * x2) * exact_div(n, d, zero), zero) - exact_hide(0.5 * x2, zero));
  return select(exact_log(1.0 + x, zero), near, abs(x) < F(0.414213568));
}

// -ln(1 - x^2) for normal numbers. Exact where an error would show: of the 2^23 numbers there are, those that come out
// otherwise than JAX's do so by one or two units in the last place; docs/random.md counts them.
fn normal_log(x: F, zero: U) -> F {
  let y = exact_hide(-(x * x), zero);
  let yh = head_of(y);
  let yl = y - yh;
  var d = exact_step(y + 15.0629091, y, yh, yl, F(83.0475693), zero);
  d = exact_step(d, y, yh, yl, F(221.762405), zero);
  d = exact_step(d, y, yh, yl, F(309.098724), zero);
  d = exact_step(d, y, yh, yl, F(216.427887), zero);
  d = exact_fma(d, y, F(60.1186600), zero);
  var n = exact_step(fma(F(4.527e-5), y, F(0.498541027)), y, yh, yl, F(6.57873249), zero);
  n = exact_step(n, y, yh, yl, F(29.9119186), zero);
  n = exact_step(n, y, yh, yl, F(60.9496689), zero);
  n = exact_step(n, y, yh, yl, F(57.1129646), zero);
  n = exact_fma(n, y, F(20.0395527), zero);
  let y2 = y * y;
  let near = y + (exact_hide((y * y2) * exact_div(n, d, zero), zero) - exact_hide(0.5 * y2, zero));
  // The exponent by a conversion: SwiftShader shifts lane by lane.
  let z = 1.0 + y;
  let half = bitcast<F>((bitcast<U>(z) & U(0x007fffffu)) | U(0x3f000000u));
  let low = half < F(0.707106769);
  let e = F(bitcast<I>(z) & I(0x7f800000)) * 1.1920928955078125e-7 - select(F(126.0), F(127.0), low);
  let r = select(half - 1.0, (half - 1.0) + half, low);
  let r2 = r * r;
  let r3 = r2 * r;
  let a = fma(fma(r, F(0.0703768358), F(-0.115146101)), r, F(0.116769984));
  let b = fma(fma(r, F(-0.124201410), F(0.142493233)), r, F(-0.166680574));
  let c = fma(fma(r, F(0.200007141), F(-0.249999940)), r, F(0.333333313));
  let s = exact_hide(exact_fma(fma(fma(a, r3, b), r3, c), r3, e * -2.12194442e-4, zero), zero);
  let far = e * 0.693359375 + ((r - 0.5 * r2) + s);
  return -select(far, near, y > F(-0.414213568));
}

// sqrt 2 erf_inv(x) for |x| < 1, given w = -ln(1 - x^2).
fn normal_inverse(x: F, w: F, zero: U) -> F {
  let near = w < F(5.0);
  let t = select(sqrt(w) - 3.0, w - 2.5, near);
  let th = head_of(t);
  let tl = t - th;
  var p = select(fma(F(-0.000200214257), t, F(0.000100950558)), fma(F(2.81022636e-08), t, F(3.43273939e-07)), near);
  p = exact_step(p, t, th, tl, select(F(0.00134934322), F(-3.5233877e-06), near), zero);
  p = exact_step(p, t, th, tl, select(F(-0.00367342844), F(-4.39150654e-06), near), zero);
  p = exact_step(p, t, th, tl, select(F(0.00573950773), F(0.00021858087), near), zero);
  p = exact_step(p, t, th, tl, select(F(-0.0076224613), F(-0.00125372503), near), zero);
  p = exact_step(p, t, th, tl, select(F(0.00943887047), F(-0.00417768164), near), zero);
  p = exact_step(p, t, th, tl, select(F(1.00167406), F(0.246640727), near), zero);
  p = exact_fma(p, t, select(F(2.83297682), F(1.50140941), near), zero);
  return 1.4142135 * exact_hide(p * x, zero);
}

// (-1, 1), exact: uniform(minval = nextafter(-1, 0), maxval = 1), which is 2 unit - 1 + 2^-24.
fn exact_symmetric(bits: U) -> F {
  return F(I((bits & U(0xfffffe00u)) ^ U(0x80000000u))) * 4.656612873077393e-10 + 5.960464477539063e-8;
}

fn op_normal_from_bits(bits: U, zero: U) -> F {
  let x = exact_symmetric(bits);
  return normal_inverse(x, normal_log(x, zero), zero);
}

// a and b are erf(lower / sqrt 2) and erf(upper / sqrt 2). What rounding puts outside is for the caller to clip.
fn op_truncated_from_bits(bits: U, a: F, b: F, zero: U) -> F {
  let x = max(a, exact_fma(op_unit_from_bits(bits), b - a, a, zero));
  let infinite = bitcast<F>((bitcast<U>(x) & U(0x80000000u)) | U(0x7f800000u));
  return select(normal_inverse(x, normal_log(x, zero), zero), infinite, abs(x) >= F(1.0));
}

fn op_exponential_from_bits(bits: U, zero: U) -> F { return -exact_log1p(-op_unit_from_bits(bits), zero); }

fn op_laplace_from_bits(bits: U, zero: U) -> F {
  let u = exact_symmetric(bits);
  return sign(u) * exact_log1p(-abs(u), zero);
}

fn op_logistic_from_bits(bits: U, zero: U) -> F {
  let u = max(op_unit_from_bits(bits), F(1.17549435e-38));
  return exact_log(u, zero) - exact_log1p(-u, zero);
}

fn op_gumbel_from_bits(bits: U, zero: U) -> F {
  return -exact_log(-exact_log(max(op_unit_from_bits(bits), F(1.17549435e-38)), zero), zero);
}

// sqrt(-2 ln u).
fn op_rayleigh_from_bits(bits: U, zero: U) -> F { return sqrt(exact_log(op_unit_from_bits(bits), zero) * -2.0); }

// floor(ln u / ln(1 - p)) + 1, for one p of the whole draw by its reciprocal, as XLA; p = 0 and p = 1 divide by 0 and inf.
fn op_geometric_from_bits(bits: U, p: F, one_p: B, zero: U) -> F {
  let unit = op_unit_from_bits(bits);
  let log_u = exact_log(select(unit, F(1.0), unit == F(0.0)), zero);
  let log_q = exact_log1p(-p, zero);
  let part = exact_div(select(log_u, F(1.0), one_p), log_q, zero);
  let quotient = select(part, exact_hide(log_u * part, zero), one_p);
  return floor(select(log_u / log_q, quotient, (log_q < F(0.0)) & (log_q > F(-1000.0)))) + 1.0;
}
