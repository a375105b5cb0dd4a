// From random bits to floats with JAX's bits, for which op_fma_exact computes a b + c rounded once, in whole numbers:
// WGSL's `fma` may round twice, and does on both software adapters. Subnormals count as zero, in and out, as in XLA.

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// The words of high 2^32 + low shifted right by 0 <= n < 64; what falls out sets the last bit.
fn fma_shift_low(high: U, low: U, n: U) -> U {
  let s = n & U(31u);
  let near = (low >> s) | ((high << U(1u)) << (U(31u) - s));
  let near_lost = (low << U(1u)) << (U(31u) - s);
  let far = high >> s;
  let far_lost = low | ((high << U(1u)) << (U(31u) - s));
  let is_near = n < U(32u);
  let lost = select(far_lost, near_lost, is_near);
  return select(far, near, is_near) | min(lost, U(1u));
}

// Significand with its hidden bit; 0 for zero and subnormals.
fn fma_significand(u: U) -> U {
  return select((u & U(0x7fffffu)) | U(0x800000u), U(0u), (u & U(0x7f800000u)) == U(0u));
}

// (high 2^32 + low) 2^(e - 188) with that sign bit, rounded to nearest even.
fn fma_round(high: U, low: U, e: I, sign: U) -> F {
  let in_low = high == U(0u);
  let h = select(high, low, in_low);
  let l = select(low, U(0u), in_low);
  let n = countLeadingZeros(h) & U(31u);
  let top = (h << n) | ((l >> U(1u)) >> (U(31u) - n));
  let rest = min(l << n, U(1u));
  let kept = top >> U(8u);
  let below = (top | rest | (kept & U(1u))) & U(0x7fu);
  let up = top & U(0x80u) & (below + U(0x7fu));
  let m = kept + (up >> U(7u));
  let exponent = e + I(2) - I(n) - select(I(0), I(32), in_low) + I(m >> U(24u));
  let fraction = (m >> (m >> U(24u))) & U(0x7fffffu);
  let inside = bitcast<U>(exponent << U(23u)) | fraction;
  let large = select(inside, U(0x7f800000u), exponent >= I(255));
  let flushed = select(large, U(0u), (exponent <= I(0)) | (h == U(0u)));
  return bitcast<F>(flushed | sign);
}

fn fma_finite(u: U) -> B { return (u & U(0x7f800000u)) != U(0x7f800000u); }

