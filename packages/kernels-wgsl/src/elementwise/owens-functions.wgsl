// Owen's T function, by Gauss' and Legendre's rule of 16 points for 0 <= a <= 1; larger a by the function of a h and 1 / a.
//#use bits-functions.wgsl
//#use exponential-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

fn owens_term(t: F, h: F) -> F {
  let s = t * h;
  return op_exp(-0.5 * s * s) / fma(t, t, F(1.0));
}

// For 0 <= a <= 1 and h >= 0. e^(-h^2 / 2) comes from the square's two parts.
fn owens_inner(given: F, a: F) -> F {
  let h = min(given, F(20.0));
  let head = head_of(h);
  let power = op_exp(-0.5 * head * head) * op_exp(-0.5 * (h - head) * (h + head));
  var sum = F(0.0);
  sum += 0.0135762297 * owens_term(0.0052995325 * a, h);
  sum += 0.031126762 * owens_term(0.0277124885 * a, h);
  sum += 0.0475792558 * owens_term(0.0671843988 * a, h);
  sum += 0.0623144856 * owens_term(0.122297796 * a, h);
  sum += 0.0747979944 * owens_term(0.191061878 * a, h);
  sum += 0.0845782597 * owens_term(0.270991611 * a, h);
  sum += 0.0913017075 * owens_term(0.359198225 * a, h);
  sum += 0.0947253052 * owens_term(0.452493745 * a, h);
  sum += 0.0947253052 * owens_term(0.547506255 * a, h);
  sum += 0.0913017075 * owens_term(0.640801775 * a, h);
  sum += 0.0845782597 * owens_term(0.729008389 * a, h);
  sum += 0.0747979944 * owens_term(0.808938122 * a, h);
  sum += 0.0623144856 * owens_term(0.877702204 * a, h);
  sum += 0.0475792558 * owens_term(0.932815601 * a, h);
  sum += 0.031126762 * owens_term(0.972287512 * a, h);
  sum += 0.0135762297 * owens_term(0.994700467 * a, h);
  return 0.159154943 * a * power * sum;
}

fn op_owens_t(x: F, y: F) -> F {
  let h = abs(x);
  // From 1e30 on a is infinite.
  let a = min(abs(y), F(1e30));
  let large = a > F(1.0);
  let across = select(h, min(h, F(20.0)) * a, large);
  let inner = owens_inner(across, select(a, 1.0 / max(a, F(1.0)), large));
  let tail = 0.5 * op_erfc(0.707106781 * h);
  let other = 0.5 * op_erfc(0.707106781 * across);
  let value = select(inner, fma(-tail, other, 0.5 * (tail + other)) - inner, large);
  return keep_nan(keep_nan(op_copysign(value, y), x), y);
}
