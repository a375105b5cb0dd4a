// y[o, k, i] = table[o, row, i], row = index[k]: whole rows, one invocation a row, for CPUs and software adapters: the index is
// looked at once, and the walk along the row is one loop. (Elsewhere, and where indices differ along the row: gather.wgsl.)
//
// table: [outer, rows, inner]; result: [outer, take, inner]; both row-major, extents in V-sized elements, V along inner. An index
// is the bits of an int32 or uint32. `wrap` is added to negative ones; then by `mode` what is outside [0, rows) reads as `fill` (0),
// as the nearest row (1), or as the row modulo the axis' length (2).
// Bounds: invocations past outer * take do nothing; groups fold over x and y. Workgroup memory: none.
//#use row-functions.wgsl

//#default
const GX = 16u;
alias T = f32;
alias V = vec4f;
fn index_at(k: u32) -> u32 { return index[k]; }
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  count: u32,
  rows: u32,
  take: u32,
  inner: u32,
  mode: u32,
  wrap: u32,
  signed: u32,
  fill: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<V>;
@group(0) @binding(2) var<storage, read> index: array<u32>;

@compute @workgroup_size(GX)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let at = (wid.x + wid.y * groups.x) * GX + lid.x;
  if (at >= p.count) {
    return;
  }
  let o = at / p.take;
  let row = row_named(index_at(at - o * p.take));
  let goal = at * p.inner;
  if (row < p.rows) {
    let source = (o * p.rows + row) * p.inner;
    for (var i = 0u; i < p.inner; i += 1u) {
      store(goal + i, table[source + i]);
    }
  } else {
    for (var i = 0u; i < p.inner; i += 1u) {
      store(goal + i, V(bitcast<T>(p.fill)));
    }
  }
}
