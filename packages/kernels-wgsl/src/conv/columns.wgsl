// a[j, t, c, r] = x[place(4 * j + r, t), c]: a convolution's left matrix, which implicit.wgsl never stores, packed four rows side by
// side as matmul/tile.wgsl reads them. For a CPU: packing costs little beside the product, and that then runs at its full speed.
//
// Rows are output positions (outer batch, depth, height, width, inner batch), the last innermost; taps and channels as in
// implicit.wgsl, whose `place`, `isIn` and `innerAt` these are. One invocation takes four rows through all taps. The hook `carry`
// writes UNIT channels of one tap, from c on: four scalars, one vec4 of four neighbouring rows, or four vec4s of four channels.
// Bounds: rows past the edge repeat the last one; taps outside x load element 0 and are zero. Groups fold over x and y, panels past
// the last do nothing. Workgroup memory: none.

//#default
const GX = 8u;
const UNIT = 1u;
alias T = f32;
alias T4 = vec4f;
alias TA = T;
alias V = T4;
fn place(t: vec4u, base: u32) -> vec4u { return t; }
fn isIn(t: vec4u, span: u32, base: u32) -> vec4<bool> { return t < vec4u(span); }
fn innerAt(n: vec4u) -> vec4u { return n * p.xInner; }
fn carry(goal: u32, c: u32, at: vec4u, step: vec4u, within: vec4<bool>) {
  let i = at + c * step;
  store(goal + c, select(T4(), T4(a[i.x], a[i.y], a[i.z], a[i.w]), within));
}
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  rows: u32, channels: u32, panels: u32, taps: u32,
  inner: u32, ow: u32, oh: u32, od: u32,
  stepW: u32, stepH: u32, stepD: u32,
  lowW: u32, lowH: u32, lowD: u32,
  spanW: u32, spanH: u32, spanD: u32,
  baseW: u32, baseH: u32, baseD: u32,
  dilW: u32, dilH: u32, dilD: u32,
  xBase: u32, xOuter: u32, xInner: u32, xC: u32, xW: u32, xH: u32, xD: u32,
  kw: u32, kh: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<TA>;

@compute @workgroup_size(GX)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let panel = (wid.x + wid.y * groups.x) * GX + lid.x;
  if (panel >= p.panels) {
    return;
  }
  let m = min(panel * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(p.rows - 1u));
  let lineW = m / p.inner;
  let lineH = lineW / p.ow;
  let lineD = lineH / p.oh;
  let outer = lineD / p.od;
  // Where four rows begin on each axis before the tap is added; below zero wraps around.
  let w0 = (lineW - lineH * p.ow) * p.stepW - p.lowW;
  let h0 = (lineH - lineD * p.oh) * p.stepH - p.lowH;
  let d0 = (lineD - outer * p.od) * p.stepD - p.lowD;
  let image = innerAt(m - lineW * p.inner) + outer * p.xOuter + p.xBase;
  var goal = panel * p.taps * p.channels;
  var tw = 0u;
  var th = 0u;
  var td = 0u;
  for (var t = 0u; t < p.taps; t += 1u) {
    let w = w0 + tw * p.dilW;
    let h = h0 + th * p.dilH;
    let d = d0 + td * p.dilD;
    let within = isIn(w, p.spanW, p.baseW) & isIn(h, p.spanH, p.baseH) & isIn(d, p.spanD, p.baseD);
    let there = image + place(w, p.baseW) * p.xW + place(h, p.baseH) * p.xH + place(d, p.baseD) * p.xD;
    let at = select(vec4u(), there, within);
    let step = select(vec4u(), vec4u(p.xC), within);
    for (var c = 0u; c < p.channels; c += UNIT) {
      carry(goal, c, at, step, within);
    }
    goal += p.channels;
    tw += 1u;
    if (tw == p.kw) { tw = 0u; th += 1u; }
    if (th == p.kh) { th = 0u; td += 1u; }
  }
}
