// Elementwise functions: atan, asin, acos, atan2 within 3 ulp. Native ones differ by adapter in digits and special values.
// atan and asin are minimax polynomials on a short interval (Cephes'), reached by the functions' own identities.
//#use bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// atan on [0, inf]: turned by pi / 2 above tan(3 pi / 8), by pi / 4 above tan(pi / 8).
fn atan_positive(a: F) -> F {
  let far = a > F(2.41421356);
  let middle = a > F(0.414213562);
  let t = select(select(a, (a - 1.0) / (a + 1.0), middle), F(-1.0) / a, far);
  let turn = select(select(F(0.0), F(0.785398163), middle), F(1.57079633), far);
  let z = t * t;
  var p = fma(F(0.0805374450), z, F(-0.138776856));
  p = fma(p, z, F(0.199777106));
  p = fma(p, z, F(-0.333329492));
  return turn + fma(p * z, t, t);
}

fn op_atan(x: F) -> F {
  return select(op_copysign(atan_positive(abs(x)), x), x, op_isnan(x));
}

// asin on [0, 1/2], from x and x^2.
fn asin_poly(x: F, z: F) -> F {
  var p = fma(F(0.0421632), z, F(0.024181311));
  p = fma(p, z, F(0.0454700254));
  p = fma(p, z, F(0.0749530027));
  p = fma(p, z, F(0.166667521));
  return fma(p * z, x, x);
}

// Above 1/2: asin(a) = pi / 2 - 2 asin(sqrt((1 - a) / 2)).
fn op_asin(x: F) -> F {
  let a = abs(x);
  let far = a > F(0.5);
  let half = (1.0 - min(a, F(1.0))) * 0.5;
  let z = select(x * x, half, far);
  let p = asin_poly(select(a, sqrt(half), far), z);
  let y = op_copysign(select(p, 1.57079633 - 2.0 * p, far), x);
  return select(select(y, not_a_number(), a > F(1.0)), x, op_isnan(x));
}

fn op_acos(x: F) -> F {
  let a = abs(x);
  let far = a > F(0.5);
  let half = (1.0 - min(a, F(1.0))) * 0.5;
  let z = select(x * x, half, far);
  let p = asin_poly(select(a, sqrt(half), far), z);
  let near = 1.57079633 - op_copysign(p, x);
  let end = select(2.0 * p, 3.14159265 - 2.0 * p, x < F(0.0));
  let y = select(near, end, far);
  return select(select(y, not_a_number(), a > F(1.0)), x, op_isnan(x));
}

// The angle of the point (x, y), signed zeros and infinities as C has them.
fn op_atan2(y: F, x: F) -> F {
  let a = abs(y);
  let b = abs(x);
  let low = min(a, b);
  let high = max(a, b);
  let same = (bitcast<U>(low) == bitcast<U>(high)) & !(high == F(0.0));
  let ratio = select(low / select(high, F(1.0), high == F(0.0)), F(1.0), same);
  let acute = atan_positive(ratio);
  let upper = select(acute, 1.57079633 - acute, a > b);
  let turned = select(upper, 3.14159265 - upper, bitcast<U>(x) >= U(0x80000000u));
  let angle = op_copysign(turned, y);
  return select(select(angle, x, op_isnan(x)), y, op_isnan(y));
}
