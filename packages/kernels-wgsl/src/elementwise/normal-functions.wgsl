// The inverse of the normal distribution's share below x, with Cephes' rational functions, and the logarithm of that share.
//#use bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// The smaller of both tails.
fn ndtri_tail(p: F) -> F { return select(p, 1.0 - p, p > F(0.8646647)); }

// How far out it is, from its logarithm.
fn ndtri_root(log_tail: F) -> F { return sqrt(-2.0 * log_tail); }

// For tails above e^-2.
fn ndtri_middle(w: F) -> F {
  let z = w * w;
  var p = fma(z, F(-59.96335), F(98.00107));
  p = fma(p, z, F(-56.676285));
  p = fma(p, z, F(13.931261));
  p = fma(p, z, F(-1.2391658));
  var q = fma(z, F(1.0), F(1.9544886));
  q = fma(q, z, F(4.676279));
  q = fma(q, z, F(86.36024));
  q = fma(q, z, F(-225.46269));
  q = fma(q, z, F(200.26021));
  q = fma(q, z, F(-82.037226));
  q = fma(q, z, F(15.905623));
  q = fma(q, z, F(-1.1833162));
  return -2.5066283 * fma(w * z, p / q, w);
}

// For tails from e^-32 on.
fn ndtri_near(z: F) -> F {
  var p = fma(z, F(4.055449), F(31.52511));
  p = fma(p, z, F(57.162819));
  p = fma(p, z, F(44.08051));
  p = fma(p, z, F(14.684956));
  p = fma(p, z, F(2.1866331));
  p = fma(p, z, F(-0.14025608));
  p = fma(p, z, F(-0.03504246));
  p = fma(p, z, F(-8.574568e-4));
  var q = fma(z, F(1.0), F(15.779988));
  q = fma(q, z, F(45.390764));
  q = fma(q, z, F(41.317204));
  q = fma(q, z, F(15.042537));
  q = fma(q, z, F(2.5046494));
  q = fma(q, z, F(-0.14218293));
  q = fma(q, z, F(-0.03808064));
  q = fma(q, z, F(-9.332595e-4));
  return p / q;
}

fn ndtri_far(z: F) -> F {
  var p = fma(z, F(3.2377489), F(6.9152289));
  p = fma(p, z, F(3.9388103));
  p = fma(p, z, F(1.3330346));
  p = fma(p, z, F(0.20148539));
  p = fma(p, z, F(0.012371664));
  p = fma(p, z, F(3.0158156e-4));
  p = fma(p, z, F(2.6580698e-6));
  p = fma(p, z, F(6.239745e-9));
  var q = fma(z, F(1.0), F(6.0242704));
  q = fma(q, z, F(3.6798356));
  q = fma(q, z, F(1.377021));
  q = fma(q, z, F(0.216237));
  q = fma(q, z, F(0.013420401));
  q = fma(q, z, F(3.2801446e-4));
  q = fma(q, z, F(2.8924787e-6));
  q = fma(q, z, F(6.790194e-9));
  return p / q;
}

fn op_ndtri(p: F, root: F, log_root: F) -> F {
  let tail = ndtri_tail(p);
  let z = 1.0 / root;
  let outer = root - (log_root + select(ndtri_near(z), ndtri_far(z), root >= F(8.0))) * z;
  let x = select(outer, ndtri_middle(tail - 0.5), tail > F(0.13533528));
  var value = select(-x, x, p > F(0.8646647));
  value = select(value, from_bits(U(0xff800000u)), p == F(0.0));
  value = select(value, infinity(), p == F(1.0));
  return select(value, not_a_number(), (p < F(0.0)) | (p > F(1.0)) | op_isnan(p));
}

// ln of the share below x, from the logarithms of what it needs: of the share at -10 or above, of 1 less the share above x,
// and of -x, for the asymptotic series below -10.
fn log_ndtr_from(x: F, log_share: F, log1p_above: F, log_size: F) -> F {
  let z = 1.0 / (x * x);
  let rest = z * fma(fma(z, F(-12.333333), F(2.5)), z, F(-1.0));
  let low = fma(-0.5 * x, x, rest - log_size - 0.9189385);
  return select(select(low, log_share, x > F(-10.0)), log1p_above, x > F(0.0));
}
