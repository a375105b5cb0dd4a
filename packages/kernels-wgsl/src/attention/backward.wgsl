// y[b, i, n, h] = sum over j of w[i, j] * c[b, j, g, h]: what attention's gradients are made of, with every tile of the weights
// computed again. With p[t, s] = exp(score[t, s] - lse[t]) as in forward.wgsl, the weights are
//   p[t, s]                                               for the values' gradient, or
//   scale * p[t, s] * ((a2 . b2)[i, j] - delta[t])        for the queries' and the keys', 0 where a query may not look.
// Rows i are queries t and columns j keys s, or, `swapped`, the other way round; then each key head meets all its query heads.
// A query that sees nothing (lse is HIDDEN) looks at all keys alike.
//
// A workgroup has 4 * GY rows of a head and walks the columns BK at a time; an invocation computes 4 rows x 8 columns of the
// weights, then 4 rows x 8 features of the result.
// Layouts: a and a2 [b, i, head, h] as scalars at any strides but 1 along h; b and b2 [b, head, h, j] as vec4s along j, c
// [b, j, head, h] as vec4s along h, their strides in vec4s; lse then delta, each [b, query head, t], as vec4s along t; `extra`
// is a bias or a mask at any strides. y is row-major in vec4s.
// Bounds: rows and columns are a multiple of 4; rows past the end load the last four and are not stored, columns past it load
// the last vec4 and weigh nothing. Groups fold over x and y; surplus ones walk no columns and store nothing.
// Workgroup memory: 16 * 8 * GX * GY bytes.

//#default
const GX = 8u;
const GY = 8u;
alias V = vec4f;
fn exps(x: vec4f) -> vec4f { return exp(x); }
fn biased(x: vec4f, b: u32, n: u32, t: vec4u, s: vec4u) -> vec4f { return x; }
fn shown(b: u32, n: u32, t: vec4u, s: vec4u) -> vec4<bool> { return vec4<bool>(true); }
@group(1) @binding(1) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

const BK = 8u * GX;
const HIDDEN = -2.38197633e38;

struct Params {
  // Heads of rows and of columns; query heads are `group` times the key heads.
  count: u32, rowHeads: u32, columnHeads: u32, group: u32,
  rows: u32, columns: u32, tiles: u32, depth: u32,
  // The length of a2's and b2's product: 0 for the values' gradient.
  depth2: u32,
  swapped: u32,
  // Keys that there are, and queries; query heads; vec4s of lse, in all and for a head.
  keys: u32, queries: u32, heads: u32, sums: u32, headSums: u32,
  left: u32, right: u32, skip: u32,
  scale: f32,
  four: u32, pieces: u32,
  aBase: u32, aBatch: u32, aHead: u32, aRow: u32,
  bBase: u32, bBatch: u32, bHead: u32, bStep: u32,
  a2Base: u32, a2Batch: u32, a2Head: u32, a2Row: u32,
  b2Base: u32, b2Batch: u32, b2Head: u32, b2Step: u32,
  cBase: u32, cBatch: u32, cHead: u32, cRow: u32,
  extraBase: u32, extraBatch: u32, extraHead: u32, extraRow: u32, extraColumn: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read> a2: array<f32>;
@group(0) @binding(4) var<storage, read> b2: array<vec4f>;
@group(0) @binding(5) var<storage, read> c: array<vec4f>;
@group(0) @binding(6) var<storage, read> stats: array<vec4f>;

// The weights of a tile, [column, four rows].
var<workgroup> weights: array<vec4f, 8u * GX * GY>;

fn weighed(x: vec4f, d: vec4f, z: u32, n: u32, row: u32, column: u32, lse: vec4f, delta: vec4f) -> vec4f {
  let i = vec4u(row);
  let j = column + vec4u(0u, 1u, 2u, 3u);
  let t = select(i, j, p.swapped != 0u);
  let s = select(j, i, p.swapped != 0u);
  let seen = (s + p.left >= t) & (s <= t + p.right) & shown(z, n, t, s);
  let blind = lse <= vec4f(HIDDEN);
  let known = select(exps(biased(x * p.scale, z, n, t, s) - lse), vec4f(1.0 / f32(p.keys)), blind);
  let share = select(vec4f(), known, seen | blind);
  let slope = select(vec4f(), p.scale * share * (d - delta), seen);
  let there = (s < vec4u(p.keys)) & (j < vec4u(p.columns));
  return select(vec4f(), select(slope, share, p.depth2 == 0u), there);
}

@compute @workgroup_size(GX, GY)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let id = wid.x + wid.y * groups.x;
  let zRaw = id / p.tiles;
  let zHead = min(zRaw, p.count - 1u);
  let z = zHead / p.rowHeads;
  let own = zHead - z * p.rowHeads;
  let first = (id - zRaw * p.tiles) * 4u * GY;
  let row = first + lid.y * 4u;
  let near = min(row, p.rows - 4u);
  let four = near + vec4u(0u, 1u, 2u, 3u);
  let rows = p.aBase + z * p.aBatch + own * p.aHead + four * p.aRow;
  let rows2 = p.a2Base + z * p.a2Batch + own * p.a2Head + four * p.a2Row;
  let left = lid.x * 2u;
  let right = min(left + 1u, p.depth / 4u - 1u);
  let last = p.columns / 4u - 1u;

