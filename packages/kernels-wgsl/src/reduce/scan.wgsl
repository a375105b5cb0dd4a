// y[o, r, i] = combine of x[o, 0 .. r, i], or of x[o, r .. n - 1, i] in reverse: an accumulation along the middle axis.
//
// One invocation walks `chunk` elements of a line, in order. Lines of a single part are one dispatch. Longer ones are
// three: the parts' totals [outer, parts, inner], what comes before each part (their exclusive scan), and the parts
// again from there: the consts `fetch`, `start`, `before`, `after` and `finish` say which.
// x is row-major [outer, n, inner]; extents count V-sized elements, V along inner. `load` reads what an earlier dispatch left.
// Bounds: invocations past `count` parts do nothing; groups fold over x and y. Workgroup memory: none.

//#default
alias T = f32;
alias V = f32;
alias K = u32;
fn combine(a: V, b: V) -> V { return a + b; }
fn fetch(at: u32) -> V { return x[at]; }
fn start(part: u32) -> V { return V(bitcast<T>(p.identity)); }
fn before(at: u32, v: V) {}
fn after(at: u32, v: V) { store(at, v); }
fn finish(part: u32, v: V) {}
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<V>;
fn load(i: u32) -> V { return x0[i]; }
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  count: u32,
  n: u32,
  inner: u32,
  chunk: u32,
  parts: u32,
  reverse: u32,
  // Bits of the value that changes nothing: a uniform, for no constant expression may be an infinity.
  identity: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<V>;

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let part = (wid.x + wid.y * groups.x) * 64u + lid.x;
  if (part >= p.count) {
    return;
  }
  let line = part / p.inner;
  let lane = part - line * p.inner;
  let outer = line / p.parts;
  let begin = (line - outer * p.parts) * p.chunk;
  let end = min(begin + p.chunk, p.n);
  var all = start(part);
  for (var r = begin; r < end; r += 1u) {
    let row = select(r, p.n - 1u - r, p.reverse != 0u);
    let at = (outer * p.n + row) * p.inner + lane;
    before(at, all);
    all = combine(all, fetch(at));
    after(at, all);
  }
  finish(part, all);
}
