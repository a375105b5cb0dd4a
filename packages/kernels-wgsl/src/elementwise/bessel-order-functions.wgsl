// Bessel functions J of whole order n >= 0: the first terms of the series where x is small, Hankel's asymptotic series and the
// recurrence upward where x is large beside n, and downward (Miller) elsewhere.
// Bounds: the loops end when all lanes have; the counts keep a device from hanging.
//#use bits-functions.wgsl
//#use trigonometric-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

const BESSEL_STEPS = 2000u;

// (x / 2)^n / n! and the next term, for x < 1/20.
fn bessel_small(n: F, x: F) -> F {
  var term = F(1.0);
  for (var k = 1u; k < BESSEL_STEPS && any_lane(F(f32(k)) <= n); k += 1u) {
    let order = F(f32(k));
    term = select(term, term * (0.5 * x / order), order <= n);
  }
  return term * (1.0 - 0.25 * x * x / (n + 1.0));
}

fn bessel_upward(n: F, x: F, start: B) -> F {
  let r = 1.0 / x;
  let z = r * r;
  let c = op_cos(x);
  let s = op_sin(x);
  let size = sqrt(0.318309886 * r);
  let p0 = fma(fma(z, F(0.112152100), F(-0.0703125)), z, F(1.0));
  let q0 = r * fma(fma(z, F(-0.227108002), F(0.0732421875)), z, F(-0.125));
  let p1 = fma(fma(z, F(-0.144195557), F(0.1171875)), z, F(1.0));
  let q1 = r * fma(fma(z, F(0.277576447), F(-0.102539063)), z, F(0.375));
  var before = size * (p0 * (c + s) - q0 * (s - c));
  var y = size * fma(p1, s - c, q1 * (s + c));
  y = select(y, before, n == F(0.0));
  for (var k = 1u; k < BESSEL_STEPS && any_lane(start & (F(f32(k)) < n)); k += 1u) {
    let order = F(f32(k));
    let next = fma(2.0 * order * r, y, -before);
    before = select(before, y, order < n);
    y = select(y, next, order < n);
  }
  return y;
}

// From far above n and x down, divided by J0 + 2 J2 + 2 J4 + ... = 1.
fn bessel_downward(n: F, x: F, start: B) -> F {
  let top = 2.0 * floor(fma(max(n, x), F(0.6), F(15.0)));
  var above = F(0.0);
  var here = F(1.0);
  var sum = F(0.0);
  var found = F(0.0);
  var order = top;
  for (var k = 0u; k < BESSEL_STEPS && any_lane(start & (order > F(0.0))); k += 1u) {
    let open = order > F(0.0);
    found = select(found, here, order == n);
    let even = floor(0.5 * order) * 2.0 == order;
    sum += select(F(0.0), here, open & even);
    let next = 2.0 * order / x * here - above;
    above = select(above, here, open);
    here = select(here, next, open);
    let scale = select(F(1.0), F(1e-12), abs(here) > F(1e12));
    above *= scale;
    here *= scale;
    sum *= scale;
    found *= scale;
    order -= 1.0;
  }
  return select(found, here, n == F(0.0)) / fma(F(2.0), sum, here);
}

fn op_bessel_jn(n: F, x: F) -> F {
  let a = abs(x);
  let small = a < F(0.05);
  let upward = (a >= F(25.0)) & (n <= a);
  let middle = select(a, F(1.0), small | upward | op_isnan(x));
  let near = bessel_small(n, min(a, F(0.05)));
  let far = bessel_upward(n, max(a, F(25.0)), upward & !is_infinity(a));
  let value = select(bessel_downward(n, middle, !(small | upward)), far, upward);
  let y = select(select(value, near, small), F(0.0), is_infinity(a));
  let odd = !(floor(0.5 * n) * 2.0 == n);
  return keep_nan(select(y, -y, odd & (x < F(0.0))), x);
}
