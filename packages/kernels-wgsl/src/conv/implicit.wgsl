// y[m, o] = sum over taps t and channels c of x[place(m, t), c] * w[t, c, o]: a convolution as a matrix product whose
// left matrix is never stored; each invocation keeps an 8 x 8 tile of y in registers.
//
// A row m is an output position: (outer batch, depth, height, width, inner batch), the last innermost. On each spatial
// axis tap k of position i reads x at i * step + k * dil - low, where that is within [0, span), else zero. With a base
// dilation (the `place` and `isIn` of the plan's other form) only multiples of it count, and are divided by it.
// Strides of x and w are any, modulo 2^32; slab z (a feature or batch group) shifts x by xZ, w by wZ and o by cols.
// `outerAt` and `innerAt` cut the inner batch off a row, `imagesAt`, `isDeep` and `deepAt` are the depth's share: plain
// where there is no such axis, for four rows' divisions and bounds take a good part of the time to compile.
// `TA` and `TB` are T or, for an operand that is contiguous along inner batch or o in aligned vec4s, T4: its strides
// then count vec4s. y is row-major [parts, rows, groups * cols] and leaves through `put` and `store`.
// Part s sums taps [s * chunk, (s + 1) * chunk). Bounds: rows and columns past the edge load the last valid ones again
// and are not stored; taps outside x load element 0 and count as zero. Groups fold over x and y.
// Workgroup memory: none. Neighbours on local_id.x hold neighbouring columns.

//#default
const GX = 8u;
const GY = 4u;
alias T = f32;
alias T4 = vec4f;
alias TA = T;
alias TB = T4;
alias V = T4;
fn place(t: vec4u, base: u32) -> vec4u { return t; }
fn isIn(t: vec4u, span: u32, base: u32) -> vec4<bool> { return t < vec4u(span); }
fn outerAt(m: vec4u) -> vec4u { return m / p.inner; }
fn innerAt(n: vec4u) -> vec4u { return n * p.xInner; }
fn imagesAt(slices: vec4u) -> vec4u { return slices / p.od; }
fn isDeep(d: vec4u) -> vec4<bool> { return isIn(d, p.spanD, p.baseD); }
fn deepAt(d: vec4u) -> vec4u { return place(d, p.baseD) * p.xD; }
fn loadA(at: vec4u) -> T4 { return T4(a[at.x], a[at.y], a[at.z], a[at.w]); }
fn colsAt(col: u32) -> vec4u { return vec4u(min(col, p.cols - 4u) / 4u); }
fn loadB(at: vec4u) -> T4 { return b[at.x]; }
fn put(i: u32, room: u32, v: T4) { store(i / 4u, v); }
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  rows: u32, cols: u32, channels: u32, features: u32,
  // Output extents; that of the outer batch is not needed.
  inner: u32, ow: u32, oh: u32, od: u32,
  stepW: u32, stepH: u32, stepD: u32,
  lowW: u32, lowH: u32, lowD: u32,
  spanW: u32, spanH: u32, spanD: u32,
  baseW: u32, baseH: u32, baseD: u32,
  dilW: u32, dilH: u32, dilD: u32,
  xBase: u32, xZ: u32, xOuter: u32, xInner: u32, xC: u32, xW: u32, xH: u32, xD: u32,
  wBase: u32, wZ: u32, wCol: u32, wC: u32, wW: u32, wH: u32, wD: u32,
  kw: u32, kh: u32, taps: u32, chunk: u32,
  groups: u32, slabs: u32, tilesX: u32, tilesY: u32,
  // 16, the vec4s of a tile. Not a constant, or compilers unroll the loop over `store`.
  pieces: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<TA>;
@group(0) @binding(2) var<storage, read> b: array<TB>;

fn inside(w: vec4u, h: vec4u, d: vec4u) -> vec4<bool> {
  return isIn(w, p.spanW, p.baseW) & isIn(h, p.spanH, p.baseH) & isDeep(d);
}
fn offset(w: vec4u, h: vec4u, d: vec4u) -> vec4u {
  return place(w, p.baseW) * p.xW + place(h, p.baseH) * p.xH + deepAt(d);
}

