// c[z, r, t] = sum over k of x[z, r, k] * y[z, k, t], for 1 to 4 thin columns t and long rows r.
//
// The long operand x lies contiguous along k: matrix * vector with a row-major matrix, or vector * matrix^T. LANES neighbours walk
// along k together, LANES units a step, each for four rows, so that one load of y serves four of x.
// (Contiguous along r instead: vector.wgsl.)
// Either of a and b may be the long one: `loadX` and `loadY` name it, `TA` and `TB` are their element types.
// x(r, k) is at xBase + r * xRow + k, in units of `X`: T, or a vec4 (whole aligned vec4s along k, and k counts those).
// y(k, t) is at yBase + k * yStep + t * yCol, in the same units where y is bound as X, else in scalars.
// c goes to slab * rows * thin + r * cRow + t * cThin through `store`, one scalar at a time.
// Bounds: rows past the edge load the last one again and are not stored. Groups fold over x and y.
// Workgroup memory: one T for each lane and row, 4 * LANES * LINES (1 KiB); one barrier.

//#default
const LANES = 8u;
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
  slabs: u32,
  tiles: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<TA>;
@group(0) @binding(2) var<storage, read> b: array<TB>;

var<workgroup> partial: array<T, 4u * LANES * LINES>;

@compute @workgroup_size(LANES, LINES)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let group = wid.x + wid.y * groups.x;
  let line = group / p.tiles;
  let slabRaw = line / p.thin;
  let z = min(slabRaw, p.slabs - 1u);
  let t = line - slabRaw * p.thin;
  let first = (group - line * p.tiles) * LINES * 4u;
  let z1 = z / p.d0;
  let i0 = z - z1 * p.d0;
  let i2 = z1 / p.d1;
  let i1 = z1 - i2 * p.d1;
  let row = first + lid.y * 4u;
  let rows = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(p.rows - 1u)) * p.xRow
    + (p.xBase + i0 * p.x0 + i1 * p.x1 + i2 * p.x2);
  let yBase = p.yBase + i0 * p.s0 + i1 * p.s1 + i2 * p.s2 + t * p.yCol;

  var c0 = X();
  var c1 = X();
  var c2 = X();
  var c3 = X();
  for (var k = lid.x; k < p.k; k += LANES) {
    let v = loadY(yBase, k);
    c0 += v * loadX(rows.x + k);
    c1 += v * loadX(rows.y + k);
    c2 += v * loadX(rows.z + k);
    c3 += v * loadX(rows.w + k);
  }
  let mine = lid.y * 4u * LANES + lid.x;
  partial[mine] = fold(c0);
  partial[mine + LANES] = fold(c1);
  partial[mine + 2u * LANES] = fold(c2);
  partial[mine + 3u * LANES] = fold(c3);
  workgroupBarrier();

  // The group's rows are spread over its invocations again, so that neighbours store neighbours.
  for (var i = lid.y * LANES + lid.x; i < 4u * LINES; i += LANES * LINES) {
    var sum = partial[i * LANES];
    for (var lane = 1u; lane < LANES; lane += 1u) {
      sum += partial[i * LANES + lane];
    }
    let r = first + i;
    if (slabRaw < p.slabs && r < p.rows) {
      store(z * p.rows * p.thin + r * p.cRow + t * p.cThin, sum);
    }
  }
}
