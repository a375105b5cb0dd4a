// y[b, t, n, h] = sum over s of w[t, s] * v[b, s, g, h] / l[t], with w[t, s] = exp(score[t, s] - m[t]) and l[t] = sum over s of
// w[t, s], for every example b and query head n; g = n / group. score[t, s] = scale * (sum over h of q[b, t, n, h] * k[b, h, s, g]),
// plus bias, or HIDDEN where a query may not look. Of the scores, a workgroup holds one tile: m, l and what is summed so
// far are scaled as a larger score turns up.
//
// A workgroup has 4 * GY queries of a head and walks the keys BK at a time; an invocation computes 4 queries x 8 keys of the
// scores, then 4 queries x 8 features of the result.
// Layouts: q as scalars at any strides but 1 along h; k as vec4s along s, v as vec4s along h, their strides in vec4s; bias and
// mask at any strides. y is row-major in vec4s; with `pieces` 9, m + log(l) of four queries follows it, [batch, heads, queries].
// Bounds: queries are a multiple of 4; rows past them load the last four and are not stored. Columns past the keys load the
// last vec4 and weigh nothing. Groups fold over x and y; surplus ones walk no keys and store nothing.
// Workgroup memory: 16 * 9 * GX * GY bytes.

//#default
const GX = 8u;
const GY = 8u;
alias V = vec4f;
fn exps(x: vec4f) -> vec4f { return exp(x); }
fn logs(x: vec4f) -> vec4f { return log(x); }
fn biased(x: vec4f, b: u32, n: u32, t: vec4u, s: vec4u) -> vec4f { return x; }
fn shown(b: u32, n: u32, t: vec4u, s: vec4u) -> vec4<bool> { return vec4<bool>(true); }
@group(1) @binding(1) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

const BK = 8u * GX;
const HIDDEN = -2.38197633e38;
const LOWEST = -3.40282346e38;

struct Params {
  count: u32, heads: u32, group: u32, rows: u32, tiles: u32,
  // Keys that there are, and the last vec4 of them.
  keys: u32, lastKeys: u32,
  depth: u32,
  // A query at t looks at keys from t - left to t + right; with `skip`, tiles outside are not visited.
  left: u32, right: u32, skip: u32,
  scale: f32,
  // Minus infinity.
  none: f32,
  four: u32, pieces: u32, saved: u32,
  qBase: u32, qBatch: u32, qHead: u32, qRow: u32,
  kBase: u32, kBatch: u32, kHead: u32, kStep: u32,
  vBase: u32, vBatch: u32, vHead: u32, vRow: u32,
  // Hooks read bias and mask with these; extents of what may be read are the queries' and the keys'.
  queries: u32,
  biasBase: u32, biasBatch: u32, biasHead: u32, biasRow: u32, biasColumn: u32,
  maskBase: u32, maskBatch: u32, maskHead: u32, maskRow: u32, maskColumn: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<vec4f>;
@group(0) @binding(3) var<storage, read> v: array<vec4f>;

// The shares of a tile, [key, four queries]; and a number of each lane for its four queries.
var<workgroup> shares: array<vec4f, 8u * GX * GY>;
var<workgroup> parts: array<vec4f, GX * GY>;

fn scored(x: vec4f, b: u32, n: u32, row: u32, column: u32) -> vec4f {
  let t = vec4u(row);
  let s = column + vec4u(0u, 1u, 2u, 3u);
  let near = (s + p.left >= t) & (s <= t + p.right);
  let score = select(vec4f(HIDDEN), biased(x * p.scale, b, n, t, s), near & shown(b, n, t, s));
  return select(vec4f(p.none), score, s < vec4u(p.keys));
}

fn most(x: vec4f, y: vec4f) -> f32 {
  let z = max(x, y);
  return max(max(z.x, z.y), max(z.z, z.w));
}

@compute @workgroup_size(GX, GY)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let id = wid.x + wid.y * groups.x;
  let zRaw = id / p.tiles;
  let z = min(zRaw, p.count - 1u);
  let b = z / p.heads;
  let n = z - b * p.heads;
  let g = n / p.group;
  let first = (id - zRaw * p.tiles) * 4u * GY;
  let row = first + lid.y * 4u;
  let rows = p.qBase + b * p.qBatch + n * p.qHead + (min(row, p.rows - 4u) + vec4u(0u, 1u, 2u, 3u)) * p.qRow;
  let kBase = p.kBase + b * p.kBatch + g * p.kHead;
  let left = lid.x * 2u;
  let right = min(left + 1u, p.depth / 4u - 1u);
  let vBase = p.vBase + b * p.vBatch + g * p.vHead;

