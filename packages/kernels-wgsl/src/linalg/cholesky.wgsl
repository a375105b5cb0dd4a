// l[z, i, j] = (a[z, i, j] - sum over k < j of l[z, i, k] * l[z, j, k]) / sqrt(d[z, j]) below the diagonal, column by
// column, one workgroup a matrix; the diagonal is left as d[z, j], the square of what it shall be.
//
// a: [count, n, n], read through `load`, lower triangle only. Workspace: l as [count, n, n] (above the diagonal nothing
// is written), then for each matrix 1 if all d are positive, else 0. It is read back while it is written, as y0.
// Bounds: rows past n are not walked; surplus groups walk none. Groups fold over x and y. Workgroup memory: none; lanes
// meet in storage, with a barrier after each column's sums and after its division.

//#default
const GX = 64u;
alias V = f32;
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<V>;
fn load(i: u32) -> V { return x0[i]; }
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  n: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(GX)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let z = wid.x + wid.y * groups.x;
  let n = select(0u, p.n, z < p.count);
  let base = z * p.n * p.n;
  var good = 1.0;
  for (var j = 0u; j < n; j += 1u) {
    let own = base + j * n;
    for (var i = j + lid.x; i < n; i += GX) {
      let row = base + i * n;
      var sum = load(row + j);
      for (var k = 0u; k < j; k += 1u) {
        sum -= y0[row + k] * y0[own + k];
      }
      store(row + j, sum);
    }
    storageBarrier();
    let d = y0[own + j];
    good = select(0.0, good, d > 0.0);
    let root = sqrt(d);
    for (var i = j + 1u + lid.x; i < n; i += GX) {
      let at = base + i * n + j;
      store(at, y0[at] / root);
    }
    storageBarrier();
  }
  if (lid.x == 0u && z < p.count) {
    store(p.count * p.n * p.n + z, good);
  }
}
