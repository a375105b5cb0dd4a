// y[o, row, i] = base[o, row, i] merged with updates[o, k, i] for every k whose index is row, in ascending k.
//
// scatter.wgsl for many indices: `load` reads them sorted, rows at [0, take), the k they belong to from `half` on.
// One invocation for each result finds its row's run by bisection: outer * rows * inner * log2(take) comparisons and
// one addition for each update. A run keeps its order, so results repeat bit for bit.
// updates: [outer, take, inner]; result: [outer, rows, inner]; extents in V-sized elements, V along inner.
// A workgroup covers a box of 64 results: 2^xBits along inner, 2^yBits along rows, the rest along outer, so that
// no shape leaves lanes idle. Each invocation steps on along the longer of the last two (one of yStep, zStep is 0).
// Bounds: results are guarded by their extents, the sorted indices by take. Workgroup memory: none.

//#default
alias V = f32;
fn merge(a: V, b: V) -> V { return a + b; }
@group(1) @binding(1) var<storage, read> x0: array<u32>;
@group(1) @binding(2) var<storage, read_write> y0: array<V>;
fn load(i: u32) -> u32 { return x0[i]; }
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  outer: u32,
  rows: u32,
  take: u32,
  inner: u32,
  half: u32,
  hasBase: u32,
  xBits: u32,
  yBits: u32,
  yStep: u32,
  zStep: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> updates: array<V>;
// What is scattered into, [outer, rows, inner]; with hasBase = 0 it is not read and that is zeros.
@group(0) @binding(2) var<storage, read> base: array<V>;

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
    // The first place whose row is not below this one.
    var begin = 0u;
    var end = p.take;
    while (begin < end) {
      let middle = (begin + end) / 2u;
      if (load(middle) < row) {
        begin = middle + 1u;
      } else {
        end = middle;
      }
    }
    while (begin < p.take) {
      if (load(begin) != row) {
        break;
      }
      v = merge(v, updates[(o * p.take + load(p.half + begin)) * p.inner + x]);
      begin += 1u;
    }
    store(at, v);
    row += p.yStep;
  }
}
