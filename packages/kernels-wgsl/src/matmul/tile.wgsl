// c[z, m, n] = sum over k of a[z, m, k] * b[z, k, n], for a CPU: each invocation keeps a tile of 4 rows and 8 columns in registers.
//
// Layouts: `rowsAt` and `stepA` say where four rows of a lie, in scalars, and how far apart their neighbours along k: element (m,
// k) at aBase + m * aRow + k * aStep with any strides, or what pack.wgsl made of it, eight rows (conv/columns.wgsl: four) side by
// side. b is bound as T4 and read two vec4s at a time: eight columns from column 8 * j on, at k, begin at bBase + j * bPanel + k *
// `stepB`, in vec4s, the second four at `highOf` the first. That is b itself when its rows are whole aligned vec4s, or what
// pack.wgsl made of it. Steps known as text free registers and instructions: packed operands are a third faster. The bases grow by
// up to three batch axes.
// c is row-major [batch, m, n] and leaves through `put` and `store`, a vec4 or a scalar at a time.
// Bounds: rows past the edge load the last valid one again, four columns past the edge the four before; neither is stored.
// Groups fold over x and y; those past the last tile compute it again and store nothing.
// Workgroup memory: none. Invocations of a group, one after another on a CPU, hold tiles below one another: they share b's columns.

//#default
const GX = 8u;
alias T = f32;
alias T4 = vec4f;
alias V = T4;
fn mad(x: T, y: T4, z: T4) -> T4 { return fma(T4(x), y, z); }
fn rowsAt(row: u32) -> vec4u { return row / 8u * p.aRow + (row & 4u) + vec4u(0u, 1u, 2u, 3u); }
fn stepA() -> u32 { return 8u; }
fn highOf(low: u32, col: u32) -> u32 { return low + 1u; }
fn stepB() -> u32 { return 2u; }
fn put(i: u32, room: u32, v: T4) { store(i / 4u, v); }
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

const BLOCK = 512u;

struct Params {
  m: u32,
  n: u32,
  k: u32,
  aBase: u32,
  aRow: u32,
  aStep: u32,
  bBase: u32,
  bPanel: u32,
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
  panels: u32,
  blocks: u32,
  // The panels of b that stay in a core's cache while all rows of a pass them, and how many times as many there are.
  strip: u32,
  strips: u32,
  // 8, the vec4s of a tile. Not a constant, or the loop over `store` is unrolled.
  pieces: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> b: array<T4>;
@group(0) @binding(2) var<storage, read> a: array<T>;

@compute @workgroup_size(GX)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let group = wid.x + wid.y * groups.x;
  let line = group / p.strip;
  let turn = line / p.blocks;
  let zRaw = turn / p.strips;
  let z = min(zRaw, p.batch - 1u);
  let panel = (turn - zRaw * p.strips) * p.strip + group - line * p.strip;
  let row = ((line - turn * p.blocks) * GX + lid.x) * 4u;
  let col = panel * 8u;
  let z1 = z / p.d0;
  let i0 = z - z1 * p.d0;
  let i2 = z1 / p.d1;
  let i1 = z1 - i2 * p.d1;
  let aBase = p.aBase + i0 * p.a0 + i1 * p.a1 + i2 * p.a2;
  let low = p.bBase + i0 * p.b0 + i1 * p.b1 + i2 * p.b2 + panel * p.bPanel;
  let high = highOf(low, col);
  let rows = rowsAt(row) + aBase;

  // Sums of BLOCK products each: the error of a long sum grows with the length of its pieces.
  var s0 = T4(); var t0 = T4();
  var s1 = T4(); var t1 = T4();
  var s2 = T4(); var t2 = T4();
  var s3 = T4(); var t3 = T4();
  let aStep = stepA();
  let bStep = stepB();
  let length = select(0u, p.k, row < p.m && panel < p.panels);
  for (var begin = 0u; begin < length; begin += BLOCK) {
    var c0 = T4(); var d0 = T4();
    var c1 = T4(); var d1 = T4();
    var c2 = T4(); var d2 = T4();
    var c3 = T4(); var d3 = T4();
    let end = min(begin + BLOCK, length);
    for (var k = begin; k < end; k += 1u) {
      let bl = b[low + k * bStep];
      let bh = b[high + k * bStep];
      let x0 = a[rows.x + k * aStep];
      let x1 = a[rows.y + k * aStep];
      let x2 = a[rows.z + k * aStep];
      let x3 = a[rows.w + k * aStep];
      c0 = mad(x0, bl, c0); d0 = mad(x0, bh, d0);
      c1 = mad(x1, bl, c1); d1 = mad(x1, bh, d1);
      c2 = mad(x2, bl, c2); d2 = mad(x2, bh, d2);
      c3 = mad(x3, bl, c3); d3 = mad(x3, bh, d3);
    }
    s0 += c0; t0 += d0;
    s1 += c1; t1 += d1;
    s2 += c2; t2 += d2;
    s3 += c3; t3 += d3;
  }

  // One call of `store`, in a loop that turns the tile: an epilogue may be long.
  for (var j = 0u; j < p.pieces; j += 1u) {
    let r = row + j / 2u;
    let q = col + (j & 1u) * 4u;
    if (zRaw < p.batch && r < p.m && q < p.n) {
      put((z * p.m + r) * p.n + q, p.n - q, s0);
    }
    s0 = t0; t0 = s1; s1 = t1; t1 = s2; s2 = t2; t2 = s3; s3 = t3;
  }
}
