// Householder's factorization, one workgroup a matrix: a = H0 H1 ... R with Hj = 1 - tau[j] v v^T, v = (0.., 1, below the
// diagonal of column j). R on and above the diagonal, v below it, and a last row with tau: LAPACK's geqrf, signs included.
//
// a: [count, m, n], read through `load`. Workspace: [count, m + 1, n], read back while it is written, as y0. Every lane
// finds the reflection of column j for itself and applies it to columns of its own; after a barrier v is scaled.
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
  let m = p.m;
  let base = z * (m + 1u) * p.n;
  for (var c = lid.x; c < n; c += GX) {
    for (var i = 0u; i < m; i += 1u) {
      store(base + i * n + c, load(z * m * n + i * n + c));
    }
    store(base + m * n + c, 0.0);
  }
  storageBarrier();
  let steps = min(m, n);
  for (var j = 0u; j < steps; j += 1u) {
    let alpha = y0[base + j * n + j];
    // The length of what is below, scaled so that no square overflows.
    var largest = 0.0;
    for (var i = j + 1u; i < m; i += 1u) {
      largest = max(largest, abs(y0[base + i * n + j]));
    }
    let unit = select(largest, 1.0, largest == 0.0);
    var squares = 0.0;
    for (var i = j + 1u; i < m; i += 1u) {
      let part = y0[base + i * n + j] / unit;
      squares += part * part;
    }
    let flat = squares == 0.0;
    let wide = max(unit, abs(alpha));
    let a = alpha / wide;
    let b = unit / wide;
    let length = wide * sqrt(a * a + b * b * squares);
    let beta = select(select(-length, length, alpha < 0.0), alpha, flat);
    let tau = select((beta - alpha) / beta, 0.0, flat);
    let scale = select(alpha - beta, 1.0, flat);
    for (var c = j + 1u + lid.x; c < n; c += GX) {
      var sum = y0[base + j * n + c];
      for (var i = j + 1u; i < m; i += 1u) {
        sum += (y0[base + i * n + j] / scale) * y0[base + i * n + c];
      }
      let along = tau * sum;
      store(base + j * n + c, y0[base + j * n + c] - along);
      for (var i = j + 1u; i < m; i += 1u) {
        let at = base + i * n + c;
        store(at, y0[at] - along * (y0[base + i * n + j] / scale));
      }
    }
    storageBarrier();
    for (var i = j + lid.x; i < m; i += GX) {
      let at = base + i * n + j;
      store(at, select(y0[at] / scale, beta, i == j));
    }
    if (lid.x == 0u) {
      store(base + m * n + j, tau);
    }
    storageBarrier();
  }
}
