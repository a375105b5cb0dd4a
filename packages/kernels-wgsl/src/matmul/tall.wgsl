// c[z, m, n] = sum over k of a[z, m, k] * b[z, k, n]: each invocation keeps a 16 x 8 tile in registers.
//
// For large products on software adapters, with both operands in vec4s across the tile: as they lie, or as pack.wgsl left them by
// eights. A load there costs as much as four multiply-adds of eight lanes and a vec4 load less than two of a scalar, so a larger
// tile pays as soon as its rows come four at a time (register.wgsl takes them one by one as well).
// Layouts and hooks as in register.wgsl: `rowsAt` and `colsAt` tell where four neighbours of a and b begin, in vec4s, and steps and
// bases count vec4s. c is row-major [batch, m, n] and leaves through `put` and `store`, a vec4 or a scalar at a time.
// Bounds: rows and columns past the edge load the last valid ones again and are not stored. Groups fold over x and y where there are
// more tiles than a grid is wide; those past the last tile compute it again and store nothing.
// Workgroup memory: none. Neighbours on local_id.x hold neighbouring columns.
//#use slab-functions.wgsl

//#default
const GX = 8u;
const GY = 4u;
alias T = f32;
alias T4 = vec4f;
alias TA = T4;
alias TB = T4;
alias V = T4;
fn rowsAt(row: u32) -> vec4u { return vec4u(min(row, p.m - 1u) / 8u * (2u * p.k) + (row & 4u) / 4u); }
fn loadA(at: vec4u) -> T4 { return a[at.x]; }
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
  aStep: u32,
  bBase: u32,
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
  slabs: u32,
  tilesX: u32,
  tilesY: u32,
  // 32, the vec4s of a tile. Not a constant, or compilers unroll the loop over `store`.
  pieces: u32,
  batch: u32,
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
  let row = (tile.y * GY + lid.y) * 16u;
  let col = (tile.x * GX + lid.x) * 8u;
  let at = place(slab);
  let aBase = p.aBase + at.y;
  let bBase = p.bBase + at.z;
  let rows0 = rowsAt(row) + aBase;
  let rows1 = rowsAt(row + 4u) + aBase;
  let rows2 = rowsAt(row + 8u) + aBase;
  let rows3 = rowsAt(row + 12u) + aBase;
  let colsLow = colsAt(col) + bBase;
  let colsHigh = colsAt(col + 4u) + bBase;

  // Row r of the tile is (c_r, d_r). Named variables: an array in registers is an array in memory on some drivers.
  var c0 = T4(); var d0 = T4(); var c1 = T4(); var d1 = T4();
  var c2 = T4(); var d2 = T4(); var c3 = T4(); var d3 = T4();
  var c4 = T4(); var d4 = T4(); var c5 = T4(); var d5 = T4();
  var c6 = T4(); var d6 = T4(); var c7 = T4(); var d7 = T4();
  var c8 = T4(); var d8 = T4(); var c9 = T4(); var d9 = T4();
  var c10 = T4(); var d10 = T4(); var c11 = T4(); var d11 = T4();
  var c12 = T4(); var d12 = T4(); var c13 = T4(); var d13 = T4();
  var c14 = T4(); var d14 = T4(); var c15 = T4(); var d15 = T4();
  let aStep = p.aStep;
  let bStep = p.bStep;
  for (var k = 0u; k < p.k; k += 1u) {
    let a0 = loadA(rows0 + k * aStep);
    let a1 = loadA(rows1 + k * aStep);
    let a2 = loadA(rows2 + k * aStep);
    let a3 = loadA(rows3 + k * aStep);
    let bl = loadB(colsLow + k * bStep);
    let bh = loadB(colsHigh + k * bStep);
    c0 += a0.x * bl; d0 += a0.x * bh;
    c1 += a0.y * bl; d1 += a0.y * bh;
    c2 += a0.z * bl; d2 += a0.z * bh;
    c3 += a0.w * bl; d3 += a0.w * bh;
    c4 += a1.x * bl; d4 += a1.x * bh;
    c5 += a1.y * bl; d5 += a1.y * bh;
    c6 += a1.z * bl; d6 += a1.z * bh;
    c7 += a1.w * bl; d7 += a1.w * bh;
    c8 += a2.x * bl; d8 += a2.x * bh;
    c9 += a2.y * bl; d9 += a2.y * bh;
    c10 += a2.z * bl; d10 += a2.z * bh;
    c11 += a2.w * bl; d11 += a2.w * bh;
    c12 += a3.x * bl; d12 += a3.x * bh;
    c13 += a3.y * bl; d13 += a3.y * bh;
    c14 += a3.z * bl; d14 += a3.z * bh;
    c15 += a3.w * bl; d15 += a3.w * bh;
  }

  // One call of `store`, in a loop that turns the tile: sixteen copies of an epilogue take a second to compile.
  for (var t = 0u; t < p.pieces; t += 1u) {
    let r = row + t / 2u;
    let q = col + (t & 1u) * 4u;
    if (tile.z < p.slabs && r < p.m && q < p.n) {
      put((slab * p.m + r) * p.n + q, p.n - q, c0);
    }
    c0 = d0; d0 = c1; c1 = d1; d1 = c2; c2 = d2; d2 = c3; c3 = d3; d3 = c4;
    c4 = d4; d4 = c5; c5 = d5; d5 = c6; c6 = d6; d6 = c7; c7 = d7; d7 = c8;
    c8 = d8; d8 = c9; c9 = d9; d9 = c10; c10 = d10; d10 = c11; c11 = d11; d11 = c12;
    c12 = d12; d12 = c13; c13 = d13; d13 = c14; c14 = d14; d14 = c15; c15 = d15;
  }
}
