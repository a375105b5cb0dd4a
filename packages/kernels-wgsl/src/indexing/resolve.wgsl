// y[k] = the row that index x[k] names, or 2^32 - 1 if it names none: what the scatter kernels compare rows with.
//
// x and y: flat, `count` long; an index is the bits of an int32 or uint32. The rule is gather.wgsl's, but for mode 0
// the update of an index outside [0, rows) is dropped.
// Bounds: elements past `count` do nothing; groups fold over x and y. Workgroup memory: none.
//#use row-functions.wgsl

//#default
@group(1) @binding(1) var<storage, read> x0: array<u32>;
@group(1) @binding(2) var<storage, read_write> y0: array<u32>;
fn load(i: u32) -> u32 { return x0[i]; }
fn store(i: u32, v: u32) { y0[i] = v; }
//#end

struct Params {
  count: u32,
  rows: u32,
  mode: u32,
  wrap: u32,
  signed: u32,
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
  let row = row_named(bitcast<u32>(load(i)));
  store(i, select(0xffffffffu, row, row < p.rows));
}
