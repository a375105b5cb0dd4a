// float16 and bfloat16 by their bits: what lies packed in memory, from and to the float32 that kernels compute with.
// Rounding is to nearest even, beyond the largest number to infinity; every NaN is one NaN, zeros keep their sign.
// WGSL's own pack2x16float leaves the rounding and what is out of range open, so bits are moved here.

//#default
alias F = f32;
alias U = u32;
alias B = bool;
//#end

fn encode_bfloat16(x: F) -> U {
  let u = bitcast<U>(x);
  let rounded = (u + U(0x7fffu) + ((u >> U(16u)) & U(1u))) >> U(16u);
  return select(rounded, U(0x7fc0u), (u & U(0x7fffffffu)) > U(0x7f800000u));
}

// Bits above the sixteen are shifted out.
fn decode_bfloat16(h: U) -> F { return bitcast<F>(h << U(16u)); }

// Below 2^-14 the unit is 2^-24; from 65520 on it is infinity.
fn encode_float16(x: F) -> U {
  let u = bitcast<U>(x);
  let size = u & U(0x7fffffffu);
  let normal = ((size + U(0xfffu) + ((size >> U(13u)) & U(1u))) >> U(13u)) - U(0x1c000u);
  let small = U(round(bitcast<F>(min(size, U(0x38800000u))) * F(16777216.0)));
  var h = select(normal, small, size < U(0x38800000u));
  h = select(h, U(0x7c00u), size >= U(0x477ff000u));
  h = select(h, U(0x7e00u), size > U(0x7f800000u));
  return h | ((u >> U(16u)) & U(0x8000u));
}

// Bits above the sixteen count for nothing.
fn decode_float16(h: U) -> F {
  let size = h & U(0x7fffu);
  let shifted = size << U(13u);
  let normal = bitcast<F>(shifted + select(U(0x38000000u), U(0x70000000u), size >= U(0x7c00u)));
  let small = F(size) * F(5.9604644775390625e-8);
  let value = select(normal, small, size < U(0x400u));
  return bitcast<F>(bitcast<U>(value) | ((h & U(0x8000u)) << U(16u)));
}

// x with fewer bits: `bias` and the bit that `tie` picks above `shift` round half to even, `keep` cuts; exponents (as bits) above
// `most` are infinite, those below `least` 0.
fn reduced_precision(x: F, shift: U, tie: U, bias: U, keep: U, least: U, most: U) -> F {
  let u = bitcast<U>(x);
  let rounded = (u + bias + ((u >> shift) & tie)) & keep;
  let exponent = rounded & U(0x7f800000u);
  var size = select(rounded & U(0x7fffffffu), U(0x7f800000u), exponent > most);
  size = select(size, U(0u), exponent < least);
  size = select(size, u & U(0x7fffffffu), (u & U(0x7fffffffu)) > U(0x7f800000u));
  return bitcast<F>((u & U(0x80000000u)) | size);
}
