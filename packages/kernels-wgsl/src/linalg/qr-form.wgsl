// y[z] = Q[z] over R[z], each in as many columns as the wider has: Q = H0 H1 ... of the reflections that qr.wgsl left, the
// first `rank` columns; R the first `rank` rows of its upper triangle.
//
// w: [count, m + 1, n] as qr.wgsl leaves it. Workspace: [count, m + rank, wide], read back as y0, each invocation its own
// column of it: a column of Q is the product with a column of the identity, reflection by reflection from the last.
// Bounds: invocations past the last column do nothing; groups fold over x and y. Workgroup memory: none.

//#default
alias V = f32;
@group(1) @binding(1) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  m: u32,
  n: u32,
  rank: u32,
  wide: u32,
  columns: u32,
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
  if (i >= p.columns) {
    return;
  }
  let z = i / p.wide;
  let c = i - z * p.wide;
  let source = z * (p.m + 1u) * p.n;
  let q = z * (p.m + p.rank) * p.wide + c;
  let steps = min(p.m, p.n);
  for (var r = 0u; r < p.m; r += 1u) {
    store(q + r * p.wide, select(0.0, 1.0, r == c && c < p.rank));
  }
  for (var t = 0u; t < steps; t += 1u) {
    let j = steps - 1u - t;
    let tau = w[source + p.m * p.n + j];
    var sum = y0[q + j * p.wide];
    for (var r = j + 1u; r < p.m; r += 1u) {
      sum += w[source + r * p.n + j] * y0[q + r * p.wide];
    }
    let along = tau * sum;
    store(q + j * p.wide, y0[q + j * p.wide] - along);
    for (var r = j + 1u; r < p.m; r += 1u) {
      let at = q + r * p.wide;
      store(at, y0[at] - along * w[source + r * p.n + j]);
    }
  }
  let inside = min(c, p.n - 1u);
  for (var r = 0u; r < p.rank; r += 1u) {
    let value = w[source + r * p.n + inside];
    store(q + (p.m + r) * p.wide, select(0.0, value, c < p.n && r <= c));
  }
}
