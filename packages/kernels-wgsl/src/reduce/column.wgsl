// y[o, s, i] = combine over r in part s of x[o, r, i]: one invocation for each result, no barrier.
//
// x is the virtual row-major array [outer, reduce, inner], read through `load`; all extents count V-sized elements.
//   columns: inner > 1, V along inner, R = V: neighbouring invocations read neighbouring elements.
//   rows:    inner = 1, V along reduce, R = T: `finish` folds the four lanes.
// splits parts cover one line; `lanes` parts share a chunk of the line and take turns in it, so that they read
// neighbours. splits = lanes = 1 with chunk >= reduce is the whole line at once.
// `place` says which line a part is of, and where in it: of parts in `placeOfPart`, or plainly of whole lines, which
// need no division. `walk` combines a part with four accumulators (walk-functions.wgsl). An empty part gives the identity.
// Bounds: invocations past `count` results return; groups fold over x and y. Workgroup memory: none.

//#default
const GROUP = 64u;
alias T = f32;
alias V = f32;
alias R = f32;
fn combine(a: V, b: V) -> V { return a + b; }
fn finish(v: V) -> R { return v; }
fn walk(begin: u32, end: u32, lanes: u32, source: u32, step: u32, nothing: V) -> V {
  var all = nothing;
  for (var r = begin; r < end; r += lanes) { all = combine(all, load(source + (r - begin) / lanes * step)); }
  return all;
}
fn place(part: u32) -> vec3u { return placeOfPart(part); }
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<R>;
fn load(i: u32) -> V { return x0[i]; }
fn store(i: u32, v: R) { y0[i] = v; }
//#end

struct Params {
  count: u32,
  reduce: u32,
  inner: u32,
  chunk: u32,
  lanes: u32,
  splits: u32,
  // Bits of the value that changes nothing: a uniform, for no constant expression may be an infinity.
  identity: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

// The line, and from where to where in it.
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
  // Divisions are dear on every adapter; rows need none.
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
