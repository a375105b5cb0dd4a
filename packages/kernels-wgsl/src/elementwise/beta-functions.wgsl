// The logarithm of Euler's beta function from those of the gamma function, and from Stirling's series where these cancel.
// Bounds: none.
//#use bits-functions.wgsl
//#use exponential-functions.wgsl
//#use gamma-functions.wgsl

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// From log |gamma| of the lesser of a and b, of the greater and of a + b.
fn betaln_from(a: F, b: F, log_low: F, log_high: F, log_sum: F) -> F {
  let low = min(a, b);
  let high = max(a, b);
  let ratio = low / high;
  let bend = op_log1p(ratio);
  let log_of_high = op_log(high);
  let rest = stirling_rest(high) - stirling_rest(a + b);
  let near = log_low + (log_high - log_sum);
  let wide = log_low + (rest - (high + (low - 0.5)) * bend) - low * (log_of_high - 1.0);
  let far = 0.918938533 - 0.5 * log_of_high + (stirling_rest(low) + rest) + (low - 0.5) * op_log(ratio / (1.0 + ratio))
    - high * bend;
  let value = select(select(near, wide, min(high, a + b) >= F(8.0)), far, low >= F(8.0));
  return keep_nan(value, a + b);
}
