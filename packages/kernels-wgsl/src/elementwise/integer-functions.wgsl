// Elementwise functions on i32 and u32 with XLA's rules where WGSL has others: division by zero,
// the most negative number, shift counts of 32 and more. Add, sub, mul, and, or, xor, not and comparisons
// wrap and compare alike in both, and are here for callers that know ops by name only.

//#default
alias I = i32;
alias U = u32;
alias B = bool;
//#end

fn op_add_i(x: I, y: I) -> I { return x + y; }
fn op_add_u(x: U, y: U) -> U { return x + y; }
fn op_sub_i(x: I, y: I) -> I { return x - y; }
fn op_sub_u(x: U, y: U) -> U { return x - y; }
fn op_mul_i(x: I, y: I) -> I { return x * y; }
fn op_mul_u(x: U, y: U) -> U { return x * y; }
fn op_square_i(x: I) -> I { return x * x; }
fn op_square_u(x: U) -> U { return x * x; }
fn op_neg_i(x: I) -> I { return -x; }
fn op_neg_u(x: U) -> U { return U(0u) - x; }
fn op_abs_i(x: I) -> I { return abs(x); }
fn op_abs_u(x: U) -> U { return x; }
fn op_sign_i(x: I) -> I { return sign(x); }
fn op_sign_u(x: U) -> U { return min(x, U(1u)); }
fn op_max_i(x: I, y: I) -> I { return max(x, y); }
fn op_max_u(x: U, y: U) -> U { return max(x, y); }
fn op_min_i(x: I, y: I) -> I { return min(x, y); }
fn op_min_u(x: U, y: U) -> U { return min(x, y); }
fn op_clamp_i(lo: I, x: I, hi: I) -> I { return min(max(x, lo), hi); }
fn op_clamp_u(lo: U, x: U, hi: U) -> U { return min(max(x, lo), hi); }

// Towards zero; x / 0 = -1.
fn op_div_i(x: I, y: I) -> I { return select(x / y, I(-1), y == I(0)); }

// x / 0 = 4294967295.
fn op_div_u(x: U, y: U) -> U { return select(x / y, U(0xffffffffu), y == U(0u)); }

// Sign of the dividend; x rem 0 = x.
fn op_rem_i(x: I, y: I) -> I { return select(x % y, x, y == I(0)); }
fn op_rem_u(x: U, y: U) -> U { return select(x % y, x, y == U(0u)); }

// jnp.remainder: sign of the divisor; x mod 0 = 0.
fn op_mod_i(x: I, y: I) -> I {
  let r = x % y;
  return select(r, r + y, (r != I(0)) & ((r < I(0)) != (y < I(0))));
}

fn op_mod_u(x: U, y: U) -> U { return x % y; }

// jnp.floor_divide: one below the truncated quotient where the signs differ and a rest remains.
fn op_floor_divide_i(x: I, y: I) -> I {
  let q = op_div_i(x, y);
  let down = (sign(x) != sign(y)) & (op_rem_i(x, y) != I(0));
  return select(q, q - I(1), down);
}

fn op_floor_divide_u(x: U, y: U) -> U { return op_div_u(x, y); }

// Counts of 32 and more, and negative ones, shift everything out.
fn op_shift_left_i(x: I, y: I) -> I {
  return select(I(0), x << (bitcast<U>(y) & U(31u)), bitcast<U>(y) < U(32u));
}

fn op_shift_left_u(x: U, y: U) -> U { return select(U(0u), x << (y & U(31u)), y < U(32u)); }

fn op_shift_right_logical_i(x: I, y: I) -> I {
  let s = bitcast<U>(x) >> (bitcast<U>(y) & U(31u));
  return select(I(0), bitcast<I>(s), bitcast<U>(y) < U(32u));
}

fn op_shift_right_logical_u(x: U, y: U) -> U { return select(U(0u), x >> (y & U(31u)), y < U(32u)); }

fn op_shift_right_arithmetic_i(x: I, y: I) -> I { return x >> min(bitcast<U>(y), U(31u)); }

// On unsigned numbers the top bit is spread all the same, as in XLA.
fn op_shift_right_arithmetic_u(x: U, y: U) -> U {
  return bitcast<U>(bitcast<I>(x) >> min(y, U(31u)));
}

