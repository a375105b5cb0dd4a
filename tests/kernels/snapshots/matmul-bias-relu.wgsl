alias F = vec4f;
alias I = vec4i;
alias U = vec4u;
alias B = vec4<bool>;
const GX = 8u;
const GY = 4u;
alias T = f32;
alias T4 = vec4<f32>;
alias TA = T;
alias TB = T4;
alias V = T4;
fn rowsAt(i: u32) -> vec4u { return min(i + vec4u(0u, 1u, 2u, 3u), vec4u(p.m - 1u)) * p.aRow; }
fn loadA(at: vec4u) -> T4 { return T4(a[at.x], a[at.y], a[at.z], a[at.w]); }
fn colsAt(i: u32) -> vec4u { return vec4u(min(i, p.n - 4u) / 4u); }
fn loadB(at: vec4u) -> T4 { return b[at.x]; }
fn put(i: u32, room: u32, v: T4) { store(i / 4u, v); }
fn tileAt(wid: vec3u, groups: vec3u) -> vec3u { return wid; }
fn place(slab: u32) -> vec3u { return vec3u(); }
struct Hooks { n0c1: u32 }
@group(1) @binding(0) var<uniform> h: Hooks;
@group(1) @binding(1) var<storage, read> x0: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read_write> y0: array<vec4<f32>>;
fn store(i: u32, v: vec4<f32>) {
  let t0_0 = F(v);
  let c0_1 = i % h.n0c1;
  let rc0_1 = i / h.n0c1;
  let t0_1 = x0[c0_1];
  let t0_2 = op_add_f(t0_0, t0_1);
  let t0_3 = op_relu(t0_2);
  y0[i] = t0_3;
}
fn op_add_f(x: F, y: F) -> F { return x + y; }
fn size_bits(x: F) -> U { return bitcast<U>(x) & U(0x7fffffffu); }
fn op_isnan(x: F) -> B { return size_bits(x) > U(0x7f800000u); }
fn op_relu(x: F) -> F { return select(F(0.0), x, (x > F(0.0)) | op_isnan(x)); }
fn tile_of_many(group: u32) -> vec3u {
  let line = group / p.tilesX;
  let slab = line / p.tilesY;
  return vec3u(group - line * p.tilesX, line - slab * p.tilesY, slab);
}
fn place_of_many(slab: u32) -> vec3u {
  let part = slab / p.batch;
  let z = slab - part * p.batch;
  let z1 = z / p.d0;
  let i0 = z - z1 * p.d0;
  let i2 = z1 / p.d1;
  let i1 = z1 - i2 * p.d1;
  return vec3u(part, i0 * p.a0 + i1 * p.a1 + i2 * p.a2, i0 * p.b0 + i1 * p.b1 + i2 * p.b2);
}
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
  d0: u32,
  d1: u32,
  a0: u32,
  a1: u32,
  a2: u32,
  b0: u32,
  b1: u32,
  b2: u32,
  batch: u32,
  chunk: u32,
  slabs: u32,
  tilesX: u32,
  tilesY: u32,
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
