// y[.., c1, c0, j, i] = x at ((c - low) / step) on every axis where that is whole and within x, else `value`.
//
// lax.pad: `low` elements before, step - 1 between neighbours, the rest after; a negative low or a short result crops.
// Along an axis of length n the padded extent without the ends is span = (n - 1) * step + 1, or 0 for n = 0; c - low
// is modulo 2^32, so one comparison tests both ends. Rank 2 to 8 (missing axes have extent 1), both row-major;
// extents in V-sized elements, V along the innermost axis, which is then not padded.
// `along` is the place of one axis and `outer` that of the outer ones, with 1 where they are within x: plain where nothing
// goes between neighbours and at most two axes are outer, else general, which takes three times as long to compile.
// A workgroup covers a box of 64 results: 2^xBits along i, 2^yBits along j, the rest along the outer axes, so that
// no shape leaves lanes idle. Each invocation steps on along the longer of the last two (one of yStep, zStep is 0).
// Bounds: results are guarded by the extents, loads by span. Workgroup memory: none.

//#default
alias T = f32;
alias V = f32;
fn along(t: u32, span: u32, step: u32, stride: u32) -> vec2u { return along_steps(t, span, step, stride); }
fn outer(o: u32) -> vec2u { return outer_of_many(o); }
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<V>;
fn load(i: u32) -> V { return x0[i]; }
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  rank: u32,
  outer: u32,
  ny: u32,
  nx: u32,
  value: u32,
  lowx: u32,
  spanx: u32,
  stepx: u32,
  stridex: u32,
  lowy: u32,
  spany: u32,
  stepy: u32,
  stridey: u32,
  n0: u32,
  low0: u32,
  span0: u32,
  step0: u32,
  stride0: u32,
  n1: u32,
  low1: u32,
  span1: u32,
  step1: u32,
  stride1: u32,
  n2: u32,
  low2: u32,
  span2: u32,
  step2: u32,
  stride2: u32,
  n3: u32,
  low3: u32,
  span3: u32,
  step3: u32,
  stride3: u32,
  n4: u32,
  low4: u32,
  span4: u32,
  step4: u32,
  stride4: u32,
  n5: u32,
  low5: u32,
  span5: u32,
  step5: u32,
  stride5: u32,
  xBits: u32,
  yBits: u32,
  yStep: u32,
  zStep: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

fn along_steps(t: u32, span: u32, step: u32, stride: u32) -> vec2u {
  let turn = t / step;
  return vec2u(turn * stride, select(0u, 1u, t < span && turn * step == t));
}

// The sum of the places, and 1 where both are within x.
fn both(a: vec2u, b: vec2u) -> vec2u { return vec2u(a.x + b.x, a.y & b.y); }

fn outer_of_few(o: u32) -> vec2u {
  var at = vec2u(0u, 1u);
  if (p.rank > 2u) {
    let q = o / p.n0;
    let inner = along(o - q * p.n0 - p.low0, p.span0, p.step0, p.stride0);
    at = both(inner, along(q - p.low1, p.span1, p.step1, p.stride1));
  }
  return at;
}

fn outer_of_many(o: u32) -> vec2u {
  var at = vec2u(0u, 1u);
  var rest = o;
  if (p.rank > 2u) {
    let q = rest / p.n0;
    at = both(at, along(rest - q * p.n0 - p.low0, p.span0, p.step0, p.stride0));
    rest = q;
  }
  if (p.rank > 3u) {
    let q = rest / p.n1;
    at = both(at, along(rest - q * p.n1 - p.low1, p.span1, p.step1, p.stride1));
    rest = q;
  }
  if (p.rank > 4u) {
    let q = rest / p.n2;
    at = both(at, along(rest - q * p.n2 - p.low2, p.span2, p.step2, p.stride2));
    rest = q;
  }
  if (p.rank > 5u) {
    let q = rest / p.n3;
    at = both(at, along(rest - q * p.n3 - p.low3, p.span3, p.step3, p.stride3));
    rest = q;
  }
  if (p.rank > 6u) {
    let q = rest / p.n4;
    at = both(at, along(rest - q * p.n4 - p.low4, p.span4, p.step4, p.stride4));
    rest = q;
  }
  if (p.rank > 7u) {
    let q = rest / p.n5;
    at = both(at, along(rest - q * p.n5 - p.low5, p.span5, p.step5, p.stride5));
    rest = q;
  }
  return at;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let x = (wid.x << p.xBits) + (lid.x & ((1u << p.xBits) - 1u));
  let y = (wid.y << p.yBits) + ((lid.x >> p.xBits) & ((1u << p.yBits) - 1u));
  let zBits = 6u - p.xBits - p.yBits;
  let z = (wid.z << zBits) + (lid.x >> (p.xBits + p.yBits));
  if (x >= p.nx) {
    return;
  }
  let nothing = V(bitcast<T>(p.value));
  let column = along(x - p.lowx, p.spanx, p.stepx, p.stridex);
  var j = y;
  for (var o = z; o < p.outer && j < p.ny; o += p.zStep) {
    let row = along(j - p.lowy, p.spany, p.stepy, p.stridey);
    let at = both(both(column, row), outer(o));
    var v = nothing;
    if (at.y == 1u) {
      v = load(at.x);
    }
    store((o * p.ny + j) * p.nx + x, v);
    j += p.yStep;
  }
}
