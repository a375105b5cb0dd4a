// c[z, m, n] = sum over k in part s of a[z, m, k] * b[z, k, n]: each invocation keeps an 8 x 8 tile in registers.
//
// Layouts: element (m, k) of a lies at aBase + m * aRow + k * aStep, element (k, n) of b at bBase + k * bStep + n * bCol;
// the bases grow by up to three batch axes (stride 0 broadcasts). `TA` and `TB` are T (any strides) or, for an operand
// that is contiguous along m or n in whole aligned vec4s, T4: then its steps and bases count vec4s.
// c is row-major [parts * batch, m, n] and leaves through `put` and `store`, a vec4 or a scalar at a time.
// `tileAt` tells a group's column and row of tiles, and its slab; `place` gives the part of k and the operands' batch
// offsets of a slab. Where there is one slab the grid is the tiles, and a plain product is spared eight divisions and
// their time to compile.
// Bounds: rows and columns past the edge load the last valid ones again and are not stored; k has no tail.
// Else groups fold over x and y; those past the last tile compute it again and store nothing.
// Workgroup memory: none. Neighbours on local_id.x hold neighbouring columns.
//#use slab-functions.wgsl

//#default
const GX = 8u;
const GY = 4u;
alias T = f32;
alias T4 = vec4f;
alias TA = T;
alias TB = T4;
alias V = T4;
fn rowsAt(row: u32) -> vec4u { return min(row + vec4u(0u, 1u, 2u, 3u), vec4u(p.m - 1u)) * p.aRow; }
fn loadA(at: vec4u) -> T4 { return T4(a[at.x], a[at.y], a[at.z], a[at.w]); }
fn colsAt(col: u32) -> vec4u { return vec4u(min(col, p.n - 4u) / 4u); }
fn loadB(at: vec4u) -> T4 { return b[at.x]; }
fn put(i: u32, room: u32, v: T4) { store(i / 4u, v); }
fn tileAt(wid: vec3u, groups: vec3u) -> vec3u { return tile_of_many(wid.x + wid.y * groups.x); }
fn place(slab: u32) -> vec3u { return place_of_many(slab); }
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  m: u32,
  n: u32,
  k: u32,
  aBase: u32,
  aRow: u32,
  aStep: u32,
  bBase: u32,
  bCol: u32,
  bStep: u32,
  // Batch axes, innermost first: extents (the outermost one is not needed) and strides.
  d0: u32,
  d1: u32,
  a0: u32,
  a1: u32,
  a2: u32,
  b0: u32,
  b1: u32,
  b2: u32,
  batch: u32,
  // Part s of k is [s * chunk, (s + 1) * chunk), cut at k; slab = s * batch + z, of `slabs` in all.
  chunk: u32,
  slabs: u32,
  tilesX: u32,
  tilesY: u32,
  // 16, the vec4s of a tile. Not a constant, or compilers unroll the loop over `store`.
  pieces: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<TA>;
@group(0) @binding(2) var<storage, read> b: array<TB>;

@compute @workgroup_size(GX, GY)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let tile = tileAt(wid, groups);
  let slab = min(tile.z, p.slabs - 1u);
  let row = (tile.y * GY + lid.y) * 8u;
  let col = (tile.x * GX + lid.x) * 8u;
  let at = place(slab);
  let part = at.x;
  let aBase = p.aBase + at.y;
  let bBase = p.bBase + at.z;
  let rowsLow = rowsAt(row) + aBase;
  let rowsHigh = rowsAt(row + 4u) + aBase;
  let colsLow = colsAt(col) + bBase;
  let colsHigh = colsAt(col + 4u) + bBase;

  // Row r of the tile is (c_r, d_r). Named variables: an array in registers is an array in memory on some drivers.
  var c0 = T4(); var d0 = T4();
  var c1 = T4(); var d1 = T4();
  var c2 = T4(); var d2 = T4();
  var c3 = T4(); var d3 = T4();
  var c4 = T4(); var d4 = T4();
  var c5 = T4(); var d5 = T4();
  var c6 = T4(); var d6 = T4();
  var c7 = T4(); var d7 = T4();
  let aStep = p.aStep;
  let bStep = p.bStep;
  let begin = part * p.chunk;
  let end = min(begin + p.chunk, p.k);
  for (var k = begin; k < end; k += 1u) {
    let al = loadA(rowsLow + k * aStep);
    let ah = loadA(rowsHigh + k * aStep);
    let bl = loadB(colsLow + k * bStep);
    let bh = loadB(colsHigh + k * bStep);
    c0 += al.x * bl; d0 += al.x * bh;
    c1 += al.y * bl; d1 += al.y * bh;
    c2 += al.z * bl; d2 += al.z * bh;
    c3 += al.w * bl; d3 += al.w * bh;
    c4 += ah.x * bl; d4 += ah.x * bh;
    c5 += ah.y * bl; d5 += ah.y * bh;
    c6 += ah.z * bl; d6 += ah.z * bh;
    c7 += ah.w * bl; d7 += ah.w * bh;
  }

  // One call of `store`, in a loop that turns the tile: sixteen copies of an epilogue take a second to compile.
  for (var t = 0u; t < p.pieces; t += 1u) {
    let r = row + t / 2u;
    let q = col + (t & 1u) * 4u;
    if (tile.z < p.slabs && r < p.m && q < p.n) {
      put((slab * p.m + r) * p.n + q, p.n - q, c0);
    }
    c0 = d0; d0 = c1; c1 = d1; d1 = c2; c2 = d2; d2 = c3; c3 = d3; d3 = c4;
    c4 = d4; d4 = c5; c5 = d5; d5 = c6; c6 = d6; d6 = c7; c7 = d7;
  }
}
