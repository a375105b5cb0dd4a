// y[m, o] = sum over taps t and channels c of x[place(m, t), c] * w[t, c, o]: one V of neighbouring features an invocation.
//
// The plan takes it for depthwise convolutions, where each feature has channels of its own, and for small ones.
// Rows, places and strides are those of implicit.wgsl; features count V, `cols` of them in a group. X is T, or V where
// the lanes of V read channels of their own (depthwise: groups then count V as well).
// y is row-major [rows, features] and leaves through `store`.
// Bounds: invocations past the last element store nothing and load nothing. Groups fold over x and y.
// Workgroup memory: none.

//#default
const GX = 64u;
alias T = f32;
alias V = T;
alias X = T;
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  count: u32, cols: u32, channels: u32, features: u32,
  inner: u32, ow: u32, oh: u32, od: u32,
  stepW: u32, stepH: u32, stepD: u32,
  lowW: u32, lowH: u32, lowD: u32,
  spanW: u32, spanH: u32, spanD: u32,
  baseW: u32, baseH: u32, baseD: u32,
  dilW: u32, dilH: u32, dilD: u32,
  xBase: u32, xZ: u32, xOuter: u32, xInner: u32, xC: u32, xW: u32, xH: u32, xD: u32,
  wBase: u32, wCol: u32, wC: u32, wW: u32, wH: u32, wD: u32,
  kw: u32, kh: u32, kd: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<X>;
@group(0) @binding(2) var<storage, read> b: array<V>;

@compute @workgroup_size(GX)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let i = (wid.x + wid.y * groups.x) * GX + lid.x;
  let m = i / p.features;
  let o = i - m * p.features;
  let mw = m / p.inner;
  let n = m - mw * p.inner;
  let mh = mw / p.ow;
  let md = mh / p.oh;
  let mn = md / p.od;
  let w0 = (mw - mh * p.ow) * p.stepW - p.lowW;
  let h0 = (mh - md * p.oh) * p.stepH - p.lowH;
  let d0 = (md - mn * p.od) * p.stepD - p.lowD;
  let xBase = p.xBase + n * p.xInner + mn * p.xOuter + o / p.cols * p.xZ;
  let wBase = p.wBase + o * p.wCol;
  var sum = V();
  let kd = select(0u, p.kd, i < p.count);
  for (var td = 0u; td < kd; td += 1u) {
    let d = d0 + td * p.dilD;
    let inD = d < p.spanD && d % p.baseD == 0u;
    for (var th = 0u; th < p.kh; th += 1u) {
      let h = h0 + th * p.dilH;
      let inH = inD && h < p.spanH && h % p.baseH == 0u;
      for (var tw = 0u; tw < p.kw; tw += 1u) {
        let w = w0 + tw * p.dilW;
        if (inH && w < p.spanW && w % p.baseW == 0u) {
          let xAt = xBase + w / p.baseW * p.xW + h / p.baseH * p.xH + d / p.baseD * p.xD;
          let wAt = wBase + tw * p.wW + th * p.wH + td * p.wD;
          for (var c = 0u; c < p.channels; c += 1u) {
            sum += a[xAt + c * p.xC] * b[wAt + c * p.wC];
          }
        }
      }
    }
  }
  if (i < p.count) {
    store(i, sum);
  }
}
