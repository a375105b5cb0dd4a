// Samplers that draw until they accept: gamma and Poisson numbers, as jax.random draws them. Each invocation splits keys by
// itself: in JAX's older mode the op links older-key-functions.wgsl instead of key-functions.wgsl.
// Bounds: every loop ends when all lanes have accepted, NaN at once; MOST_TRIALS keeps a device from hanging.
//#use ../elementwise/bits-functions.wgsl
//#use ../elementwise/power-functions.wgsl
//#use exact-functions.wgsl
//#use key-functions.wgsl
//#use sampling-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// Marsaglia and Tsang's method: V of d V, a gamma number of shape d + 1/3 >= 1.
fn gamma_cube(start: array<U, 2>, d: F, zero: U) -> F {
  let c = 0.33333334 / sqrt(d);
  var key = start;
  var V = F(1.0);
  var open = d == d;
  for (var trial = 0u; trial < MOST_TRIALS && any_lane(open); trial += 1u) {
    var x_key = child(key, U(1u), U(3u));
    let u_key = child(key, U(2u), U(3u));
    key = child(key, U(0u), U(3u));
    var x = F(0.0);
    var v = F(-1.0);
    for (var inner = 0u; inner < MOST_TRIALS && any_lane(open & (v <= F(0.0))); inner += 1u) {
      let again = v <= F(0.0);
      let drawn = op_normal_from_bits(bits_of(child(x_key, U(1u), U(2u)), U(0u), U(1u)), zero);
      x_key = child(x_key, U(0u), U(2u));
      x = select(x, drawn, again);
      v = select(v, exact_fma(drawn, c, F(1.0), zero), again);
    }
    let X = x * x;
    V = select(V, (v * v) * v, open);
    let u = op_unit_from_bits(bits_of(u_key, U(0u), U(1u)));
    let squeezed = u >= exact_fma(F(-0.0331), X * X, F(1.0), zero);
    let bound = exact_fma(d, (1.0 - V) + exact_log(V, zero), X * 0.5, zero);
    open = open & squeezed & (exact_log(u, zero) >= bound);
  }
  return V;
}

// A gamma number of shape a > 0, or its logarithm; element i of a draw of that size.
fn op_gamma(k0: U, k1: U, i: U, size: U, a: F, log_space: B, zero: U) -> F {
  let key = child(array<U, 2>(k0, k1), i, size);
  let large = a >= F(1.0);
  let d = select(a + 1.0, a, large) - 0.33333334;
  let V = gamma_cube(child(key, U(0u), U(2u)), d, zero);
  let bits = bits_of(child(key, U(1u), U(2u)), U(0u), U(1u));
  let boost = select(op_pow(1.0 - op_unit_from_bits(bits), 1.0 / a), F(1.0), large);
  let e = op_exponential_from_bits(bits, zero);
  let log_boost = select(-e * (1.0 / a), F(0.0), large | (e == F(0.0)));
  return select((d * V) * boost, (exact_log(d, zero) + exact_log(V, zero)) + log_boost, log_space);
}

// Knuth's method for lam < 10: how many uniform numbers multiply to more than e^-lam. All elements share the keys.
fn op_poisson_small(k0: U, k1: U, i: U, size: U, lam: F, zero: U) -> F {
  var key = array<U, 2>(k0, k1);
  var count = F(0.0);
  var s = F(0.0);
  for (var trial = 0u; trial < MOST_TRIALS && any_lane(s > -lam); trial += 1u) {
    count += select(F(0.0), F(1.0), s > -lam);
    s += exact_log(op_unit_from_bits(bits_of(child(key, U(1u), U(2u)), i, size)), zero);
    key = child(key, U(0u), U(2u));
  }
  return count - 1.0;
}

// ln gamma(x) for x >= 1/2: Lanczos' sum, as XLA has it.
fn rejection_lgamma(x: F, zero: U) -> F {
  let w = x - 1.0;
  var A = F(1.0) + 676.520386 / (w + 1.0);
  A = A - 1259.13916 / (w + 2.0);
  A = A + 771.323425 / (w + 3.0);
  A = A - 176.615036 / (w + 4.0);
  A = A + 12.5073433 / (w + 5.0);
  A = A - 0.138571098 / (w + 6.0);
  A = A + 9.98436917e-6 / (w + 7.0);
  A = A + 1.50563267e-7 / (w + 8.0);
  let t = w + 7.5;
  let log_t = exact_log1p(w / 7.5, zero) + 2.01490307;
  return exact_fma((w + 0.5) - t / log_t, log_t, F(0.918938518), zero) + exact_log(A, zero);
}

// One trial of Hormann's transformed rejection for lam >= 10: the number, and 1 where it is accepted.
fn poisson_trial(key: array<U, 2>, i: U, size: U, lam: F, zero: U) -> array<F, 2> {
  let u = op_unit_from_bits(bits_of(child(key, U(1u), U(3u)), i, size)) - 0.5;
  let v = op_unit_from_bits(bits_of(child(key, U(2u), U(3u)), i, size));
  let b = exact_fma(F(2.53), sqrt(lam), F(0.931), zero);
  let a = exact_fma(F(0.02483), b, F(-0.059), zero);
  let us = 0.5 - abs(u);
  let k = floor(exact_fma(exact_div(2.0 * a, us, zero) + b, u, lam, zero) + 0.43);
  let s = exact_log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (us * us) + b), zero);
  let t = exact_fma(k, exact_log(lam, zero), -lam, zero) - rejection_lgamma(max(k, F(0.0)) + 1.0, zero);
  let quick = (us >= F(0.07)) & (v <= 0.9277 - 3.6224 / (b - 2.0));
  let refused = (k < F(0.0)) | ((us < F(0.013)) & (v > us));
  return array<F, 2>(k, select(F(0.0), F(1.0), quick | (!refused & (s <= t))));
}

// Trials up to the first that accepts. JAX goes on for all elements until the last has one, and takes the last number.
fn op_poisson_trials(k0: U, k1: U, i: U, size: U, lam: F, zero: U) -> F {
  var key = array<U, 2>(k0, k1);
  var trials = F(0.0);
  var open = lam == lam;
  for (var trial = 0u; trial < MOST_TRIALS && any_lane(open); trial += 1u) {
    trials += select(F(0.0), F(1.0), open);
    open = open & (poisson_trial(key, i, size, lam, zero)[1] == F(0.0));
    key = child(key, U(0u), U(3u));
  }
  return trials;
}

fn op_poisson_large(k0: U, k1: U, i: U, size: U, lam: F, trials: F, zero: U) -> F {
  var key = array<U, 2>(k0, k1);
  var k = F(-1.0);
  for (var trial = 0u; trial < MOST_TRIALS && any_lane(F(f32(trial)) < trials); trial += 1u) {
    let found = poisson_trial(key, i, size, lam, zero);
    k = select(k, found[0], (F(f32(trial)) < trials) & (found[1] > F(0.0)));
    key = child(key, U(0u), U(3u));
  }
  return k;
}