  var o0 = vec4f(); var u0 = vec4f();
  var o1 = vec4f(); var u1 = vec4f();
  var o2 = vec4f(); var u2 = vec4f();
  var o3 = vec4f(); var u3 = vec4f();
  var m = vec4f(LOWEST);
  var l = vec4f();
  let near = (max(first, p.left) - p.left) / BK * BK;
  let far = min(first + 4u * GY + p.right, p.keys);
  let begin = select(0u, near, p.skip != 0u);
  let some = select(p.keys, far, p.skip != 0u);
  let end = select(0u, some, zRaw < p.count);
  for (var tile = begin; tile < end; tile += BK) {
    let low = min(tile / 4u + left, p.lastKeys);
    let high = min(low + 1u, p.lastKeys);
    var s0 = vec4f(); var t0 = vec4f();
    var s1 = vec4f(); var t1 = vec4f();
    var s2 = vec4f(); var t2 = vec4f();
    var s3 = vec4f(); var t3 = vec4f();
    for (var h = 0u; h < p.depth; h += 1u) {
      let x0 = q[rows.x + h];
      let x1 = q[rows.y + h];
      let x2 = q[rows.z + h];
      let x3 = q[rows.w + h];
      let kl = k[kBase + h * p.kStep + low];
      let kh = k[kBase + h * p.kStep + high];
      s0 += x0 * kl; t0 += x0 * kh;
      s1 += x1 * kl; t1 += x1 * kh;
      s2 += x2 * kl; t2 += x2 * kh;
      s3 += x3 * kl; t3 += x3 * kh;
    }
    // Loops over the four queries turn them, so that each text stands once; the trip count is no constant, or they unroll.
    let column = tile + lid.x * 8u;
    for (var r = 0u; r < p.four; r += 1u) {
      let s = scored(s0, b, n, row + r, column);
      let t = scored(t0, b, n, row + r, column + 4u);
      s0 = s1; s1 = s2; s2 = s3; s3 = s;
      t0 = t1; t1 = t2; t2 = t3; t3 = t;
    }
    parts[lid.y * GX + lid.x] = vec4f(most(s0, t0), most(s1, t1), most(s2, t2), most(s3, t3));
    workgroupBarrier();
    var top = m;
    for (var x = 0u; x < p.depth; x += 8u) {
      top = max(top, parts[lid.y * GX + x / 8u]);
    }
    let fade = exps(m - top);
    m = top;
    l *= fade;
    for (var r = 0u; r < p.four; r += 1u) {
      let s = exps(s0 - top.x);
      let t = exps(t0 - top.x);
      let both = s + t;
      l = vec4f(l.yzw, l.x + ((both.x + both.y) + (both.z + both.w)));
      top = top.yzwx;
      s0 = s1; s1 = s2; s2 = s3; s3 = s;
      t0 = t1; t1 = t2; t2 = t3; t3 = t;
    }
    let at = lid.x * 8u * GY + lid.y;
    shares[at] = vec4f(s0.x, s1.x, s2.x, s3.x);
    shares[at + GY] = vec4f(s0.y, s1.y, s2.y, s3.y);
    shares[at + 2u * GY] = vec4f(s0.z, s1.z, s2.z, s3.z);
    shares[at + 3u * GY] = vec4f(s0.w, s1.w, s2.w, s3.w);
    shares[at + 4u * GY] = vec4f(t0.x, t1.x, t2.x, t3.x);
    shares[at + 5u * GY] = vec4f(t0.y, t1.y, t2.y, t3.y);
    shares[at + 6u * GY] = vec4f(t0.z, t1.z, t2.z, t3.z);
    shares[at + 7u * GY] = vec4f(t0.w, t1.w, t2.w, t3.w);
    workgroupBarrier();
    o0 *= fade.x; u0 *= fade.x;
    o1 *= fade.y; u1 *= fade.y;
    o2 *= fade.z; u2 *= fade.z;
    o3 *= fade.w; u3 *= fade.w;
    let there = min(BK, p.keys - tile);
    for (var j = 0u; j < there; j += 1u) {
      let w = shares[j * GY + lid.y];
      let vl = v[vBase + (tile + j) * p.vRow + left];
      let vh = v[vBase + (tile + j) * p.vRow + right];
      o0 += w.x * vl; u0 += w.x * vh;
      o1 += w.y * vl; u1 += w.y * vh;
      o2 += w.z * vl; u2 += w.z * vh;
      o3 += w.w * vl; u3 += w.w * vh;
    }
  }

  parts[lid.y * GX + lid.x] = l;
  workgroupBarrier();
  var total = vec4f();
  for (var x = 0u; x < p.depth; x += 8u) {
    total += parts[lid.y * GX + x / 8u];
  }
  o0 /= total.x; u0 /= total.x;
  o1 /= total.y; u1 /= total.y;
  o2 /= total.z; u2 /= total.z;
  o3 /= total.w; u3 /= total.w;
  let sums = m + logs(total);
  let mine = zRaw < p.count && row < p.rows;
  for (var i = 0u; i < p.pieces; i += 1u) {
    let column = left + (i & 1u);
    let at = ((b * p.rows + row + i / 2u) * p.heads + n) * (p.depth / 4u) + column;
    let last = i == 8u;
    let own = select(column < p.depth / 4u, lid.x == 0u, last);
    if (mine && own) {
      store(select(at, p.saved + (z * p.rows + row) / 4u, last), select(o0, sums, last));
    }
    o0 = u0; u0 = o1; o1 = u1; u1 = o2; o2 = u2; u2 = o3; o3 = u3;
  }
}
