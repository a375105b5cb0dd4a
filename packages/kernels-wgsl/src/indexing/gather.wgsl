// y[o, k, i] = table[o, row, i]: take along one axis, row = index[k] (take) or index[o, k, i] (take along axis).
//
// table: [outer, rows, inner]; result: [outer, take, inner]; both row-major, extents in V-sized elements, V along
// inner. An index is the bits of an int32 or uint32. `wrap` is added to negative ones (the axis' length to count
// from the end, 0 to leave them); then by `mode` what is outside [0, rows) reads as `fill` (0), as the nearest row
// (1), or as the row modulo the axis' length (2).
// A workgroup covers a box of 64 results: 2^xBits along inner, 2^yBits along take, the rest along outer, so that
// no shape leaves lanes idle. Each invocation steps on along the longer of the last two (one of yStep, zStep is 0).
// Bounds: results are guarded by their extents, table reads by the index rule. Workgroup memory: none.
//#use row-functions.wgsl

//#default
alias T = f32;
alias V = f32;
fn index_at(o: u32, k: u32, i: u32) -> u32 { return index[k]; }
@group(1) @binding(1) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  outer: u32,
  rows: u32,
  take: u32,
  inner: u32,
  mode: u32,
  wrap: u32,
  signed: u32,
  fill: u32,
  xBits: u32,
  yBits: u32,
  yStep: u32,
  zStep: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> table: array<V>;
@group(0) @binding(2) var<storage, read> index: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let x = (wid.x << p.xBits) + (lid.x & ((1u << p.xBits) - 1u));
  let y = (wid.y << p.yBits) + ((lid.x >> p.xBits) & ((1u << p.yBits) - 1u));
  let zBits = 6u - p.xBits - p.yBits;
  let z = (wid.z << zBits) + (lid.x >> (p.xBits + p.yBits));
  if (x >= p.inner) {
    return;
  }
  let nothing = V(bitcast<T>(p.fill));
  var k = y;
  for (var o = z; o < p.outer && k < p.take; o += p.zStep) {
    let row = row_named(index_at(o, k, x));
    var v = nothing;
    if (row < p.rows) {
      v = table[(o * p.rows + row) * p.inner + x];
    }
    store((o * p.take + k) * p.inner + x, v);
    k += p.yStep;
  }
}
