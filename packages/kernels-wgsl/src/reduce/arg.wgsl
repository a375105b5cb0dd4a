// y[o, i] = the r at which x[o, r, i] is largest (flip = 0) or smallest (flip = ~0); the first of equals, NaN before all.
//
// x is the virtual row-major array [outer, reduce, inner], read through `load`; all extents count V-sized elements:
// V along inner for columns, along reduce for rows (inner = 1). One invocation for each result, no barrier. Parts,
// lanes and chunks are column.wgsl's. An element becomes a key (u32, larger wins) and a position (smaller wins).
// Whole lines store positions. Parts store their keys and, `count` further on, their positions; a second stage
// reads such a pair at i and `pairs` + i (consts `key` and `position` say which).
// Bounds: invocations past `count` results return; groups fold over x and y. Workgroup memory: none.

//#default
const GROUP = 64u;
alias V = f32;
alias K = u32;
alias R = i32;
fn key(source: u32) -> K {
  let bits = bitcast<K>(load(source));
  return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u) ^ p.flip;
}
fn position(source: u32, r: u32) -> K { return K(r); }
fn emit(at: u32, best: K, spot: K) { store(at, bitcast<R>(spot)); }
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
  flip: u32,
  pairs: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

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
  var line = at;
  var lane = 0u;
  if (p.inner > 1u) {
    line = at / p.inner;
    lane = at - line * p.inner;
  }
  var begin = 0u;
  var end = p.reduce;
  if (p.splits > 1u) {
    let part = line % p.splits;
    line = line / p.splits;
    let first = part / p.lanes * p.chunk;
    begin = first + part % p.lanes;
    end = min(first + p.chunk, p.reduce);
  }
  var source = (line * p.reduce + begin) * p.inner + lane;

  // Nothing yet: the least key at a position after all others.
  var best = K(0u);
  var spot = K(0xffffffffu);
  for (var r = begin; r < end; r += p.lanes) {
    let k = key(source);
    let i = position(source, r);
    let better = (k > best) | ((k == best) & (i < spot));
    best = select(best, k, better);
    spot = select(spot, i, better);
    source += p.lanes * p.inner;
  }
  emit(at, best, spot);
}
