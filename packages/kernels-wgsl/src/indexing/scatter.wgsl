// y[o, row, i] = base[o, row, i] merged with updates[o, k, i] for every k whose index is row, in ascending k.
//
// The transpose of gather.wgsl, without atomics: one invocation for each result looks through all the indices, so
// the order is fixed and the cost is outer * rows * inner * take comparisons (plan.ts bounds it, else sorts first).
// updates: [outer, take, inner]; result: [outer, rows, inner]; extents in V-sized elements, V along inner; index:
// int32 or uint32 bits at k (one for a slice) or at the update's own place (along axis), by gather.wgsl's rule; in
// mode 0 an index outside [0, rows) drops its update.
// A workgroup covers a box of 64 results: 2^xBits along inner, 2^yBits along rows, the rest along outer, so that
// no shape leaves lanes idle. Each invocation steps on along the longer of the last two (one of yStep, zStep is 0).
// Bounds: results are guarded by their extents, updates by k < take. Workgroup memory: none.
//#use row-functions.wgsl

//#default
alias V = f32;
fn merge(a: V, b: V) -> V { return a + b; }
fn slot(o: u32, k: u32, i: u32) -> u32 { return k; }
@group(1) @binding(1) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  outer: u32,
  rows: u32,
  take: u32,
  inner: u32,
  hasBase: u32,
  mode: u32,
  wrap: u32,
  signed: u32,
  xBits: u32,
  yBits: u32,
  yStep: u32,
  zStep: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> updates: array<V>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
// What is scattered into, [outer, rows, inner]; with hasBase = 0 it is not read and that is zeros.
@group(0) @binding(3) var<storage, read> base: array<V>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let x = (wid.x << p.xBits) + (lid.x & ((1u << p.xBits) - 1u));
  let y = (wid.y << p.yBits) + ((lid.x >> p.xBits) & ((1u << p.yBits) - 1u));
  let zBits = 6u - p.xBits - p.yBits;
  let z = (wid.z << zBits) + (lid.x >> (p.xBits + p.yBits));
  if (x >= p.inner) {
    return;
  }
  var row = y;
  for (var o = z; o < p.outer && row < p.rows; o += p.zStep) {
    let at = (o * p.rows + row) * p.inner + x;
    var v = V(0);
    if (p.hasBase != 0u) {
      v = base[at];
    }
    for (var k = 0u; k < p.take; k += 1u) {
      if (row_named(index[slot(o, k, x)]) == row) {
        v = merge(v, updates[(o * p.take + k) * p.inner + x]);
      }
    }
    store(at, v);
    row += p.yStep;
  }
}
