// P a = l u with partial pivoting, one workgroup a matrix: below the diagonal l (whose diagonal is 1), on and above it u,
// then the permutation: the row of a that each row of P a is, as a float.
//
// a: [count, m, n] with m >= n, read through `load`. Workspace: [count, rows, n], read back while it is written, as y0: m rows
// with l and u, and as many more as hold the m numbers of the permutation, one after another. Column by
// column every lane finds the pivot (the first of the largest) for itself, then exchanges and eliminates in columns of
// its own; after a barrier the column itself and those left of it are exchanged. A pivot of 0 eliminates nothing.
// Bounds: columns past n are not walked; surplus groups walk none. Groups fold over x and y. Workgroup memory: none.

//#default
const GX = 64u;
alias V = f32;
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<V>;
fn load(i: u32) -> V { return x0[i]; }
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  m: u32,
  n: u32,
  rows: u32,
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
  let m = select(0u, p.m, z < p.count);
  let base = z * p.rows * p.n;
  let order = base + p.m * p.n;
  for (var c = lid.x; c < n; c += GX) {
    for (var i = 0u; i < m; i += 1u) {
      store(base + i * n + c, load(z * m * n + i * n + c));
    }
  }
  for (var i = lid.x; i < select(0u, (p.rows - p.m) * p.n, z < p.count); i += GX) {
    store(order + i, f32(i));
  }
  storageBarrier();
  for (var j = 0u; j < n; j += 1u) {
    let diagonal = y0[base + j * n + j];
    var best = j;
    var pivot = diagonal;
    for (var i = j + 1u; i < m; i += 1u) {
      let value = y0[base + i * n + j];
      let larger = abs(value) > abs(pivot);
      pivot = select(pivot, value, larger);
      best = select(best, i, larger);
    }
    let scale = select(pivot, 1.0, pivot == 0.0);
    for (var c = j + 1u + lid.x; c < n; c += GX) {
      let upper = y0[base + j * n + c];
      let top = y0[base + best * n + c];
      store(base + best * n + c, upper);
      store(base + j * n + c, top);
      for (var i = j + 1u; i < m; i += 1u) {
        // Column j still lies unexchanged.
        let left = select(y0[base + i * n + j], diagonal, i == best);
        let at = base + i * n + c;
        store(at, y0[at] - (left / scale) * top);
      }
    }
    storageBarrier();
    for (var i = j + lid.x; i < m; i += GX) {
      let at = base + i * n + j;
      let left = select(y0[at], diagonal, i == best);
      store(at, select(left / scale, pivot, i == j));
    }
    // The columns that are done, and the permutation below the matrix.
    for (var c = lid.x; c < j; c += GX) {
      let upper = y0[base + j * n + c];
      store(base + j * n + c, y0[base + best * n + c]);
      store(base + best * n + c, upper);
    }
    if (lid.x == 0u) {
      let own = y0[order + j];
      store(order + j, y0[order + best]);
      store(order + best, own);
    }
    storageBarrier();
  }
}
