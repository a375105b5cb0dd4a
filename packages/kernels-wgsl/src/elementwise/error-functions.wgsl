// Elementwise function erf, by the rational function XLA uses on the CPU, `fma` where it fuses.
// erfc and erf_inv are in exponential-functions.wgsl, with the exp and log1p that they need.
//#use bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

fn op_erf(x: F) -> F {
  let z = x * x;
  var p = fma(z, F(2.29050653e-4), F(3.40829091e-3));
  p = fma(z, p, F(0.0509556942));
  p = fma(z, p, F(0.185208321));
  p = fma(z, p, F(1.12837911));
  var q = fma(z, F(-1.17916031e-7), F(2.35479656e-5));
  q = fma(z, q, F(1.01796258e-3));
  q = fma(z, q, F(0.0140704699));
  q = fma(z, q, F(0.110985048));
  q = fma(z, q, F(0.497469246));
  q = fma(z, q, F(1.0));
  let far = abs(x) >= F(3.8325069);
  let isnan = op_isnan(x);
  return select(select((x * p) / q, sign(x), far), x, isnan);
}