  var o0 = vec4f(); var u0 = vec4f();
  var o1 = vec4f(); var u1 = vec4f();
  var o2 = vec4f(); var u2 = vec4f();
  var o3 = vec4f(); var u3 = vec4f();
  let swapped = p.swapped != 0u;
  let back = select(p.left, p.right, swapped);
  let forth = select(p.right, p.left, swapped);
  let begin = select(0u, (max(first, back) - back) / BK * BK, p.skip != 0u);
  let some = select(p.columns, min(first + 4u * GY + forth, p.columns), p.skip != 0u);
  let end = select(0u, some, zRaw < p.count);
  // Query heads of a key head, one after another; a row of queries has but one.
  let heads = select(1u, p.group, swapped);
  for (var turn = 0u; turn < heads; turn += 1u) {
    let n = select(own, own * p.group + turn, swapped);
    let other = select(own / p.group, n, swapped);
    let bBase = p.bBase + z * p.bBatch + other * p.bHead;
    let b2Base = p.b2Base + z * p.b2Batch + other * p.b2Head;
    let cBase = p.cBase + z * p.cBatch + other * p.cHead;
    let sums = (z * p.heads + n) * p.headSums;
    for (var tile = begin; tile < end; tile += BK) {
      let low = min(tile / 4u + left, last);
      let high = min(low + 1u, last);
      var s0 = vec4f(); var t0 = vec4f();
      var s1 = vec4f(); var t1 = vec4f();
      var s2 = vec4f(); var t2 = vec4f();
      var s3 = vec4f(); var t3 = vec4f();
      for (var h = 0u; h < p.depth; h += 1u) {
        let bl = b[bBase + h * p.bStep + low];
        let bh = b[bBase + h * p.bStep + high];
        let x = vec4f(a[rows.x + h], a[rows.y + h], a[rows.z + h], a[rows.w + h]);
        s0 += x.x * bl; t0 += x.x * bh;
        s1 += x.y * bl; t1 += x.y * bh;
        s2 += x.z * bl; t2 += x.z * bh;
        s3 += x.w * bl; t3 += x.w * bh;
      }
      var d0 = vec4f(); var e0 = vec4f();
      var d1 = vec4f(); var e1 = vec4f();
      var d2 = vec4f(); var e2 = vec4f();
      var d3 = vec4f(); var e3 = vec4f();
      for (var h = 0u; h < p.depth2; h += 1u) {
        let bl = b2[b2Base + h * p.b2Step + low];
        let bh = b2[b2Base + h * p.b2Step + high];
        let x = vec4f(a2[rows2.x + h], a2[rows2.y + h], a2[rows2.z + h], a2[rows2.w + h]);
        d0 += x.x * bl; e0 += x.x * bh;
        d1 += x.y * bl; e1 += x.y * bh;
        d2 += x.z * bl; e2 += x.z * bh;
        d3 += x.w * bl; e3 += x.w * bh;
      }
      // Sums of the four rows, or of the columns.
      let lowSums = sums + select(near / 4u, low, swapped);
      let highSums = sums + select(near / 4u, high, swapped);
      let lseLow = stats[lowSums];
      let lseHigh = stats[highSums];
      let deltaLow = stats[p.sums + lowSums];
      let deltaHigh = stats[p.sums + highSums];
      var lse = lseLow;
      var delta = deltaLow;
      let column = tile + lid.x * 8u;
      // Turns the rows, so that the text stands once; the trip count is no constant, or it unrolls.
      for (var r = 0u; r < p.four; r += 1u) {
        let l = select(vec4f(lse.x), lseLow, swapped);
        let k = select(vec4f(lse.x), lseHigh, swapped);
        let s = weighed(s0, d0, z, n, row + r, column, l, select(vec4f(delta.x), deltaLow, swapped));
        let t = weighed(t0, e0, z, n, row + r, column + 4u, k, select(vec4f(delta.x), deltaHigh, swapped));
        s0 = s1; s1 = s2; s2 = s3; s3 = s; t0 = t1; t1 = t2; t2 = t3; t3 = t;
        d0 = d1; d1 = d2; d2 = d3; e0 = e1; e1 = e2; e2 = e3;
        lse = lse.yzwx; delta = delta.yzwx;
      }
      let at = lid.x * 8u * GY + lid.y;
      weights[at] = vec4f(s0.x, s1.x, s2.x, s3.x);
      weights[at + GY] = vec4f(s0.y, s1.y, s2.y, s3.y);
      weights[at + 2u * GY] = vec4f(s0.z, s1.z, s2.z, s3.z);
      weights[at + 3u * GY] = vec4f(s0.w, s1.w, s2.w, s3.w);
      weights[at + 4u * GY] = vec4f(t0.x, t1.x, t2.x, t3.x);
      weights[at + 5u * GY] = vec4f(t0.y, t1.y, t2.y, t3.y);
      weights[at + 6u * GY] = vec4f(t0.z, t1.z, t2.z, t3.z);
      weights[at + 7u * GY] = vec4f(t0.w, t1.w, t2.w, t3.w);
      workgroupBarrier();
      let there = min(BK, p.columns - tile);
      for (var j = 0u; j < there; j += 1u) {
        let w = weights[j * GY + lid.y];
        let cl = c[cBase + (tile + j) * p.cRow + left];
        let ch = c[cBase + (tile + j) * p.cRow + right];
        o0 += w.x * cl; u0 += w.x * ch;
        o1 += w.y * cl; u1 += w.y * ch;
        o2 += w.z * cl; u2 += w.z * ch;
        o3 += w.w * cl; u3 += w.w * ch;
      }
      workgroupBarrier();
    }
  }
  for (var i = 0u; i < p.pieces; i += 1u) {
    let column = left + (i & 1u);
    if (zRaw < p.count && row < p.rows && column < p.depth / 4u) {
      store(((z * p.rows + row + i / 2u) * p.rowHeads + own) * (p.depth / 4u) + column, o0);
    }
    o0 = u0; u0 = o1; o1 = u1; u1 = o2; o2 = u2; u2 = o3; o3 = u3;
  }
}
