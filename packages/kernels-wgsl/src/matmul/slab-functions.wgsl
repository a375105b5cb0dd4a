// Where a workgroup of a product in tiles stands, if there is more than one slab of them: register.wgsl and tall.wgsl.
// `p` is the uniform of the kernel, whatever else that holds. slab = part of k * batch + z; z runs over up to three batch axes, whose
// strides are a0 to a2 in a and b0 to b2 in b. Bounds: none, there is no indexing. Workgroup memory: none.

//#default
struct Params {
  d0: u32,
  d1: u32,
  a0: u32,
  a1: u32,
  a2: u32,
  b0: u32,
  b1: u32,
  b2: u32,
  batch: u32,
  tilesX: u32,
  tilesY: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
//#end

// A group's column and row of tiles, and its slab.
fn tile_of_many(group: u32) -> vec3u {
  let line = group / p.tilesX;
  let slab = line / p.tilesY;
  return vec3u(group - line * p.tilesX, line - slab * p.tilesY, slab);
}

// A slab's part of k, and how far into a and b its batch lies.
fn place_of_many(slab: u32) -> vec3u {
  let part = slab / p.batch;
  let z = slab - part * p.batch;
  let z1 = z / p.d0;
  let i0 = z - z1 * p.d0;
  let i2 = z1 / p.d1;
  let i1 = z1 - i2 * p.d1;
  return vec3u(part, i0 * p.a0 + i1 * p.a1 + i2 * p.a2, i0 * p.b0 + i1 * p.b1 + i2 * p.b2);
}
