// w[s, z, r, t] = sum over k in part s of x[z, r, k] * y[z, k, t], for 1 to 4 thin columns t and long rows r.
//
// The long operand x lies contiguous along k: matrix * vector with a row-major matrix, or vector * matrix^T. LANES neighbours walk
// along k together, each for four rows, so that one load of y serves four of x. Every lane leaves its own part sum;
// parts.wgsl adds them up, which costs less than a barrier here does on software adapters.
// (Contiguous along r instead: vector.wgsl.)
// Either of a and b may be the long one: `loadX` and `loadY` name it, `TA` and `TB` are their element types.
// x(r, k) is at xBase + r * xRow + k, in units of `X`: T, or a vec4 (whole aligned vec4s along k, and k counts those).
// y(k, t) is at yBase + k * yStep + t * yCol, in the same units where y is bound as X, else in scalars.
// The result goes to slab * rows * thin + r * cRow + t * cThin through `store`, one scalar at a time.
// Bounds: rows past the edge load the last one again and are not stored. Groups fold over x and y.
// Workgroup memory: none.

//#default
const LANES = 4u;
const LINES = 8u;
alias T = f32;
alias V = T;
alias X = vec4f;
alias TA = X;
alias TB = X;
fn loadX(at: u32) -> X { return a[at]; }
fn loadY(base: u32, k: u32) -> X { return b[base + k * p.yStep]; }
fn fold(v: X) -> T { return v.x + v.y + (v.z + v.w); }
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  rows: u32,
  thin: u32,
  k: u32,
  xBase: u32,
  xRow: u32,
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
  // Lane l of chunk q takes q * chunk + l, then every LANES-th k of the chunk: part s = q * LANES + l.
  chunk: u32,
  // Slabs of one lane: chunks * batch.
  slabs: u32,
  tiles: u32,
  // 4, the rows of an invocation. Not a constant, or compilers unroll the loop over `store`.
  pieces: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<TA>;
@group(0) @binding(2) var<storage, read> b: array<TB>;

@compute @workgroup_size(LANES, LINES)
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
  let row = ((group - line * p.tiles) * LINES + lid.y) * 4u;
  let q = slab / p.batch;
  let z = slab - q * p.batch;
  let z1 = z / p.d0;
  let i0 = z - z1 * p.d0;
  let i2 = z1 / p.d1;
  let i1 = z1 - i2 * p.d1;
  let rows = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(p.rows - 1u)) * p.xRow
    + (p.xBase + i0 * p.x0 + i1 * p.x1 + i2 * p.x2);
  let yBase = p.yBase + i0 * p.s0 + i1 * p.s1 + i2 * p.s2 + t * p.yCol;

  var c0 = X();
  var c1 = X();
  var c2 = X();
  var c3 = X();
  let end = min((q + 1u) * p.chunk, p.k);
  for (var k = q * p.chunk + lid.x; k < end; k += LANES) {
    let v = loadY(yBase, k);
    c0 += v * loadX(rows.x + k);
    c1 += v * loadX(rows.y + k);
    c2 += v * loadX(rows.z + k);
    c3 += v * loadX(rows.w + k);
  }

  let at = ((q * LANES + lid.x) * p.batch + z) * p.rows * p.thin + t * p.cThin;
  for (var i = 0u; i < p.pieces; i += 1u) {
    if (slabRaw < p.slabs && row + i < p.rows) {
      store(at + (row + i) * p.cRow, fold(c0));
    }
    c0 = c1;
    c1 = c2;
    c2 = c3;
  }
}
