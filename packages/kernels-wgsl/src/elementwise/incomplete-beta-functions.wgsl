// The regularized incomplete beta function I_x(a, b), by the continued fraction that XLA takes, too. Its factor
// x^a (1 - x)^b / B(a, b) comes from small parts, as in incomplete-functions.wgsl: powers where a and b are below 10,
// Stirling's series where they are not, and something between where one is. y is the smaller of x and 1 - x.
// Bounds: the loop ends when all lanes have converged; its count keeps a device from hanging.
//#use bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

const BETA_FRACTIONS = 2000u;

fn beta_small(a: F, b: F) -> B { return max(a, b) < F(10.0); }
fn beta_large(a: F, b: F) -> B { return min(a, b) >= F(10.0); }

// The variable that goes with the smaller parameter.
fn beta_own(a: F, b: F, x: F) -> F { return select(1.0 - x, x, a < b); }

// x b - (1 - x) a, what x is past the distribution's place.
fn beta_past(a: F, b: F, x: F) -> F { return fma(x, b, -(1.0 - x) * a); }

// Base and exponent of the power, for small parameters.
fn beta_base(x: F) -> F { return min(x, 1.0 - x); }
fn beta_power(a: F, b: F, x: F) -> F { return select(b, a, x <= F(0.5)); }

// What ln(1 + m) is needed of: two numbers, one a case, and what ln is needed of.
fn beta_first(a: F, b: F, x: F) -> F {
  let mixed = select(-beta_own(a, b, x), beta_past(a, b, x) / a, beta_large(a, b));
  return select(mixed, -beta_base(x), beta_small(a, b));
}
fn beta_second(a: F, b: F, x: F) -> F {
  return select(min(a, b) / max(a, b), -beta_past(a, b, x) / b, beta_large(a, b));
}
fn beta_scaled(a: F, b: F, x: F) -> F {
  let past = beta_past(a, b, x) > F(0.0);
  let large = select(x, 1.0 - x, past) * ((a + b) / select(a, b, past));
  return select(beta_own(a, b, x) * (a + b), large, beta_large(a, b));
}

// ln(1 + m) of the two numbers m: near -1 they have lost their digits, and the logarithm of what is scaled serves.
fn beta_log_first(a: F, b: F, x: F, log: F, log_scaled: F) -> F {
  return select(log, log_scaled, beta_large(a, b) & (beta_past(a, b, x) < F(0.0)));
}
fn beta_log_second(a: F, b: F, x: F, log: F, log_scaled: F) -> F {
  return select(log, log_scaled, beta_large(a, b) & (beta_past(a, b, x) > F(0.0)));
}

// What Stirling's series has beyond its first terms, of a + b less the larger or both: `rest` of a function gamma each.
fn beta_rests(a: F, b: F, sum: F, least: F, most: F) -> F {
  return sum - most - select(F(0.0), least, beta_large(a, b));
}

// The exponent of x^a (1 - x)^b / B(a, b) beside `beta_factor`. `less` are ln(1 + m) - m of both numbers.
fn beta_exponent(a: F, b: F, x: F, log_first: F, log_second: F, log_scaled: F, less_first: F, less_second: F, rests: F) -> F {
  let least = min(a, b);
  let most = max(a, b);
  let small = (a + b - beta_power(a, b, x)) * log_first;
  let large = fma(a, less_first, b * less_second) + rests;
  let mixed = fma(least, log_scaled, most * log_first) + fma(most, less_second, -0.5 * log_second) + rests;
  return select(select(mixed, large, beta_large(a, b)), small, beta_small(a, b));
}

// One over the functions gamma of what is small; `reciprocals` are of the smaller parameter, the larger one and their sum.
fn beta_factor(a: F, b: F, power: F, least: F, most: F, sum: F) -> F {
  let large = sqrt(a * 0.15915494 * (b / (a + b)));
  return select(select(least, large, beta_large(a, b)), power * (least * (most / sum)), beta_small(a, b));
}

// 1 + ... of the fraction that I_x(a, b) is its factor over a times of, by Lentz.
fn beta_fraction(a: F, b: F, x: F, start: B) -> F {
  var c = F(1.0);
  var d = 1.0 / (1.0 - (a + b) * x / (a + 1.0));
  var h = d;
  var open = start;
  for (var k = 1u; k < BETA_FRACTIONS && any_lane(open); k += 1u) {
    let m = F(f32(k));
    let at = fma(F(2.0), m, a);
    let even = m * (b - m) * x / ((at - 1.0) * at);
    d = 1.0 / fma(even, d, F(1.0));
    c = 1.0 + even / c;
    let between = select(h, h * (d * c), open);
    let odd = -(a + m) * (a + b + m) * x / (at * (at + 1.0));
    d = 1.0 / fma(odd, d, F(1.0));
    c = 1.0 + odd / c;
    let ratio = d * c;
    h = select(h, between * ratio, open);
    open = open & (abs(ratio - 1.0) > F(5.9604645e-8));
  }
  return h;
}

fn op_betainc(a: F, b: F, x: F, density: F) -> F {
  let none = (a == F(0.0)) | is_infinity(b);
  let all = (b == F(0.0)) | is_infinity(a);
  let near = x < (a + 1.0) / (a + b + 2.0);
  let inside = (x > F(0.0)) & (x < F(1.0)) & (a > F(0.0)) & (b > F(0.0)) & !none & !all;
  let p = select(b, a, near);
  let value = density / p * beta_fraction(p, select(a, b, near), select(1.0 - x, x, near), inside & (density > F(0.0)));
  let found = select(value, F(0.0), density == F(0.0));
  var result = select(1.0 - found, found, near);
  result = select(result, F(0.0), (all & (x != F(1.0))) | (x == F(0.0)));
  result = select(result, F(1.0), (none & (x != F(0.0))) | (x == F(1.0)));
  let outside = (a < F(0.0)) | (b < F(0.0)) | (x < F(0.0)) | (x > F(1.0)) | (none & all);
  return select(result, not_a_number(), outside | op_isnan(a) | op_isnan(b) | op_isnan(x));
}
