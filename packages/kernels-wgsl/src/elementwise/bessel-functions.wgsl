// Elementwise functions i0e and i1e: modified Bessel functions of the first kind, times e^-|x|. Chebyshev series fitted to
// 1e-8: of i0e and of i1e / x in x on [0, 8], of their products with sqrt(x) in 8 / x beyond.
//#use bits-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// t = x / 4 - 1.
fn i0e_near(t: F) -> F {
  let u = 2.0 * t;
  let b17 = F(-1.30002498e-08);
  let b16 = u * b17 + 6.04699508e-08;
  let b15 = u * b16 - 2.67079372e-07 - b17;
  let b14 = u * b15 + 1.11738757e-06 - b16;
  let b13 = u * b14 - 4.41673819e-06 - b15;
  let b12 = u * b13 + 1.64484482e-05 - b14;
  let b11 = u * b12 - 5.75419508e-05 - b13;
  let b10 = u * b11 + 0.000188502891 - b12;
  let b9 = u * b10 - 0.000576375576 - b11;
  let b8 = u * b9 + 0.00163947558 - b10;
  let b7 = u * b8 - 0.00432430999 - b9;
  let b6 = u * b7 + 0.0105464607 - b8;
  let b5 = u * b6 - 0.0237374157 - b7;
  let b4 = u * b5 + 0.0493052825 - b6;
  let b3 = u * b4 - 0.0949010998 - b5;
  let b2 = u * b3 + 0.171620905 - b4;
  let b1 = u * b2 - 0.304682672 - b3;
  return t * b1 + 0.338397652 - b2;
}

// t = 16 / x - 1.
fn i0e_far(t: F) -> F {
  let u = 2.0 * t;
  let b6 = F(3.39623196e-09);
  let b5 = u * b6 + 2.26666899e-08;
  let b4 = u * b5 + 2.04891862e-07 - b6;
  let b3 = u * b4 + 2.89137051e-06 - b5;
  let b2 = u * b3 + 6.88975852e-05 - b4;
  let b1 = u * b2 + 0.00336911646 - b3;
  return t * b1 + 0.402245194 - b2;
}

// i1e(x) / x, t = x / 4 - 1.
fn i1e_near(t: F) -> F {
  let u = 2.0 * t;
  let b16 = F(9.38153732e-09);
  let b15 = u * b16 - 4.44505908e-08;
  let b14 = u * b15 + 2.00329481e-07 - b16;
  let b13 = u * b14 - 8.5687202e-07 - b15;
  let b12 = u * b13 + 3.47025139e-06 - b14;
  let b11 = u * b12 - 1.32731639e-05 - b13;
  let b10 = u * b11 + 4.78156508e-05 - b12;
  let b9 = u * b10 - 0.000161760821 - b11;
  let b8 = u * b9 + 0.000512285973 - b10;
  let b7 = u * b8 - 0.00151357241 - b9;
  let b6 = u * b7 + 0.0041564228 - b8;
  let b5 = u * b6 - 0.0105640851 - b7;
  let b4 = u * b5 + 0.0247264486 - b6;
  let b3 = u * b4 - 0.0529459827 - b5;
  let b2 = u * b3 + 0.102643661 - b4;
  let b1 = u * b2 - 0.176416516 - b3;
  return t * b1 + 0.1262936 - b2;
}

// t = 16 / x - 1.
fn i1e_far(t: F) -> F {
  let u = 2.0 * t;
  let b6 = F(-3.83538046e-09);
  let b5 = u * b6 - 2.63146891e-08;
  let b4 = u * b5 - 2.51223611e-07 - b6;
  let b3 = u * b4 - 3.88256467e-06 - b5;
  let b2 = u * b3 - 0.000110588939 - b4;
  let b1 = u * b2 - 0.00976109784 - b3;
  return t * b1 + 0.389288127 - b2;
}

fn op_i0e(x: F) -> F {
  let a = abs(x);
  let far = max(a, F(8.0));
  return keep_nan(select(i0e_far(16.0 / far - 1.0) / sqrt(far), i0e_near(min(a, F(8.0)) * 0.25 - 1.0), a <= F(8.0)), x);
}

fn op_i1e(x: F) -> F {
  let a = abs(x);
  let far = max(a, F(8.0));
  let near = min(a, F(8.0));
  let y = select(i1e_far(16.0 / far - 1.0) / sqrt(far), near * i1e_near(near * 0.25 - 1.0), a <= F(8.0));
  // The sign is x's, of zeros too.
  return keep_nan(select(y, -y, (bitcast<U>(x) >> U(31u)) != U(0u)), x);
}
