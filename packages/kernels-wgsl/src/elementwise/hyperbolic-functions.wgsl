// Elementwise functions: cbrt, hypot, ldexp, frexp; and the parts of the hyperbolic functions and their inverses that
// stand around an exp, expm1, log or log1p, which the op's record calls and hands in.
//#use bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// sinh from e = expm1(|x|) and h = exp(|x| / 2).
fn sinh_from(x: F, e: F, h: F) -> F {
  let near = 0.5 * (e + e / (e + 1.0));
  let y = select(near, (0.5 * h) * h, abs(x) > F(20.0));
  return keep_nan(op_copysign(y, x), x);
}

// cosh from e = exp(|x|) and h = exp(|x| / 2).
fn cosh_from(x: F, e: F, h: F) -> F {
  let near = 0.5 * (e + 1.0 / e);
  return keep_nan(select(near, (0.5 * h) * h, abs(x) > F(20.0)), x);
}

// asinh(a) = log1p(this) for a >= 0 up to 2^30: a + a^2 / (1 + sqrt(1 + a^2)).
fn asinh_inner(x: F) -> F {
  let a = min(abs(x), F(1073741824.0));
  let square = a * a;
  return a + square / (1.0 + sqrt(1.0 + square));
}

// From log1p(asinh_inner(x)) and log(|x|).
fn asinh_from(x: F, near: F, log_size: F) -> F {
  let y = select(near, log_size + 0.693147182, abs(x) > F(1073741824.0));
  return keep_nan(op_copysign(y, x), x);
}

// acosh(x) = log1p(this) for x >= 1 up to 2^30, t = x - 1: t + sqrt(2 t + t^2).
fn acosh_inner(x: F) -> F {
  let t = min(max(x, F(1.0)), F(1073741824.0)) - 1.0;
  return t + sqrt(2.0 * t + t * t);
}

// From log1p(acosh_inner(x)) and log(x); NaN below 1.
fn acosh_from(x: F, near: F, log_size: F) -> F {
  let y = select(near, log_size + 0.693147182, x > F(1073741824.0));
  return keep_nan(select(y, not_a_number(), x < F(1.0)), x);
}

// atanh(a) = log1p(this) / 2.
fn atanh_inner(x: F) -> F {
  let a = min(abs(x), F(1.0));
  return select((2.0 * a) / (1.0 - a), infinity(), a == F(1.0));
}

// From log1p(atanh_inner(x)); NaN beyond 1.
fn atanh_from(x: F, twice: F) -> F {
  let y = op_copysign(0.5 * twice, x);
  return keep_nan(select(y, not_a_number(), abs(x) > F(1.0)), x);
}

// A third of the exponent, then two steps of Halley's; scaled by 2^60 where a cube would leave the range.
fn op_cbrt(x: F) -> F {
  let big = abs(x) > F(1e20);
  let small = abs(x) < F(1e-20);
  let a = abs(x) * select(select(F(1.0), F(1.15292150e18), small), F(8.67361738e-19), big);
  var y = bitcast<F>(bitcast<U>(a) / U(3u) + U(0x2a5119f2u));
  let first = y * y * y;
  y = y * ((first + 2.0 * a) / (2.0 * first + a));
  let second = y * y * y;
  y = y - y * ((second - a) / (2.0 * second + a));
  y = y * select(select(F(1.0), F(9.53674316e-7), small), F(1048576.0), big);
  let plain = (size_bits(x) < U(0x00800000u)) | (size_bits(x) >= U(0x7f800000u));
  return select(op_copysign(y, x), x, plain);
}

// sqrt(x^2 + y^2), the larger taken out; infinite if either is, even beside NaN.
fn op_hypot(x: F, y: F) -> F {
  let a = max(abs(x), abs(y));
  let b = min(abs(x), abs(y));
  let ratio = b / select(a, F(1.0), a == F(0.0));
  let length = keep_nan(keep_nan(select(a * sqrt(1.0 + ratio * ratio), a, a == F(0.0)), x), y);
  let infinite = (size_bits(x) == U(0x7f800000u)) | (size_bits(y) == U(0x7f800000u));
  return select(length, infinity(), infinite);
}

// 2^k for whole k in [-126, 127].

// x 2^n, in three factors that the format holds.
fn op_ldexp(x: F, n: I) -> F {
  let whole = clamp(n, I(-378), I(381));
  let a = clamp(whole, I(-126), I(127));
  let b = clamp(whole - a, I(-126), I(127));
  return x * two_to(a) * two_to(b) * two_to(whole - a - b);
}

// The significand in [1/2, 1) with x's sign; x itself if that is 0, infinite or NaN.
fn op_frexp_significand(x: F) -> F {
  let plain = (size_bits(x) < U(0x00800000u)) | (size_bits(x) >= U(0x7f800000u));
  return select(bitcast<F>((bitcast<U>(x) & U(0x807fffffu)) | U(0x3f000000u)), x, plain);
}

// The exponent that goes with it.
fn op_frexp_exponent(x: F) -> I {
  let plain = (size_bits(x) < U(0x00800000u)) | (size_bits(x) >= U(0x7f800000u));
  return select(bitcast<I>(size_bits(x) >> U(23u)) - I(126), I(0), plain);
}
