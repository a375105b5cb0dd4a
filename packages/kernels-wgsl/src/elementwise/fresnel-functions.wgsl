// Fresnel's integrals, by series in x^4 below 1.6 and from the auxiliary functions f and g beyond. Polynomials are interpolated at
// Chebyshev's points to 1e-8.
//#use bits-functions.wgsl
//#use trigonometric-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// S(x) / x^3, v = x^4.
fn fresnel_s_near(v: F) -> F {
  let t = (v - 3.2768) * 0.305175781;
  var p = fma(F(2.06113943e-6), t, F(-4.52928433e-5));
  p = fma(p, t, F(0.000714230367));
  p = fma(p, t, F(-0.00762921679));
  p = fma(p, t, F(0.0501329528));
  p = fma(p, t, F(-0.176135658));
  p = fma(p, t, F(0.288939363));
  return p;
}

// C(x) / x, v = x^4.
fn fresnel_c_near(v: F) -> F {
  let t = (v - 3.2768) * 0.305175781;
  var p = fma(F(-7.03859527e-7), t, F(1.78069978e-5));
  p = fma(p, t, F(-0.000330775435));
  p = fma(p, t, F(0.00428779168));
  p = fma(p, t, F(-0.0356266468));
  p = fma(p, t, F(0.166443065));
  p = fma(p, t, F(-0.349835098));
  p = fma(p, t, F(0.443458112));
  return p;
}

// pi x f(x), v = 1 / x^4.
fn fresnel_f_of(v: F) -> F {
  let t = (v - 0.076293945) * 13.1072001;
  var p = fma(F(-6.45110277e-6), t, F(9.66222845e-6));
  p = fma(p, t, F(4.43676362e-6));
  p = fma(p, t, F(-5.09260595e-6));
  p = fma(p, t, F(-1.71071923e-5));
  p = fma(p, t, F(3.23135807e-5));
  p = fma(p, t, F(-5.66160596e-5));
  p = fma(p, t, F(0.000148196025));
  p = fma(p, t, F(-0.000472077928));
  p = fma(p, t, F(0.00204026019));
  p = fma(p, t, F(-0.0164162359));
  p = fma(p, t, F(0.980810601));
  return p;
}

// pi^2 x^3 g(x).
fn fresnel_g_of(v: F) -> F {
  let t = (v - 0.076293945) * 13.1072001;
  var p = fma(F(-7.10478454e-5), t, F(9.32953883e-5));
  p = fma(p, t, F(0.000160159794));
  p = fma(p, t, F(-0.000205961144));
  p = fma(p, t, F(-0.000194786336));
  p = fma(p, t, F(0.000257344428));
  p = fma(p, t, F(4.45698316e-5));
  p = fma(p, t, F(-3.65146517e-5));
  p = fma(p, t, F(-0.000177740857));
  p = fma(p, t, F(0.000324367901));
  p = fma(p, t, F(-0.000600314566));
  p = fma(p, t, F(0.0013879053));
  p = fma(p, t, F(-0.00373687836));
  p = fma(p, t, F(0.0126975259));
  p = fma(p, t, F(-0.065760338));
  p = fma(p, t, F(0.915145652));
  return p;
}

// 2 pi times what x^2 / 4 is past a whole number: of its parts, which are exact.
fn fresnel_angle(x: F) -> F {
  let head = head_of(x);
  let tail = x - head;
  let q = fract(0.25 * head * head) + (fract(0.5 * head * tail) + fract(0.25 * tail * tail));
  return 6.28318531 * (q - round(q));
}

// From 8e6 on both are 1/2.
fn fresnel_size(x: F) -> F { return min(abs(x), F(8e6)); }

fn op_fresnel_s(x: F) -> F {
  let a = fresnel_size(x);
  let low = min(a, F(1.6));
  let square = low * low;
  let r = 1.0 / max(a, F(1.6));
  let z = r * r;
  let angle = fresnel_angle(a);
  let f = fresnel_f_of(z * z) * 0.318309886 * r;
  let g = fresnel_g_of(z * z) * 0.101321184 * (r * z);
  let far = 0.5 - fma(f, op_cos(angle), g * op_sin(angle));
  return keep_nan(op_copysign(select(far, low * square * fresnel_s_near(square * square), a < F(1.6)), x), x);
}

fn op_fresnel_c(x: F) -> F {
  let a = fresnel_size(x);
  let low = min(a, F(1.6));
  let square = low * low;
  let r = 1.0 / max(a, F(1.6));
  let z = r * r;
  let angle = fresnel_angle(a);
  let f = fresnel_f_of(z * z) * 0.318309886 * r;
  let g = fresnel_g_of(z * z) * 0.101321184 * (r * z);
  let far = 0.5 + fma(f, op_sin(angle), -g * op_cos(angle));
  return keep_nan(op_copysign(select(far, low * fresnel_c_near(square * square), a < F(1.6)), x), x);
}
