// x[z, r, c] = (b[z, r, c] - sum over solved k of a[z, r, k] * x[z, k, c]) / a[z, r, r]: one invocation a column of b.
//
// b: [count, n, m], read through `load`; x has its layout, in a workspace that is read back as y0, each invocation its own
// column. a: element (z, r, k) at aBase + z * aBatch + r * aRow + k * aColumn, so that transposes are strides; rows go
// down (upper = 0, the lower triangle is read) or up (upper = 1). unit = 1 takes the diagonal as 1.
// Bounds: invocations past the last column do nothing; groups fold over x and y. Workgroup memory: none.

//#default
alias V = f32;
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<V>;
fn load(i: u32) -> V { return x0[i]; }
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  n: u32,
  m: u32,
  columns: u32,
  aBase: u32,
  aBatch: u32,
  aRow: u32,
  aColumn: u32,
  upper: u32,
  unit: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let i = (wid.x + wid.y * groups.x) * 64u + lid.x;
  if (i >= p.columns) {
    return;
  }
  let z = i / p.m;
  let base = z * p.n * p.m + (i - z * p.m);
  let matrix = p.aBase + z * p.aBatch;
  for (var t = 0u; t < p.n; t += 1u) {
    let r = select(t, p.n - 1u - t, p.upper == 1u);
    let row = matrix + r * p.aRow;
    var sum = load(base + r * p.m);
    for (var s = 0u; s < t; s += 1u) {
      let k = select(s, p.n - 1u - s, p.upper == 1u);
      sum -= a[row + k * p.aColumn] * y0[base + k * p.m];
    }
    let pivot = select(a[row + r * p.aColumn], 1.0, p.unit == 1u);
    store(base + r * p.m, sum / pivot);
  }
}
