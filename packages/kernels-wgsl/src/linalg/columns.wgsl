// y[z, r, c] = w[z, r, order[z, c]]: the first rows of a workspace, their columns in the order that a row of it gives.
//
// w: [count, stride, n] as eigh.wgsl and svd.wgsl leave it, the order as floats in row `order`. y: [count, rows, n].
// Bounds: elements past the last do nothing; groups fold over x and y. Workgroup memory: none.

//#default
alias V = f32;
@group(1) @binding(1) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  n: u32,
  rows: u32,
  stride: u32,
  order: u32,
  total: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let i = (wid.x + wid.y * groups.x) * 64u + lid.x;
  if (i >= p.total) {
    return;
  }
  let line = i / p.n;
  let c = i - line * p.n;
  let z = line / p.rows;
  let r = line - z * p.rows;
  let base = z * p.stride * p.n;
  let own = u32(w[base + p.order * p.n + c]);
  store(i, w[base + r * p.n + own]);
}
