// c[z, r, t] = sum over k in part s of x[z, k, r] * y[z, k, t], for 1 to 4 thin columns t and long rows r.
//
// The long operand x lies contiguous along r, so each invocation owns four neighbouring r and walks down k: vector * matrix
// with a row-major matrix, or matrix^T * vector. (Contiguous along k instead: dot.wgsl.)
// Either of a and b may be the long one: `loadX` and `loadY` name it, `TA` and `TB` are their element types.
// x(k, r) is at xBase + k * xStep + r * xCol, in scalars (any strides) or, bound as T4, in whole aligned vec4s along r.
// y(k, t) is at yBase + k * yStep + t * yCol. c goes to slab * rows * thin + r * cRow + t * cThin, through `put` and `store`.
// Bounds: r past the edge loads the last valid ones again and is not stored. Groups fold over x and y.
// Workgroup memory: none.

//#default
const GX = 32u;
alias T = f32;
alias T4 = vec4f;
alias TA = T;
alias TB = T4;
alias V = T4;
fn colsAt(col: u32) -> vec4u { return vec4u(min(col, p.rows - 4u) / 4u); }
fn loadX(at: vec4u) -> T4 { return b[at.x]; }
fn loadY(at: u32) -> T { return a[at]; }
fn put(i: u32, room: u32, v: T4) { store(i / 4u, v); }
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  rows: u32,
  thin: u32,
  k: u32,
  xBase: u32,
  xCol: u32,
  xStep: u32,
  yBase: u32,
  yCol: u32,
  yStep: u32,
  cRow: u32,
  cThin: u32,
  // Batch axes, innermost first: extents (the outermost one is not needed) and strides.
  d0: u32,
  d1: u32,
  x0: u32,
  x1: u32,
  x2: u32,
  s0: u32,
  s1: u32,
  s2: u32,
  batch: u32,
  // Part s of k is [s * chunk, (s + 1) * chunk), cut at k; slab = s * batch + z, of `slabs` in all.
  chunk: u32,
  slabs: u32,
  tiles: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<TA>;
@group(0) @binding(2) var<storage, read> b: array<TB>;

@compute @workgroup_size(GX)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let group = wid.x + wid.y * groups.x;
  let line = group / p.tiles;
  let slabRaw = line / p.thin;
  let slab = min(slabRaw, p.slabs - 1u);
  let t = line - slabRaw * p.thin;
  let r = ((group - line * p.tiles) * GX + lid.x) * 4u;
  let part = slab / p.batch;
  let z = slab - part * p.batch;
  let z1 = z / p.d0;
  let i0 = z - z1 * p.d0;
  let i2 = z1 / p.d1;
  let i1 = z1 - i2 * p.d1;
  let cols = colsAt(r) + (p.xBase + i0 * p.x0 + i1 * p.x1 + i2 * p.x2);
  let yBase = p.yBase + i0 * p.s0 + i1 * p.s1 + i2 * p.s2 + t * p.yCol;

  var even = T4();
  var odd = T4();
  let xStep = p.xStep;
  let yStep = p.yStep;
  let begin = part * p.chunk;
  let end = min(begin + p.chunk, p.k);
  var k = begin;
  for (; k + 1u < end; k += 2u) {
    even += loadY(yBase + k * yStep) * loadX(cols + k * xStep);
    odd += loadY(yBase + (k + 1u) * yStep) * loadX(cols + (k + 1u) * xStep);
  }
  if (k < end) {
    even += loadY(yBase + k * yStep) * loadX(cols + k * xStep);
  }
  if (slabRaw < p.slabs && r < p.rows) {
    put(slab * p.rows * p.thin + r * p.cRow + t * p.cThin, p.rows - r, even + odd);
  }
}
