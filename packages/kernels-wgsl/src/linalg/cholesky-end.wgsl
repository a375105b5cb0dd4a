// y[z, i, j] = l[z, i, j] below the diagonal, its square root on it, 0 above; NaN for 0 or more below where a matrix was
// not positive definite: the result of cholesky.wgsl's workspace.
//
// w: that workspace, [count, n, n] and a flag for each matrix. The result is row-major and leaves through `store`.
// Bounds: elements past the last do nothing; groups fold over x and y. Workgroup memory: none.

//#default
alias V = f32;
@group(1) @binding(1) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  n: u32,
  total: u32,
  nan: u32,
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
  let column = i - line * p.n;
  let z = line / p.n;
  let row = line - z * p.n;
  let value = w[i];
  let whole = select(value, sqrt(value), row == column);
  let right = select(bitcast<f32>(p.nan), whole, w[p.total + z] > 0.0);
  store(i, select(right, 0.0, column > row));
}
