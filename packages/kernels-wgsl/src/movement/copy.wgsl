// y[.., o1, o0, j, i] = x[offset + i * sx + j * sy + o0 * s0 + o1 * s1 + ..]: any strided view made contiguous.
//
// The view has rank 2 to 8 (missing axes have extent 1), the result is row-major. Strides are in elements of the
// load, modulo 2^32, so that negative ones work; 0 broadcasts. Three forms, by the consts:
//   scalar to scalar; vec4 to vec4 where sx = 1 and all else is divisible by four (then everything counts vec4);
//   four scalars, `lane` apart, to one vec4.
// A workgroup covers a box of 64 results: 2^xBits along i, 2^yBits along j, the rest along the outer axes, so that
// no shape leaves lanes idle. Each invocation steps on along the longer of the last two (one of yStep, zStep is 0).
// `outer_offset` peels off the outer axes: two at most, as nearly all views have, or up to six, which costs 20 ms to compile.
// Bounds: results are guarded by the extents; the view must lie within x. Workgroup memory: none.

//#default
alias L = f32;
alias V = f32;
fn fetch(at: u32) -> V { return load(at); }
fn outer_offset(o: u32) -> u32 { return offset_of_many(o); }
@group(1) @binding(1) var<storage, read> x0: array<L>;
@group(1) @binding(2) var<storage, read_write> y0: array<V>;
fn load(i: u32) -> L { return x0[i]; }
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  rank: u32,
  outer: u32,
  ny: u32,
  nx: u32,
  offset: u32,
  lane: u32,
  sx: u32,
  sy: u32,
  n0: u32,
  s0: u32,
  n1: u32,
  s1: u32,
  n2: u32,
  s2: u32,
  n3: u32,
  s3: u32,
  n4: u32,
  s4: u32,
  n5: u32,
  s5: u32,
  xBits: u32,
  yBits: u32,
  yStep: u32,
  zStep: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

// Where in x the outer position o begins. n0 is the innermost of the outer axes.
fn offset_of_few(o: u32) -> u32 {
  var at = p.offset;
  if (p.rank > 2u) {
    let q = o / p.n0;
    at += (o - q * p.n0) * p.s0 + q * p.s1;
  }
  return at;
}

fn offset_of_many(o: u32) -> u32 {
  var rest = o;
  var at = p.offset;
  if (p.rank > 2u) {
    let q = rest / p.n0;
    at += (rest - q * p.n0) * p.s0;
    rest = q;
    if (p.rank > 3u) {
      let q = rest / p.n1;
      at += (rest - q * p.n1) * p.s1;
      rest = q;
    }
    if (p.rank > 4u) {
      let q = rest / p.n2;
      at += (rest - q * p.n2) * p.s2;
      rest = q;
    }
    if (p.rank > 5u) {
      let q = rest / p.n3;
      at += (rest - q * p.n3) * p.s3;
      rest = q;
    }
    if (p.rank > 6u) {
      let q = rest / p.n4;
      at += (rest - q * p.n4) * p.s4;
      rest = q;
    }
    if (p.rank > 7u) {
      let q = rest / p.n5;
      at += (rest - q * p.n5) * p.s5;
      rest = q;
    }
  }
  return at;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let x = (wid.x << p.xBits) + (lid.x & ((1u << p.xBits) - 1u));
  let y = (wid.y << p.yBits) + ((lid.x >> p.xBits) & ((1u << p.yBits) - 1u));
  let zBits = 6u - p.xBits - p.yBits;
  let z = (wid.z << zBits) + (lid.x >> (p.xBits + p.yBits));
  if (x >= p.nx) {
    return;
  }
  // Two loops, so that the outer axes are peeled off once where the steps go along j.
  if (p.zStep == 0u) {
    if (z < p.outer) {
      let source = outer_offset(z) + x * p.sx;
      let goal = z * p.ny * p.nx + x;
      for (var j = y; j < p.ny; j += p.yStep) {
        store(goal + j * p.nx, fetch(source + j * p.sy));
      }
    }
  } else if (y < p.ny) {
    let source = y * p.sy + x * p.sx;
    let goal = y * p.nx + x;
    for (var o = z; o < p.outer; o += p.zStep) {
      store(goal + o * p.ny * p.nx, fetch(outer_offset(o) + source));
    }
  }
}
