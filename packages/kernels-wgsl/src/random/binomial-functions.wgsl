// Binomial numbers as jax.random draws them; see rejection-functions.wgsl for keys and bounds.
//#use ../elementwise/bits-functions.wgsl
//#use exact-functions.wgsl
//#use key-functions.wgsl
//#use sampling-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// How many geometric numbers of probability q sum to no more than n. All elements share the keys. Where the caller has one
// q for the whole draw, XLA divides by it through its reciprocal.
fn op_binomial_small(k0: U, k1: U, i: U, size: U, n: F, q: F, one_q: B, zero: U) -> F {
  let log_rest = exact_log1p(-q, zero);
  let inverse = exact_div(F(1.0), log_rest, zero);
  var key = array<U, 2>(k0, k1);
  var count = F(0.0);
  var sum = F(0.0);
  for (var trial = 0u; trial < MOST_TRIALS && any_lane(sum <= n); trial += 1u) {
    let u = op_unit_from_bits(bits_of(child(key, U(0u), U(2u)), i, size));
    let log_u = exact_log(u, zero);
    let quotient = select(exact_div(log_u, log_rest, zero), log_u * inverse, one_q);
    let ordinary = (u > F(0.0)) & (log_rest < F(0.0)) & (log_rest > F(-1000.0));
    count += select(F(0.0), F(1.0), sum <= n);
    sum += ceil(select(log_u / log_rest, quotient, ordinary));
    key = child(key, U(1u), U(2u));
  }
  return count - 1.0;
}

// What Stirling's formula leaves of ln k!; JAX takes that of 9 for all larger k.
fn stirling_tail(k: F) -> F {
  var tail = select(F(0.0810614667953272), F(0.0413406959554092), k >= F(1.0));
  tail = select(tail, F(0.0276779256849983), k >= F(2.0));
  tail = select(tail, F(0.02079067210376509), k >= F(3.0));
  tail = select(tail, F(0.0166446911898211), k >= F(4.0));
  tail = select(tail, F(0.0138761288230707), k >= F(5.0));
  tail = select(tail, F(0.0118967099458917), k >= F(6.0));
  tail = select(tail, F(0.0104112652619720), k >= F(7.0));
  tail = select(tail, F(0.00925546218271273), k >= F(8.0));
  return select(tail, F(0.00833056343336287), k >= F(9.0));
}

// One trial of BTRS for n q > 10: the number, and 1 where it is accepted.
fn binomial_trial(key: array<U, 2>, i: U, size: U, n: F, q: F, zero: U) -> array<F, 2> {
  let u = op_unit_from_bits(bits_of(child(key, U(1u), U(3u)), i, size)) - 0.5;
  let v = op_unit_from_bits(bits_of(child(key, U(2u), U(3u)), i, size));
  let deviation = sqrt(n * q * (1.0 - q));
  let b = exact_fma(F(2.53), deviation, F(1.15), zero);
  let a = exact_fma(F(0.01), q, exact_fma(F(0.0248), b, F(-0.0873), zero), zero);
  let r = q / (1.0 - q);
  let alpha = (2.83 + 5.1 / b) * deviation;
  let m = floor((n + 1.0) * q);
  let us = 0.5 - abs(u);
  let k = floor(exact_fma(exact_div(2.0 * a, us, zero) + b, u, exact_fma(n, q, F(0.5), zero), zero));
  let inside = (k >= F(0.0)) & (k <= n);
  let j = min(max(k, F(0.0)), n);
  let s = exact_log(v * alpha / (a / (us * us) + b), zero);
  let t0 = (m + 0.5) * exact_log((m + 1.0) / (r * (n - m + 1.0)), zero);
  let t1 = exact_fma(n + 1.0, exact_log((n - m + 1.0) / (n - j + 1.0), zero), t0, zero);
  let t2 = exact_fma(j + 0.5, exact_log(r * (n - j + 1.0) / (j + 1.0), zero), t1, zero);
  let t = t2 + stirling_tail(m) + stirling_tail(n - m) - stirling_tail(j) - stirling_tail(n - j);
  let quick = (us >= F(0.07)) & (v <= 0.92 - 4.2 / b);
  return array<F, 2>(k, select(F(0.0), F(1.0), quick | (inside & (s <= t))));
}

// Trials up to the first that accepts; see op_poisson_trials.
fn op_binomial_trials(k0: U, k1: U, i: U, size: U, n: F, q: F, zero: U) -> F {
  var key = array<U, 2>(k0, k1);
  var trials = F(0.0);
  var open = (n == n) & (n < F(3.0e38));
  for (var trial = 0u; trial < MOST_TRIALS && any_lane(open); trial += 1u) {
    trials += select(F(0.0), F(1.0), open);
    open = open & (binomial_trial(key, i, size, n, q, zero)[1] == F(0.0));
    key = child(key, U(0u), U(3u));
  }
  return trials;
}

fn op_binomial_large(k0: U, k1: U, i: U, size: U, n: F, q: F, trials: F, zero: U) -> F {
  var key = array<U, 2>(k0, k1);
  var k = F(-1.0);
  for (var trial = 0u; trial < MOST_TRIALS && any_lane(F(f32(trial)) < trials); trial += 1u) {
    let found = binomial_trial(key, i, size, n, q, zero);
    k = select(k, found[0], (F(f32(trial)) < trials) & (found[1] > F(0.0)));
    key = child(key, U(0u), U(3u));
  }
  return k;
}
