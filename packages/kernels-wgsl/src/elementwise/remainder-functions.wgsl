// Elementwise functions: rem, mod and floor_divide of floats, exact however large the quotient is.
// WGSL's x % y is x - y * trunc(x / y) in floats, which loses everything once the quotient passes 2^24. Here the
// significands are divided as whole numbers, eight bits of the quotient at a time. Subnormals count as zero.
//#use bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

fn rem_sign(x: F) -> U { return bitcast<U>(x) & U(0x80000000u); }

// Eight more bits of the quotient, or as many as are left: what remains of a after b.
fn rem_step(a: U, b: U, left: U) -> U { return (a << min(left, U(8u))) % b; }

// |x| rem |y| for normal |x| >= |y|: 2^(ex - ey) mx rem my, times 2^(ey - 150).
fn rem_normal(x: U, y: U) -> F {
  let ey = y >> U(23u);
  let my = (y & U(0x7fffffu)) | U(0x800000u);
  var r = ((x & U(0x7fffffu)) | U(0x800000u)) % my;
  var left = (x >> U(23u)) - ey;
  for (var k = 0u; k < 16u; k++) {
    r = rem_step(r, my, left);
    left = left - min(left, U(8u));
    r = rem_step(r, my, left);
    left = left - min(left, U(8u));
  }
  let digits = bitcast<U>(F(r));
  let exponent = (digits >> U(23u)) + ey;
  let tiny = (r == U(0u)) | (exponent <= U(150u));
  return select(from_bits(((exponent - U(150u)) << U(23u)) | (digits & U(0x7fffffu))), F(0.0), tiny);
}

// lax.rem: the sign of x; NaN for an infinite x and for y = 0, x for an infinite y.
fn op_rem_f(x: F, y: F) -> F {
  let a = size_bits(x);
  let b = size_bits(y);
  let bad = (a >= U(0x7f800000u)) | (b > U(0x7f800000u)) | (b < U(0x00800000u));
  let whole = (a < b) | (b == U(0x7f800000u));
  let skip = bad | whole;
  let r = rem_normal(select(a, U(0x3f800000u), skip), select(b, U(0x3f800000u), skip));
  let signed = bitcast<F>(bitcast<U>(r) | rem_sign(x));
  return select(select(signed, x, whole), not_a_number(), bad);
}

// jnp.remainder: the sign of y.
fn op_mod_f(x: F, y: F) -> F {
  let r = op_rem_f(x, y);
  let turn = ((r < F(0.0)) != (y < F(0.0))) & !(r == F(0.0));
  return select(r, r + y, turn & (size_bits(r) <= U(0x7f800000u)));
}

// jnp.floor_divide: (x - x rem y) / y, one less where the signs differ and something remains, rounded; x / y for y = 0.
fn op_floor_divide_f(x: F, y: F) -> F {
  let r = op_rem_f(x, y);
  let q = (x - r) / y;
  let opposite = ((r < F(0.0)) != (y < F(0.0))) & !(r == F(0.0)) & !(y == F(0.0));
  let none = size_bits(y) < U(0x00800000u);
  let nothing = none & (size_bits(x) < U(0x00800000u));
  let lost = !none & (size_bits(r) > U(0x7f800000u));
  let nan = (size_bits(x) > U(0x7f800000u)) | (size_bits(y) > U(0x7f800000u)) | lost | nothing;
  let infinite = from_bits(U(0x7f800000u) | (rem_sign(x) ^ rem_sign(y)));
  let whole = select(round(select(q, q - 1.0, opposite)), infinite, none);
  return select(whole, not_a_number(), nan);
}