fn op_fma_exact(a: F, b: F, c: F) -> F {
  let ua = bitcast<U>(a);
  let ub = bitcast<U>(b);
  let uc = bitcast<U>(c);
  let ma = fma_significand(ua);
  let mb = fma_significand(ub);
  let mc = fma_significand(uc);
  // 48-bit product in bits 15 to 62 of two words, c with the same scale: its hidden bit in bit 61.
  let p00 = (ma & U(0xfffu)) * (mb & U(0xfffu));
  let p01 = (ma & U(0xfffu)) * (mb >> U(12u)) + (ma >> U(12u)) * (mb & U(0xfffu));
  let p11 = (ma >> U(12u)) * (mb >> U(12u));
  let middle = (p00 >> U(12u)) + p01;
  let product_24 = p11 + (middle >> U(12u));
  let product_low = ((middle & U(0xfffu)) << U(12u)) | (p00 & U(0xfffu));
  let p_high = (product_24 << U(7u)) | (product_low >> U(17u));
  let p_low = product_low << U(15u);
  let c_high = mc << U(6u);
  let e_p = I((ua >> U(23u)) & U(255u)) + I((ub >> U(23u)) & U(255u)) - I(127);
  let e_c = I((uc >> U(23u)) & U(255u));
  let p_zero = (ma == U(0u)) | (mb == U(0u));
  let p_larger = ((e_p >= e_c) & !p_zero) | (mc == U(0u));
  // The operand of smaller exponent is shifted right.
  let n = U(clamp(select(e_c - e_p, e_p - e_c, p_larger), I(0), I(63)));
  let x_high = select(c_high, p_high, p_larger);
  let x_low = select(U(0u), p_low, p_larger);
  let w_high = select(p_high, c_high, p_larger);
  let w_low = select(p_low, U(0u), p_larger);
  let y_low = fma_shift_low(w_high, w_low, n);
  let y_high = select(U(0u), w_high >> (n & U(31u)), n < U(32u));
  let sign_p = (ua ^ ub) & U(0x80000000u);
  let sign_c = uc & U(0x80000000u);
  let same = sign_p == sign_c;
  let sum_low = x_low + y_low;
  let sum_high = x_high + y_high + select(U(0u), U(1u), sum_low < x_low);
  let swap = (y_high > x_high) | ((y_high == x_high) & (y_low > x_low));
  let g_high = select(x_high, y_high, swap);
  let g_low = select(x_low, y_low, swap);
  let l_high = select(y_high, x_high, swap);
  let l_low = select(y_low, x_low, swap);
  let dif_low = g_low - l_low;
  let dif_high = g_high - l_high - select(U(0u), U(1u), g_low < l_low);
  let high = select(dif_high, sum_high, same);
  let low = select(dif_low, sum_low, same);
  let sign_x = select(sign_c, sign_p, p_larger);
  let sign_y = select(sign_p, sign_c, p_larger);
  let nothing = (high == U(0u)) & (low == U(0u));
  let sign = select(select(sign_x, sign_y, swap), sign_p & sign_c, nothing);
  let r = fma_round(high, low, select(e_c, e_p, p_larger), sign);
  let special = !(fma_finite(ua) & fma_finite(ub) & fma_finite(uc));
  return select(r, fma(a, b, c), special);
}

// [0, 1) in steps of 2^-23, exact: the upper 23 bits as a significand.
fn op_unit_from_bits(bits: U) -> F { return bitcast<F>((bits >> U(9u)) | U(0x3f800000u)) - 1.0; }

// max(low, unit (high - low) + low): jax.random.uniform(minval = low, maxval = high).
fn op_uniform_from_bits(bits: U, low: F, high: F) -> F {
  let u = op_fma_exact(op_unit_from_bits(bits), high - low, low);
  return select(u, low, u < low);
}

// The 64-bit fraction high 2^-32 + low 2^-64, or what it lacks of 1 and then with a minus, whichever is below 1/2.
// The leading 24 bits are kept, as gumbel's mode "highest" has it.
fn op_fraction_from_bits(high: U, low: U) -> F {
  let flip = high >= U(0x80000000u);
  let h = select(high, ~high + select(U(0u), U(1u), low == U(0u)), flip);
  let l = select(low, ~low + U(1u), flip);
  let in_low = h == U(0u);
  let n = countLeadingZeros(h) & U(31u);
  let m = countLeadingZeros(l);
  let top = select((h << n) | ((l >> U(1u)) >> (U(31u) - n)), l << (m & U(31u)), in_low);
  let exponent = U(126u) - select(n, U(32u) + m, in_low);
  let x = (exponent << U(23u)) | ((top >> U(8u)) & U(0x7fffffu));
  return bitcast<F>(x | select(U(0u), U(0x80000000u), flip));
}

// wald: x = m + m y / 2 m - m / 2 sqrt(4 m y + m^2 y^2) with y = v^2, or m^2 / x where z is above m / (m + x).
// Fused where XLA fuses: what is left of m and the root may be small beside both.
fn op_wald(v: F, z: F, m: F) -> F {
  let y = v * v;
  let m2 = m * m;
  let root = sqrt(op_fma_exact(4.0 * m, y, m2 * (y * y)));
  let x = op_fma_exact(-(m * 0.5), root, m + (m2 * y) * 0.5);
  return select(m2 / x, x, z <= m / (m + x));
}
