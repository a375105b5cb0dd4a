// How two partial results become one, lane by lane, and what a lane group becomes at the end of a reduction.
// Written once for any width: V is f32, i32, u32 or a vec4 of them, K its bits (u32 or vec4u), T its scalar.
// Bounds: none, there is no indexing. Workgroup memory: none.
//
// max and min of floats test bits: natively max(NaN, 1) is 1 on both software adapters, and x != x is false.

//#default
alias T = f32;
alias V = vec4f;
alias K = vec4u;
fn combine(a: V, b: V) -> V { return a + b; }
//#end

const QUIET_NAN: u32 = 0x7fc00000u;
const INFINITY_BITS: u32 = 0x7f800000u;
const MAGNITUDE: u32 = 0x7fffffffu;

fn combine_sum(a: V, b: V) -> V {
  return a + b;
}

fn combine_prod(a: V, b: V) -> V {
  return a * b;
}

// Also any (max) and all (min) of booleans, which are u32 0 or 1.
fn combine_max(a: V, b: V) -> V {
  return max(a, b);
}

fn combine_min(a: V, b: V) -> V {
  return min(a, b);
}

// Comparisons cost drivers on a CPU a third of their max and min of floats.
// The larger magnitude's bits are past infinity's exactly if a or b is NaN. The NaN is chosen among bits, for
// WGSL forbids the constant expression bitcast<f32>(QUIET_NAN).
fn combine_max_float(a: V, b: V) -> V {
  let magnitude = max(bitcast<K>(a) & K(MAGNITUDE), bitcast<K>(b) & K(MAGNITUDE));
  return bitcast<V>(select(bitcast<K>(select(b, a, a > b)), K(QUIET_NAN), magnitude > K(INFINITY_BITS)));
}

fn combine_min_float(a: V, b: V) -> V {
  let magnitude = max(bitcast<K>(a) & K(MAGNITUDE), bitcast<K>(b) & K(MAGNITUDE));
  return bitcast<V>(select(bitcast<K>(select(b, a, a < b)), K(QUIET_NAN), magnitude > K(INFINITY_BITS)));
}

// Columns: every lane is a result of its own.
fn finish_each(v: V) -> V {
  return v;
}

// Rows read as vec4: the four lanes belong to one result. As a tree, so that sums stay pairwise.
fn finish_lanes(v: V) -> T {
  let pair = combine(v, v.zwxy);
  return combine(pair, pair.yxwz).x;
}

// log(e^a + e^b). Of equal infinities their own value, for their difference is NaN; NaN stays, for nothing equals it.
// log(1 + e) by Kahan's quotient: what 1 + e rounds away is put back.
fn combine_logaddexp(a: V, b: V) -> V {
  let top = combine_max_float(a, b);
  let e = exp(-abs(a - b));
  let u = V(1.0) + e;
  let rest = select(log(u) * (e / (u - V(1.0))), e, u == V(1.0));
  let infinite = (bitcast<K>(a) & K(MAGNITUDE)) == K(INFINITY_BITS);
  return select(top + rest, top, (a == b) & infinite);
}