@compute @workgroup_size(GX, GY)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let group = wid.x + wid.y * groups.x;
  let line = group / p.tilesX;
  let slabRaw = line / p.tilesY;
  let slab = min(slabRaw, p.slabs - 1u);
  let row = ((line - slabRaw * p.tilesY) * GY + lid.y) * 8u;
  let col = ((group - line * p.tilesX) * GX + lid.x) * 8u;
  let part = slab / p.groups;
  let z = slab - part * p.groups;
  let ml = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(p.rows - 1u));
  let mh = min(row + vec4u(4u, 5u, 6u, 7u), vec4u(p.rows - 1u));
  // Where the rows begin on each axis before the tap is added; below zero wraps around.
  let columnsLow = outerAt(ml); let linesLow = columnsLow / p.ow; let slicesLow = linesLow / p.oh;
  let columnsHigh = outerAt(mh); let linesHigh = columnsHigh / p.ow; let slicesHigh = linesHigh / p.oh;
  let imagesLow = imagesAt(slicesLow); let imagesHigh = imagesAt(slicesHigh);
  let wl = (columnsLow - linesLow * p.ow) * p.stepW - p.lowW;
  let wh = (columnsHigh - linesHigh * p.ow) * p.stepW - p.lowW;
  let hl = (linesLow - slicesLow * p.oh) * p.stepH - p.lowH;
  let hh = (linesHigh - slicesHigh * p.oh) * p.stepH - p.lowH;
  let dl = (slicesLow - imagesLow * p.od) * p.stepD - p.lowD;
  let dh = (slicesHigh - imagesHigh * p.od) * p.stepD - p.lowD;
  let xBase = p.xBase + z * p.xZ;
  let nl = innerAt(ml - columnsLow * p.inner) + imagesLow * p.xOuter + xBase;
  let nh = innerAt(mh - columnsHigh * p.inner) + imagesHigh * p.xOuter + xBase;
  let wBase = p.wBase + z * p.wZ;
  let colsLow = colsAt(col) + wBase;
  let colsHigh = colsAt(col + 4u) + wBase;

  // Row r of the tile is (c_r, d_r). Named variables: an array in registers is an array in memory on some drivers.
  var c0 = T4(); var d0 = T4();
  var c1 = T4(); var d1 = T4();
  var c2 = T4(); var d2 = T4();
  var c3 = T4(); var d3 = T4();
  var c4 = T4(); var d4 = T4();
  var c5 = T4(); var d5 = T4();
  var c6 = T4(); var d6 = T4();
  var c7 = T4(); var d7 = T4();
  let xC = p.xC;
  let wC = p.wC;
  let begin = part * p.chunk;
  let end = min(begin + p.chunk, p.taps);
  let line0 = begin / p.kw;
  var tw = begin - line0 * p.kw;
  var td = line0 / p.kh;
  var th = line0 - td * p.kh;
  for (var t = begin; t < end; t += 1u) {
    let w = tw * p.dilW; let h = th * p.dilH; let d = td * p.dilD;
    let inLow = inside(wl + w, hl + h, dl + d);
    let inHigh = inside(wh + w, hh + h, dh + d);
    let xl = select(vec4u(), nl + offset(wl + w, hl + h, dl + d), inLow);
    let xh = select(vec4u(), nh + offset(wh + w, hh + h, dh + d), inHigh);
    let tap = tw * p.wW + th * p.wH + td * p.wD;
    let wLow = colsLow + tap;
    let wHigh = colsHigh + tap;
    let stepLow = select(vec4u(), vec4u(xC), inLow);
    let stepHigh = select(vec4u(), vec4u(xC), inHigh);
    for (var c = 0u; c < p.channels; c += 1u) {
      let al = select(T4(), loadA(xl + c * stepLow), inLow);
      let ah = select(T4(), loadA(xh + c * stepHigh), inHigh);
      let bl = loadB(wLow + c * wC);
      let bh = loadB(wHigh + c * wC);
      c0 += al.x * bl; d0 += al.x * bh;
      c1 += al.y * bl; d1 += al.y * bh;
      c2 += al.z * bl; d2 += al.z * bh;
      c3 += al.w * bl; d3 += al.w * bh;
      c4 += ah.x * bl; d4 += ah.x * bh;
      c5 += ah.y * bl; d5 += ah.y * bh;
      c6 += ah.z * bl; d6 += ah.z * bh;
      c7 += ah.w * bl; d7 += ah.w * bh;
    }
    tw += 1u;
    if (tw == p.kw) { tw = 0u; th += 1u; }
    if (th == p.kh) { th = 0u; td += 1u; }
  }

  // One call of `store`, in a loop that turns the tile: sixteen copies of an epilogue take a second to compile.
  for (var t = 0u; t < p.pieces; t += 1u) {
    let r = row + t / 2u;
    let q = col + (t & 1u) * 4u;
    if (slabRaw < p.slabs && r < p.rows && q < p.cols) {
      put((part * p.rows + r) * p.features + z * p.cols + q, p.cols - q, c0);
    }
    c0 = d0; d0 = c1; c1 = d1; d1 = c2; c2 = d2; d2 = c3; c3 = d3; d3 = c4;
    c4 = d4; d4 = c5; c5 = d5; d5 = c6; c6 = d6; d6 = c7; c7 = d7;
  }
}
