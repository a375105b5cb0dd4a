alias F = vec4f;
alias I = vec4i;
alias U = vec4u;
alias B = vec4<bool>;
const LANES = 8u;
const LINES = 8u;
alias T = f32;
alias V = vec4f;
alias K = vec4u;
alias R = T;
fn combine(a: V, b: V) -> V { return combine_sum(a, b); }
fn finish(v: V) -> R { return finish_lanes(v); }
@group(1) @binding(1) var<storage, read> x0: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read_write> y0: array<f32>;
fn load(i: u32) -> vec4<f32> {
  let t0_0 = x0[i];
  let t0_1 = op_exp(t0_0);
  return t0_1;
}
fn store(i: u32, v: f32) {
  let t1_0 = F(v);
  y0[i] = (t1_0).x;
}
fn exp_range(x: F, low: F) -> F {
  let c = select(x, low, x < low);
  return select(c, F(88.8), c > F(88.8));
}
fn exp_whole(c: F) -> F {
  let k = floor(fma(c, F(1.442695), F(0.5)));
  return select(k, F(127.0), k > F(127.0));
}
fn exp_hidden(k: F) -> F { return bitcast<F>(bitcast<U>(k) & U(0xfffff000u)); }
fn size_bits(x: F) -> U { return bitcast<U>(x) & U(0x7fffffffu); }
fn op_isnan(x: F) -> B { return size_bits(x) > U(0x7f800000u); }
fn keep_nan(y: F, x: F) -> F { return select(y, x, op_isnan(x)); }
fn two_to(k: I) -> F { return bitcast<F>(bitcast<U>(k + I(127)) << U(23u)); }
fn op_exp(x: F) -> F {
  let c = exp_range(x, F(-87.8));
  let k = exp_whole(c);
  let r = fma(F(2.12194442e-4), exp_hidden(k), fma(F(-0.693359375), k, c));
  var p = fma(r, F(1.98756912e-4), F(1.39819994e-3));
  p = fma(p, r, F(0.00833345205));
  p = fma(p, r, F(0.0416657962));
  p = fma(p, r, F(0.166666657));
  p = fma(p, r, F(0.5));
  p = fma(p, r * r, r) + 1.0;
  return keep_nan(p * two_to(I(k)), x);
}
fn combine_sum(a: V, b: V) -> V {
  return a + b;
}
fn finish_lanes(v: V) -> T {
  let pair = combine(v, v.zwxy);
  return combine(pair, pair.yxwz).x;
}
struct Params {
  count: u32,
  reduce: u32,
  chunk: u32,
  splits: u32,
  identity: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
var<workgroup> partial: array<V, LANES * LINES>;
@compute @workgroup_size(LANES, LINES)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let line = (wid.x + wid.y * groups.x) * LINES + lid.y;
  let outer = line / p.splits;
  let begin = (line - outer * p.splits) * p.chunk;
  let end = select(0u, min(begin + p.chunk, p.reduce), line < p.count);
  let base = outer * p.reduce;
  let nothing = V(bitcast<T>(p.identity));
  var a = nothing;
  var b = nothing;
  var c = nothing;
  var d = nothing;
  var r = begin + lid.x;
  for (; r < end; r += LANES) {
    let next = combine(a, load(base + r));
    a = b;
    b = c;
    c = d;
    d = next;
  }
  partial[lid.y * LANES + lid.x] = combine(combine(a, b), combine(c, d));
  workgroupBarrier();
  if (lid.x == 0u && line < p.count) {
    var all = partial[lid.y * LANES];
    for (var i = 1u; i < LANES; i += 1u) {
      all = combine(all, partial[lid.y * LANES + i]);
    }
    store(line, finish(all));
  }
}
