// y[o, d, h, w, i] = combine over taps of x[o, place(d), place(h), place(w), i]: a windowed reduction over three axes.
//
// On each axis tap t of position k reads x at (k * step + t * dil - low) / base, where that is whole and within x; other
// taps change nothing. x is read through `load`, row-major [outer, nd, nh, nw, inner], y written through `store`,
// [outer, od, oh, ow, inner]; extents in V-sized elements, V along inner. An empty window gives the identity.
// Bounds: invocations past `count` store nothing. Groups fold over x and y. Workgroup memory: none.

//#default
const GX = 64u;
alias T = f32;
alias V = f32;
fn combine(a: V, b: V) -> V { return a + b; }
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<V>;
fn load(i: u32) -> V { return x0[i]; }
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  count: u32, inner: u32,
  ow: u32, oh: u32, od: u32,
  nw: u32, nh: u32, nd: u32,
  stepW: u32, stepH: u32, stepD: u32,
  lowW: u32, lowH: u32, lowD: u32,
  baseW: u32, baseH: u32, baseD: u32,
  dilW: u32, dilH: u32, dilD: u32,
  kw: u32, kh: u32, kd: u32,
  // Bits of the value that changes nothing: a uniform, for no constant expression may be an infinity.
  identity: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(GX)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let at = (wid.x + wid.y * groups.x) * GX + lid.x;
  let atW = at / p.inner;
  let i = at - atW * p.inner;
  let atH = atW / p.ow;
  let atD = atH / p.oh;
  let o = atD / p.od;
  let w0 = (atW - atH * p.ow) * p.stepW - p.lowW;
  let h0 = (atH - atD * p.oh) * p.stepH - p.lowH;
  let d0 = (atD - o * p.od) * p.stepD - p.lowD;
  var y = V(bitcast<T>(p.identity));
  let kd = select(0u, p.kd, at < p.count);
  for (var td = 0u; td < kd; td += 1u) {
    let d = d0 + td * p.dilD;
    let qd = d / p.baseD;
    // Below zero d wraps to a large number, whose quotient may lie within x: compare before dividing.
    let inD = d < p.nd * p.baseD && qd * p.baseD == d;
    for (var th = 0u; th < p.kh; th += 1u) {
      let h = h0 + th * p.dilH;
      let qh = h / p.baseH;
      let inH = inD && h < p.nh * p.baseH && qh * p.baseH == h;
      for (var tw = 0u; tw < p.kw; tw += 1u) {
        let w = w0 + tw * p.dilW;
        let qw = w / p.baseW;
        if (inH && w < p.nw * p.baseW && qw * p.baseW == w) {
          y = combine(y, load((((o * p.nd + qd) * p.nh + qh) * p.nw + qw) * p.inner + i));
        }
      }
    }
  }
  if (at < p.count) {
    store(at, y);
  }
}
