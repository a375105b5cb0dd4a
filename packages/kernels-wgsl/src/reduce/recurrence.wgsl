// y[o, r, i] = a[o, r, i] * y[o, r - 1, i] + b[o, r, i], with 0 before the first; in reverse, y[o, r + 1, i] and from the last.
//
// The linear recurrence that derivatives of accumulations are. One invocation walks a line. a, b and y are row-major
// [outer, n, inner]; extents count V-sized elements, V along inner.
// Bounds: invocations past `count` lines do nothing; groups fold over x and y. Workgroup memory: none.

//#default
alias V = f32;
@group(1) @binding(1) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  count: u32,
  n: u32,
  inner: u32,
  reverse: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<V>;
@group(0) @binding(2) var<storage, read> b: array<V>;

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let line = (wid.x + wid.y * groups.x) * 64u + lid.x;
  if (line >= p.count) {
    return;
  }
  let outer = line / p.inner;
  let lane = line - outer * p.inner;
  var all = V(0);
  for (var r = 0u; r < p.n; r += 1u) {
    let row = select(r, p.n - 1u - r, p.reverse != 0u);
    let at = (outer * p.n + row) * p.inner + lane;
    all = a[at] * all + b[at];
    store(at, all);
  }
}
