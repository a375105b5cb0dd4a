// y[b, c, r] = x[b, r, c]: the last two axes swap places, four by four elements in registers, no barrier.
//
// x: [batch, rows, cols] read through `load`, result [batch, cols, rows] written through `store`, both row-major;
// rows and cols are counted in fours, i in vec4. An invocation reads four vec4 of a column of x and writes four of a
// column of y.
// A workgroup covers a box of 64 blocks: 2^xBits along cols, 2^yBits along rows, the rest along batch, so that no shape
// leaves lanes idle; their places in the invocation's number begin at bits xAt, yAt and zAt. Each invocation steps on along
// the longer of the last two (one of yStep, zStep is 0).
// Bounds: blocks past the extents do nothing. Workgroup memory: none.

//#default
alias V = vec4f;
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<V>;
fn load(i: u32) -> V { return x0[i]; }
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  batch: u32,
  rows: u32,
  cols: u32,
  xBits: u32,
  yBits: u32,
  yStep: u32,
  zStep: u32,
  xAt: u32,
  yAt: u32,
  zAt: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u) {
  let x = (wid.x << p.xBits) + ((lid.x >> p.xAt) & ((1u << p.xBits) - 1u));
  let y = (wid.y << p.yBits) + ((lid.x >> p.yAt) & ((1u << p.yBits) - 1u));
  let zBits = 6u - p.xBits - p.yBits;
  let z = (wid.z << zBits) + (lid.x >> p.zAt);
  if (x >= p.cols) {
    return;
  }
  var r = y;
  for (var n = z; n < p.batch && r < p.rows; n += p.zStep) {
    let source = (n * p.rows + r) * 4u * p.cols + x;
    let a = load(source);
    let b = load(source + p.cols);
    let c = load(source + 2u * p.cols);
    let d = load(source + 3u * p.cols);
    let goal = (n * p.cols + x) * 4u * p.rows + r;
    store(goal, V(a.x, b.x, c.x, d.x));
    store(goal + p.rows, V(a.y, b.y, c.y, d.y));
    store(goal + 2u * p.rows, V(a.z, b.z, c.z, d.z));
    store(goal + 3u * p.rows, V(a.w, b.w, c.w, d.w));
    r += p.yStep;
  }
}
