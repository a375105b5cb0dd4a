// Elementwise functions: sqrt, rsqrt, pow. Powers take IEEE 754's special values, as JAX does.
// pow needs log2 to more digits than an f32 has; the parts are cut out of the bit pattern,
// for compilers fold the float-only ways of splitting a number, (a + b) - a being b to them.
//#use bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

fn op_sqrt(x: F) -> F { return keep_nan(sqrt(x), x); }
fn op_rsqrt(x: F) -> F { return keep_nan(1.0 / sqrt(x), x); }

// 2^(a + b), b small beside a: the whole part of the exponent apart, so that the rest keeps its digits.
fn exp2_sum(a: F, b: F) -> F {
  let c = min(max(a, F(-160.0)), F(160.0));
  let k = round(c);
  let f = (c - k) + select(F(0.0), b, a == c);
  var p = fma(f, F(1.531008e-05), F(0.00015461448));
  p = fma(p, f, F(0.0013333454));
  p = fma(p, f, F(0.009618057));
  p = fma(p, f, F(0.05550411));
  p = fma(p, f, F(0.2402265));
  p = fma(p, f, F(0.6931472));
  p = fma(p, f, F(1.0));
  let half = floor(k * 0.5);
  return (p * two_to(I(half))) * two_to(I(k - half));
}

// 2^(y l), l in two parts, y split here.
fn pow_of_log(y: F, log_head: F, log_tail: F) -> F {
  let y_bound = min(max(y, F(-8589934592.0)), F(8589934592.0));
  let y_head = head_of(y_bound);
  return exp2_sum(y_head * log_head, fma(y_bound - y_head, log_head, y_bound * log_tail));
}

// 2^(y log2 x) for normal x > 0 and finite y: with x = 2^e m and s = (m - 1) / (m + 1),
// log2 m = c s + s^3 P(s^2), c = 2 / ln 2; c, s, their product and y each in two parts.
fn pow_normal(x: F, y: F) -> F {
  let u = bitcast<U>(x);
  let shift = (u - U(0x3f3504f3u)) & U(0xff800000u);
  let e = F(bitcast<I>(shift) >> U(23u));
  let m1 = bitcast<F>(u - shift) - 1.0;
  let sum = m1 + 2.0;
  let s = m1 / sum;
  let s_head = head_of(s);
  let sum_head = head_of(sum);
  let sum_tail = m1 - (sum_head - 2.0);
  let s_tail = ((m1 - s_head * sum_head) - s_head * sum_tail) / sum;
  let z = s * s;
  let p = fma(fma(fma(z, F(0.33670178), F(0.41189685)), z, F(0.57707983)), z, F(0.9617967));
  let main = 2.884765625 * s_head;
  let rest = fma(F(2.88539008), s_tail, fma(F(6.244568e-4), s_head, (s * z) * p));
  let log_head = head_of(e + (main + rest));
  let log_tail = rest - ((log_head - e) - main);
  return pow_of_log(y, log_head, log_tail);
}

// x^y for normal x > 0 that is not 1, from log2 x as the host has it: 12 bits of it, and the rest.
fn op_pow_of_log(y: F, log_head: F, log_tail: F) -> F { return keep_nan(pow_of_log(y, log_head, log_tail), y); }

fn op_pow(x: F, y: F) -> F {
  let a = bitcast<F>(size_bits(x));
  let y_size = size_bits(y);
  let inf = infinity();
  let whole = (y_size >= U(0x4b800000u)) | (trunc(y) == y);
  let odd = whole & (y_size < U(0x4b800000u)) & ((I(clamp(y, F(-16777216.0), F(16777216.0))) & I(1)) != I(0));
  let negative = (bitcast<U>(x) >= U(0x80000000u));
  let zero = bitcast<U>(a) < U(0x00800000u);
  let extreme = zero | (bitcast<U>(a) == U(0x7f800000u)) | (y_size == U(0x7f800000u));
  var r = pow_normal(select(a, F(1.0), extreme), y);
  r = select(r, select(F(0.0), inf, ((a > F(1.0)) & !zero) != (bitcast<U>(y) >= U(0x80000000u))), extreme);
  r = select(r, not_a_number(), negative & !whole & !zero & (bitcast<U>(a) != U(0x7f800000u)));
  r = select(r, -r, negative & odd);
  r = keep_nan(keep_nan(r, x), y);
  let one = (y_size == U(0u)) | (bitcast<U>(x) == U(0x3f800000u)) | ((a == F(1.0)) & (y_size == U(0x7f800000u)));
  return select(r, F(1.0), one);
}

// Hurwitz' zeta function, the sum of (q + k)^-x: ten terms, and Euler and Maclaurin's series for the rest.
fn op_zeta(x: F, q: F) -> F {
  var at = q;
  var term = op_pow(q, -x);
  var sum = term;
  for (var k = 0u; k < 9u; k += 1u) {
    at += 1.0;
    term = op_pow(at, -x);
    sum += term;
  }
  let near = 1.0 / (at * at);
  let r = x / at;
  var tail = fma((x + 7.0) * (x + 8.0) * near, F(2.0876757e-8), F(-8.2671958e-7));
  tail = fma(tail, (x + 5.0) * (x + 6.0) * near, F(3.3068783e-5));
  tail = fma(tail, (x + 3.0) * (x + 4.0) * near, F(-1.3888889e-3));
  tail = fma(tail, (x + 1.0) * (x + 2.0) * near, F(0.083333333));
  // The last term may be 0 where what follows it is infinite.
  let rest = select(term * (at / (x - 1.0) - 0.5 + r * tail), F(0.0), term == F(0.0));
  let inf = infinity();
  let nan = not_a_number();
  let pole = (q <= F(0.0)) & (floor(q) == q);
  let even = (floor(x * 0.5) == x * 0.5);
  let odd = (q < F(0.0)) & (floor(x) != x);
  var value = select(sum + rest, nan, (x < F(1.0)) | odd);
  value = select(value, select(nan, inf, even), pole & (x > F(1.0)));
  value = select(value, inf, x == F(1.0));
  return keep_nan(keep_nan(value, x), q);
}
