// w[z, j, k, 8] = b[z, k, 8 * j + 0..7]: b's columns by eights, each eight contiguous along k, for tile.wgsl.
//
// Layouts: element (k, n) of b at bBase + k * bStep + n * bCol, in scalars, any strides; the base grows by up to three batch axes. w in vec4s.
// Bounds: columns past the edge repeat the last one, and nobody uses them. Groups fold over x and y; k past the end is not stored.
// Workgroup memory: none. Neighbours on local_id.x are neighbours along k: they write what is contiguous.

//#default
const GX = 64u;
alias T = f32;
alias T4 = vec4f;
alias V = T4;
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  n: u32,
  k: u32,
  bBase: u32,
  bCol: u32,
  bStep: u32,
  d0: u32,
  d1: u32,
  b0: u32,
  b1: u32,
  b2: u32,
  batch: u32,
  panels: u32,
  blocks: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> b: array<T>;

@compute @workgroup_size(GX)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let group = wid.x + wid.y * groups.x;
  let line = group / p.blocks;
  let k = (group - line * p.blocks) * GX + lid.x;
  let z = line / p.panels;
  let panel = line - z * p.panels;
  let z1 = z / p.d0;
  let i0 = z - z1 * p.d0;
  let i2 = z1 / p.d1;
  let i1 = z1 - i2 * p.d1;
  let base = p.bBase + i0 * p.b0 + i1 * p.b1 + i2 * p.b2 + min(k, p.k - 1u) * p.bStep;
  let last = p.n - 1u;
  let low = min(panel * 8u + vec4u(0u, 1u, 2u, 3u), vec4u(last)) * p.bCol + base;
  let high = min(panel * 8u + vec4u(4u, 5u, 6u, 7u), vec4u(last)) * p.bCol + base;
  if (z < p.batch && k < p.k) {
    let at = (line * p.k + k) * 2u;
    store(at, T4(b[low.x], b[low.y], b[low.z], b[low.w]));
    store(at + 1u, T4(b[high.x], b[high.y], b[high.z], b[high.w]));
  }
}