fn op_and_i(x: I, y: I) -> I { return x & y; }
fn op_and_u(x: U, y: U) -> U { return x & y; }
fn op_and_b(x: B, y: B) -> B { return x & y; }
fn op_or_i(x: I, y: I) -> I { return x | y; }
fn op_or_u(x: U, y: U) -> U { return x | y; }
fn op_or_b(x: B, y: B) -> B { return x | y; }
fn op_xor_i(x: I, y: I) -> I { return x ^ y; }
fn op_xor_u(x: U, y: U) -> U { return x ^ y; }
fn op_xor_b(x: B, y: B) -> B { return x != y; }
fn op_not_i(x: I) -> I { return ~x; }
fn op_not_u(x: U) -> U { return ~x; }
fn op_not_b(x: B) -> B { return !x; }
fn op_population_count_i(x: I) -> I { return countOneBits(x); }
fn op_population_count_u(x: U) -> U { return countOneBits(x); }
fn op_clz_i(x: I) -> I { return countLeadingZeros(x); }
fn op_clz_u(x: U) -> U { return countLeadingZeros(x); }

fn op_eq_i(x: I, y: I) -> B { return x == y; }
fn op_eq_u(x: U, y: U) -> B { return x == y; }
fn op_eq_b(x: B, y: B) -> B { return x == y; }
fn op_ne_i(x: I, y: I) -> B { return x != y; }
fn op_ne_u(x: U, y: U) -> B { return x != y; }
fn op_ne_b(x: B, y: B) -> B { return x != y; }
fn op_lt_i(x: I, y: I) -> B { return x < y; }
fn op_lt_u(x: U, y: U) -> B { return x < y; }
fn op_le_i(x: I, y: I) -> B { return x <= y; }
fn op_le_u(x: U, y: U) -> B { return x <= y; }
fn op_gt_i(x: I, y: I) -> B { return x > y; }
fn op_gt_u(x: U, y: U) -> B { return x > y; }
fn op_ge_i(x: I, y: I) -> B { return x >= y; }
fn op_ge_u(x: U, y: U) -> B { return x >= y; }

// x to the power y by squaring, wrapping; all 32 bits of y count, so negative powers are meaningless (JAX rejects them).
fn op_pow_u(x: U, y: U) -> U {
  var result = U(1u);
  var base = x;
  for (var k = 0u; k < 16u; k++) {
    let low = select(U(1u), base, ((y >> U(2u * k)) & U(1u)) != U(0u));
    base = base * base;
    let high = select(U(1u), base, ((y >> U(2u * k + 1u)) & U(1u)) != U(0u));
    base = base * base;
    result = result * low * high;
  }
  return result;
}

fn op_pow_i(x: I, y: I) -> I { return bitcast<I>(op_pow_u(bitcast<U>(x), bitcast<U>(y))); }

// Euclid's steps, 48 of them: 32 bits need at most 46.
fn gcd_step(a: U, b: U) -> U { return select(a % max(b, U(1u)), a, b == U(0u)); }

fn op_gcd_u(x: U, y: U) -> U {
  var a = x;
  var b = y;
  for (var k = 0u; k < 12u; k++) {
    a = gcd_step(a, b);
    b = gcd_step(b, a);
    a = gcd_step(a, b);
    b = gcd_step(b, a);
  }
  return max(a, b);
}

// The upper 32 bits of the product of 64, from halves of 16.
fn op_mulhi_u(x: U, y: U) -> U {
  let low = U(0xffffu);
  let first = (x >> U(16u)) * (y & low) + (((x & low) * (y & low)) >> U(16u));
  let second = (x & low) * (y >> U(16u)) + (first & low);
  return (x >> U(16u)) * (y >> U(16u)) + (first >> U(16u)) + (second >> U(16u));
}

// A negative factor, taken as unsigned, counts the other 2^32 times too much.
fn op_mulhi_i(x: I, y: I) -> I {
  let whole = bitcast<I>(op_mulhi_u(bitcast<U>(x), bitcast<U>(y)));
  return whole - select(I(0), y, x < I(0)) - select(I(0), x, y < I(0));
}
