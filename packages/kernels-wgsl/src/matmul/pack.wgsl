// w[z, j, k, c] = x[z, k, 8 * j + c]: eight columns of b (or rows of a) side by side, contiguous along k, as tile.wgsl reads them.
//
// Layouts: element (k, i) of x at base + along(k) + i * stride, in scalars, any strides; the base grows by up to three batch axes.
// A product walks k at one step; a convolution's window at those of its axes, channels innermost.
// `carry` takes four neighbouring i through STEP values of k: scalars, one vec4 where i is contiguous in aligned vec4s, or four of them
// turned where k is (STEP 4). w in vec4s, two of them for each k, `pitch` times two to a panel.
// Bounds: i past the edge repeats the last one (in fours where they are read as vec4s). Groups fold over x and y; k past the end is
// not stored. Workgroup memory: none. Neighbours on local_id.x are neighbours along k, each moving the vec4s of PANELS
// panels: two are a cache line of x where that is read across them.

//#default
const GX = 64u;
const STEP = 1u;
const PANELS = 1u;
alias T = f32;
alias T4 = vec4f;
alias X = T;
alias V = T4;
fn along(k: u32) -> u32 { return k * p.step; }
fn four(base: u32, i: u32) -> T4 {
  let at = min(i + vec4u(0u, 1u, 2u, 3u), vec4u(p.extent - 1u)) * p.stride + base;
  return T4(x[at.x], x[at.y], x[at.z], x[at.w]);
}
// The j-th vec4 of the line that begins with panel `first`, at k.
fn carry(z: u32, first: u32, k: u32, base: u32, j: u32) {
  let panel = first + j / 2u;
  if (panel < p.panels) {
    store(((z * p.panels + panel) * p.pitch + k) * 2u + j % 2u, four(base, first * 8u + j * 4u));
  }
}
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  extent: u32,
  k: u32,
  // From panel to panel, k or a little more.
  pitch: u32,
  base: u32,
  stride: u32,
  step: u32,
  d0: u32,
  d1: u32,
  x0: u32,
  x1: u32,
  x2: u32,
  batch: u32,
  panels: u32,
  // Workgroups across the panels, and along k.
  lines: u32,
  blocks: u32,
  // Of a window: extents and strides of its axes, that of the channels being `step`.
  channels: u32,
  kw: u32,
  kh: u32,
  sW: u32,
  sH: u32,
  sD: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;

@compute @workgroup_size(GX)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let group = wid.x + wid.y * groups.x;
  let line = group / p.blocks;
  let k = ((group - line * p.blocks) * GX + lid.x) * STEP;
  let z = line / p.lines;
  let first = (line - z * p.lines) * PANELS;
  let z1 = z / p.d0;
  let i0 = z - z1 * p.d0;
  let i2 = z1 / p.d1;
  let i1 = z1 - i2 * p.d1;
  let base = p.base + i0 * p.x0 + i1 * p.x1 + i2 * p.x2 + along(k);
  // No loop: the walk along k is the innermost one then, and its addresses step.
  if (z < p.batch && k < p.k) {
    carry(z, first, k, base, 0u);
    carry(z, first, k, base, 1u);
    if (PANELS > 1u) {
      carry(z, first, k, base, 2u);
      carry(z, first, k, base, 3u);
    }
  }
}
