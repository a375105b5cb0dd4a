// y[r, c] = x[offset + r * 2^bits + c] for c < n: the sorted keys (offset 0) or positions without the padding.
//
// Bounds: elements past `count` = rows * n do nothing; groups fold over x and y. Workgroup memory: none.

//#default
alias R = u32;
@group(1) @binding(1) var<storage, read> x0: array<R>;
@group(1) @binding(2) var<storage, read_write> y0: array<R>;
fn load(i: u32) -> R { return x0[i]; }
fn store(i: u32, v: R) { y0[i] = v; }
//#end

struct Params {
  count: u32,
  n: u32,
  bits: u32,
  offset: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let i = (wid.x + wid.y * groups.x) * 64u + lid.x;
  if (i >= p.count) {
    return;
  }
  let row = i / p.n;
  store(i, load(p.offset + (row << p.bits) + i - row * p.n));
}
