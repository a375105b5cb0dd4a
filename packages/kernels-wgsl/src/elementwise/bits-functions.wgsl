// What the bits of a float tell, and floats from bits: the ground on which the other libraries stand.
// Bits are tested because adapters take `x != x` for false and fold `x - x` to 0 even for infinities.

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
//#end

// An infinity or a NaN may not come from a constant expression; from a call it may.
fn from_bits(u: U) -> F { return bitcast<F>(u); }

fn not_a_number() -> F { return from_bits(U(0x7fc00000u)); }

fn infinity() -> F { return from_bits(U(0x7f800000u)); }

// The bits of |x|.
fn size_bits(x: F) -> U { return bitcast<U>(x) & U(0x7fffffffu); }

// 2^k for k in [-127, 127]; 0 for -127.
fn two_to(k: I) -> F { return bitcast<F>(bitcast<U>(k + I(127)) << U(23u)); }

// The upper 12 bits of the significand: products of two heads, or of a head and a tail, are exact.
fn head_of(x: F) -> F { return bitcast<F>(bitcast<U>(x) & U(0xfffff000u)); }

fn op_isnan(x: F) -> B { return size_bits(x) > U(0x7f800000u); }

fn op_isinf(x: F) -> B { return size_bits(x) == U(0x7f800000u); }

fn op_isfinite(x: F) -> B { return size_bits(x) < U(0x7f800000u); }

fn op_signbit(x: F) -> B { return (bitcast<U>(x) >> U(31u)) != U(0u); }

// |x| with the sign bit of y.
fn op_copysign(x: F, y: F) -> F {
  return bitcast<F>(size_bits(x) | (bitcast<U>(y) & U(0x80000000u)));
}

// y, or x where that is NaN.
fn keep_nan(y: F, x: F) -> F { return select(y, x, op_isnan(x)); }

fn is_infinity(x: F) -> B { return bitcast<U>(x) == U(0x7f800000u); }

// Whether it holds in any lane. In a call of its own: Chrome 147's compiler loses `any` of a scalar behind &&, and the pipeline.
fn any_lane(b: B) -> bool { return any(b); }
