// c[z, m, n] = sum over k of a[z, m, k] * b[z, k, n]: one scalar an invocation, any strides.
//
// The plan takes it where the work is so small that compiling a larger kernel costs more than it saves.
// Layouts: element (m, k) of a lies at aBase + m * aRow + k * aStep, element (k, n) of b at bBase + k * bStep + n * bCol;
// the bases grow by up to three batch axes (stride 0 broadcasts). c is row-major [batch, m, n] and leaves through `store`.
// Bounds: invocations past the last element store nothing and load nothing. Groups fold over x and y.
// Workgroup memory: none.

//#default
const GX = 64u;
alias T = f32;
alias V = T;
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  m: u32,
  n: u32,
  k: u32,
  aBase: u32,
  aRow: u32,
  aStep: u32,
  bBase: u32,
  bCol: u32,
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
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<T>;
@group(0) @binding(2) var<storage, read> b: array<T>;

@compute @workgroup_size(GX)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let i = (wid.x + wid.y * groups.x) * GX + lid.x;
  let line = i / p.n;
  let col = i - line * p.n;
  let z = line / p.m;
  let row = line - z * p.m;
  let z1 = z / p.d0;
  let i0 = z - z1 * p.d0;
  let i2 = z1 / p.d1;
  let i1 = z1 - i2 * p.d1;
  let aBase = p.aBase + i0 * p.a0 + i1 * p.a1 + i2 * p.a2 + row * p.aRow;
  let bBase = p.bBase + i0 * p.b0 + i1 * p.b1 + i2 * p.b2 + col * p.bCol;
  let end = select(0u, p.k, i < p.count);
  var sum = T();
  for (var k = 0u; k < end; k += 1u) {
    sum += a[aBase + k * p.aStep] * b[bBase + k * p.bStep];
  }
  if (i < p.count) {
    store(i, sum);
  }
}
