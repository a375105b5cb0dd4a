alias F = vec4f;
alias I = vec4i;
alias U = vec4u;
alias B = vec4<bool>;
const GROUP = 16u;
alias T = f32;
alias V = vec4f;
alias K = vec4u;
struct Hooks { e_m0: u32 }
@group(1) @binding(0) var<uniform> h: Hooks;
@group(1) @binding(1) var<storage, read> x0: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read_write> y0: array<vec4<f32>>;
fn line(o: u32) {
  var a_m0 = V(bitcast<T>(h.e_m0));
  for (var r = 0u; r < p.reduce; r += 1u) {
  let i = o * p.reduce + r;
  let t1_0 = x0[i];
  let t1_1 = op_exp(t1_0);
    a_m0 = combine_sum(a_m0, t1_1);
  }
  let v_m0 = a_m0;
  let w_m0 = combine_sum(v_m0, v_m0.zwxy);
  let f_m0 = combine_sum(w_m0, w_m0.yxwz).x;
  let m0 = F(f_m0);
  for (var r = 0u; r < p.reduce; r += 1u) {
  let i = o * p.reduce + r;
  let t2_0 = x0[i];
  let t2_1 = op_exp(t2_0);
  let t2_2 = m0;
  let t2_3 = (t2_1 / t2_2);
  y0[i] = t2_3;
  }
}
fn combine_sum(a: V, b: V) -> V {
  return a + b;
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
struct Params {
  count: u32,
  reduce: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@compute @workgroup_size(GROUP)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let o = (wid.x + wid.y * groups.x) * GROUP + lid.x;
  if (o >= p.count) {
    return;
  }
  line(o);
}
