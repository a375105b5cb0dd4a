// y[offset + j * pitch + i] = x[j * nx + i] for j < ny, i < nx: one operand of a concatenation in its place.
//
// x is row-major, read through `load`; rows of the result are `pitch` apart. Everything counts V-sized elements, V along i.
// A workgroup covers a box of 64 elements: 2^xBits along i, the rest along j. Each invocation steps on along j.
// Bounds: elements are guarded by nx and ny; the place must lie within y. Workgroup memory: none.

//#default
alias V = f32;
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<V>;
fn load(i: u32) -> V { return x0[i]; }
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  nx: u32,
  ny: u32,
  offset: u32,
  pitch: u32,
  xBits: u32,
  yBits: u32,
  yStep: u32,
  zStep: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let x = (wid.x << p.xBits) + (lid.x & ((1u << p.xBits) - 1u));
  let y = (wid.y << p.yBits) + ((lid.x >> p.xBits) & ((1u << p.yBits) - 1u));
  if (x >= p.nx || (lid.x >> (p.xBits + p.yBits)) > 0u) {
    return;
  }
  for (var j = y; j < p.ny; j += p.yStep) {
    store(p.offset + j * p.pitch + x, load(j * p.nx + x));
  }
}
