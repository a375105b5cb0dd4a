alias F = vec4f;
alias I = vec4i;
alias U = vec4u;
alias B = vec4<bool>;
const GROUP = 64u;
fn place(part: u32) -> vec3u { return placeOfPart(part); }
fn walk(begin: u32, end: u32, lanes: u32, source: u32, step: u32, nothing: V) -> V {
  return walk_ones(begin, end, lanes, source, step, nothing);
}
alias T = f32;
alias V = vec4f;
alias K = vec4u;
alias R = V;
fn combine(a: V, b: V) -> V { return combine_sum(a, b); }
fn finish(v: V) -> R { return finish_each(v); }
@group(1) @binding(1) var<storage, read> x0: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read_write> y0: array<vec4<f32>>;
fn load(i: u32) -> vec4<f32> {
  let t0_0 = x0[i];
  let t0_1 = op_exp(t0_0);
  return t0_1;
}
fn store(i: u32, v: vec4<f32>) {
  let t1_0 = F(v);
  y0[i] = t1_0;
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
fn finish_each(v: V) -> V {
  return v;
}
fn walk_ones(begin: u32, end: u32, lanes: u32, first: u32, step: u32, nothing: V) -> V {
  var a = nothing;
  var b = nothing;
  var c = nothing;
  var d = nothing;
  var source = first;
  for (var r = begin; r < end; r += lanes) {
    let next = combine(a, load(source));
    a = b;
    b = c;
    c = d;
    d = next;
    source += step;
  }
  return combine(combine(a, b), combine(c, d));
}
struct Params {
  count: u32,
  reduce: u32,
  inner: u32,
  chunk: u32,
  lanes: u32,
  splits: u32,
  identity: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
fn placeOfPart(at: u32) -> vec3u {
  let line = at / p.splits;
  let part = at - line * p.splits;
  let turn = part / p.lanes;
  let first = turn * p.chunk;
  return vec3u(line, first + (part - turn * p.lanes), min(first + p.chunk, p.reduce));
}
@compute @workgroup_size(GROUP)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let at = (wid.x + wid.y * groups.x) * GROUP + lid.x;
  if (at >= p.count) {
    return;
  }
  var part = at;
  var lane = 0u;
  if (p.inner > 1u) {
    part = at / p.inner;
    lane = at - part * p.inner;
  }
  let line = place(part);
  let source = (line.x * p.reduce + line.y) * p.inner + lane;
  let step = p.lanes * p.inner;
  store(at, finish(walk(line.y, line.z, p.lanes, source, step, V(bitcast<T>(p.identity)))));
}

// ---- the next dispatch ----

alias F = vec4f;
alias I = vec4i;
alias U = vec4u;
alias B = vec4<bool>;
const GROUP = 64u;
fn place(part: u32) -> vec3u { return placeOfPart(part); }
fn walk(begin: u32, end: u32, lanes: u32, source: u32, step: u32, nothing: V) -> V {
  return walk_fours(begin, end, lanes, source, step, nothing);
}
alias T = f32;
alias V = vec4f;
alias K = vec4u;
alias R = V;
fn combine(a: V, b: V) -> V { return combine_sum(a, b); }
fn finish(v: V) -> R { return finish_each(v); }
@group(1) @binding(1) var<storage, read> x0: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read_write> y0: array<vec4<f32>>;
fn load(i: u32) -> vec4<f32> {
  let t0_0 = x0[i];
  return t0_0;
}
fn store(i: u32, v: vec4<f32>) {
  let t1_0 = F(v);
  y0[i] = t1_0;
}
fn combine_sum(a: V, b: V) -> V {
  return a + b;
}
fn finish_each(v: V) -> V {
  return v;
}
fn walk_fours(begin: u32, end: u32, lanes: u32, first: u32, step: u32, nothing: V) -> V {
  var a = nothing;
  var b = nothing;
  var c = nothing;
  var d = nothing;
  var source = first;
  for (var r = begin; r < end; r += 4u * lanes) {
    a = combine(a, load(source));
    b = combine(b, load(source + step));
    c = combine(c, load(source + 2u * step));
    d = combine(d, load(source + 3u * step));
    source += 4u * step;
  }
  return combine(combine(a, b), combine(c, d));
}
struct Params {
  count: u32,
  reduce: u32,
  inner: u32,
  chunk: u32,
  lanes: u32,
  splits: u32,
  identity: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
fn placeOfPart(at: u32) -> vec3u {
  let line = at / p.splits;
  let part = at - line * p.splits;
  let turn = part / p.lanes;
  let first = turn * p.chunk;
  return vec3u(line, first + (part - turn * p.lanes), min(first + p.chunk, p.reduce));
}
@compute @workgroup_size(GROUP)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let at = (wid.x + wid.y * groups.x) * GROUP + lid.x;
  if (at >= p.count) {
    return;
  }
  var part = at;
  var lane = 0u;
  if (p.inner > 1u) {
    part = at / p.inner;
    lane = at - part * p.inner;
  }
  let line = place(part);
  let source = (line.x * p.reduce + line.y) * p.inner + lane;
  let step = p.lanes * p.inner;
  store(at, finish(walk(line.y, line.z, p.lanes, source, step, V(bitcast<T>(p.identity)))));
}
