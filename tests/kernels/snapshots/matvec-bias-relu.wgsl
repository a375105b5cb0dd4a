alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
const LANES = 4u;
const LINES = 8u;
alias T = f32;
alias T4 = vec4<f32>;
alias V = T;
alias X = T4;
alias TA = X;
alias TB = X;
fn loadX(at: u32) -> X { return a[at]; }
fn loadY(base: u32, k: u32) -> X { return b[base + k * p.yStep]; }
fn fold(v: X) -> T { return v.x + v.y + (v.z + v.w); }
@group(1) @binding(1) var<storage, read_write> y0: array<f32>;
fn store(i: u32, v: f32) {
  let t0_0 = F(v);
  y0[i] = t0_0;
}
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
  d0: u32,
  d1: u32,
  x0: u32,
  x1: u32,
  x2: u32,
  s0: u32,
  s1: u32,
  s2: u32,
  batch: u32,
  chunk: u32,
  slabs: u32,
  tiles: u32,
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

// ---- the next dispatch ----

alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
const GX = 64u;
alias T = f32;
alias T4 = vec4<f32>;
alias V = T;
@group(1) @binding(1) var<storage, read> x0: array<f32>;
@group(1) @binding(2) var<storage, read_write> y0: array<f32>;
fn store(i: u32, v: f32) {
  let t0_0 = F(v);
  let t0_1 = F(x0[0u]);
  let t0_2 = op_add_f(t0_0, t0_1);
  let t0_3 = op_relu(t0_2);
  y0[i] = t0_3;
}
fn op_add_f(x: F, y: F) -> F { return x + y; }
fn size_bits(x: F) -> U { return bitcast<U>(x) & U(0x7fffffffu); }
fn op_isnan(x: F) -> B { return size_bits(x) > U(0x7f800000u); }
fn op_relu(x: F) -> F { return select(F(0.0), x, (x > F(0.0)) | op_isnan(x)); }
struct Params {
  count: u32,
  parts: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<V>;
@compute @workgroup_size(GX)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let i = (wid.x + wid.y * groups.x) * GX + lid.x;
  if (i < p.count) {
    var sum = V();
    for (var s = 0u; s < p.parts; s += 1u) {
      sum += w[s * p.count + i];
    }
    store(i, sum);
  }
}
