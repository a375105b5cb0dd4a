// Numbers as unsigned keys of the same order, so that one comparison serves every dtype; NaN and -0 as JAX has them.
// Written once for any width: V is f32, i32, u32 or a vec4 of them, K its bits (u32 or vec4u).
// Bounds: none, there is no indexing. Workgroup memory: none.

//#default
alias V = vec4f;
alias K = vec4u;
//#end

// Negative floats order backwards, so all their bits flip; the others move above them. -0 equals 0.
fn order_float(v: V) -> K {
  let raw = bitcast<K>(v);
  let bits = select(raw, K(0u), raw == K(0x80000000u));
  return select(bits | K(0x80000000u), ~bits, bits >= K(0x80000000u));
}

fn order_signed(v: V) -> K {
  return bitcast<K>(v) ^ K(0x80000000u);
}

fn order_unsigned(v: V) -> K {
  return bitcast<K>(v);
}

fn is_nan_float(v: V) -> K {
  return select(K(0u), K(0xffffffffu), (bitcast<K>(v) & K(0x7fffffffu)) > K(0x7f800000u));
}
