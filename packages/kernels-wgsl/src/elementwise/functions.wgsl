// Elementwise functions, basics: rounding, min and max, comparisons, conversions.
// Each is written once for every width: F, I, U, B are f32, i32, u32, bool or the vec4 of each.
// Numbers are JAX's (XLA on the CPU): NaN propagates, conversions saturate, subnormals may count as zero.
// What adapters get wrong, and why bits are tested: NaN vanishes in max, min, clamp, sign and `!=`;
// i32(x) stops at 2147483520; `x - x` and `x * 0.0` are folded to 0 even for infinities.
//#use bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// Operators as functions, for callers that know ops by name only.
fn op_add_f(x: F, y: F) -> F { return x + y; }
// Compilers take x - x, and x + -x, for 0 even where x is infinite or NaN. A sign turned over by adding to the bits as
// an integer they do not see through (by xor they do).
fn op_sub_f(x: F, y: F) -> F { return x + op_neg_f(y); }
fn op_mul_f(x: F, y: F) -> F { return x * y; }
fn op_div_f(x: F, y: F) -> F { return x / y; }
fn op_square_f(x: F) -> F { return x * x; }
fn op_reciprocal(x: F) -> F { return 1.0 / x; }
fn op_neg_f(x: F) -> F { return bitcast<F>(bitcast<U>(x) + U(0x80000000u)); }
fn op_abs_f(x: F) -> F { return bitcast<F>(size_bits(x)); }

// -1, -0, 0, 1, or NaN.
fn op_sign_f(x: F) -> F {
  let one = op_copysign(F(1.0), x);
  return keep_nan(select(one, op_copysign(F(0.0), x), x == F(0.0)), x);
}

fn op_floor(x: F) -> F { return keep_nan(floor(x), x); }
fn op_ceil(x: F) -> F { return keep_nan(ceil(x), x); }
fn op_trunc(x: F) -> F { return keep_nan(trunc(x), x); }

// Half to even: jnp.round.
fn op_round(x: F) -> F { return keep_nan(round(x), x); }

// Half away from zero: lax.round's default.
fn op_round_away(x: F) -> F {
  let t = trunc(x);
  let away = abs(x - t) >= F(0.5);
  let big = abs(x) >= F(8388608.0);
  return keep_nan(op_copysign(select(select(t, t + sign(x), away), x, big), x), x);
}

// NaN if either is NaN; 0 is above -0. By comparisons, which cost a third of a driver's own max and min.
fn op_max_f(x: F, y: F) -> F {
  let above = (x > y) | ((x == y) & (bitcast<U>(x) == U(0u)));
  return select(select(y, x, above), x + y, op_isnan(x) | op_isnan(y));
}

fn op_min_f(x: F, y: F) -> F {
  let below = (x < y) | ((x == y) & (bitcast<U>(x) == U(0x80000000u)));
  return select(select(y, x, below), x + y, op_isnan(x) | op_isnan(y));
}

// min(max(x, lo), hi) as lax.clamp: NaN if any is NaN.
fn op_clamp_f(lo: F, x: F, hi: F) -> F { return op_min_f(op_max_f(x, lo), hi); }

// max(x, 0), NaN kept, -0 becomes 0.
fn op_relu(x: F) -> F { return select(F(0.0), x, (x > F(0.0)) | op_isnan(x)); }

// Comparisons: false when either is NaN, but for ne. `!=` alone is false for NaN on every adapter tried.
fn op_eq_f(x: F, y: F) -> B { return x == y; }
fn op_ne_f(x: F, y: F) -> B { return !(x == y); }
fn op_lt_f(x: F, y: F) -> B { return x < y; }
fn op_le_f(x: F, y: F) -> B { return x <= y; }
fn op_gt_f(x: F, y: F) -> B { return x > y; }
fn op_ge_f(x: F, y: F) -> B { return x >= y; }

fn op_select_f(c: B, x: F, y: F) -> F { return select(y, x, c); }
fn op_select_i(c: B, x: I, y: I) -> I { return select(y, x, c); }
fn op_select_u(c: B, x: U, y: U) -> U { return select(y, x, c); }

// Conversions: towards zero, saturating, NaN becomes 0.
fn op_f32_to_i32(x: F) -> I {
  let low = select(I(x), I(2147483647), x >= F(2147483648.0));
  return select(low, I(0), op_isnan(x));
}

fn op_f32_to_u32(x: F) -> U {
  let low = select(U(x), U(0xffffffffu), x >= F(4294967296.0));
  return select(low, U(0u), op_isnan(x));
}

// NaN is true.
fn op_f32_to_bool(x: F) -> B { return !(x == F(0.0)); }
fn op_i32_to_f32(x: I) -> F { return F(x); }
// In halves, whose sum rounds once: a conversion of more than 24 bits is cut off by some drivers.
fn op_u32_to_f32(x: U) -> F { return F(x >> U(16u)) * 65536.0 + F(x & U(0xffffu)); }
fn op_i32_to_u32(x: I) -> U { return bitcast<U>(x); }
fn op_u32_to_i32(x: U) -> I { return bitcast<I>(x); }
fn op_i32_to_bool(x: I) -> B { return x != I(0); }
fn op_u32_to_bool(x: U) -> B { return x != U(0u); }
fn op_bool_to_f32(x: B) -> F { return select(F(0.0), F(1.0), x); }
fn op_bool_to_i32(x: B) -> I { return select(I(0), I(1), x); }
fn op_bool_to_u32(x: B) -> U { return select(U(0u), U(1u), x); }

// The float next to x in the direction of y, one step of the bit pattern.
fn op_nextafter(x: F, y: F) -> F {
  let u = bitcast<U>(x);
  let tiny = (bitcast<U>(y) & U(0x80000000u)) | U(1u);
  let grow = (x < y) == (u < U(0x80000000u));
  let step = select(select(u - U(1u), u + U(1u), grow), tiny, (u & U(0x7fffffffu)) == U(0u));
  return keep_nan(keep_nan(select(bitcast<F>(step), y, x == y), x), y);
}
