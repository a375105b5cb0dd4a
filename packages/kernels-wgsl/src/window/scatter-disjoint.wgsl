// y[o, d, h, w, i] = ct of the window of x that chose this element, else 0: scatter.wgsl where no two windows meet.
//
// x and y are row-major [outer, nd, nh, nw, inner], ct is [outer, od, oh, ow, inner]; extents in V-sized elements, V along
// inner. Windows are at most as long as their steps and not dilated: window k of an axis begins at k * step - low, low >= 0.
// Each invocation has one step of every axis, [outer, cd, ch, cw, inner] in all: it finds what the window there chose,
// once, and writes all elements of the step.
// Bounds: invocations past `count` do nothing; elements outside x are neither read nor written; steps past the last
// window have none. Groups fold over x and y. Workgroup memory: none.

//#default
const GX = 64u;
alias V = f32;
alias K = u32;
fn key(v: V) -> K { return bitcast<K>(v) ^ K(p.flip); }
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  count: u32, inner: u32,
  ow: u32, oh: u32, od: u32,
  nw: u32, nh: u32, nd: u32,
  cw: u32, ch: u32, cd: u32,
  stepW: u32, stepH: u32, stepD: u32,
  lowW: u32, lowH: u32, lowD: u32,
  kw: u32, kh: u32, kd: u32,
  flip: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> ct: array<V>;

@compute @workgroup_size(GX)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let at = (wid.x + wid.y * groups.x) * GX + lid.x;
  if (at >= p.count) {
    return;
  }
  let atW = at / p.inner;
  let i = at - atW * p.inner;
  let atH = atW / p.cw;
  let qw = atW - atH * p.cw;
  let atD = atH / p.ch;
  let qh = atH - atD * p.ch;
  let o = atD / p.cd;
  let qd = atD - o * p.cd;
  // Before x these wrap to large numbers.
  let w0 = qw * p.stepW - p.lowW;
  let h0 = qh * p.stepH - p.lowH;
  let d0 = qd * p.stepD - p.lowD;

  // The largest key's place in y: the first of equals, for later ones must be larger. Nothing is there without a window.
  var best = K(0u);
  var spot = K(0xffffffffu);
  let there = qd < p.od && qh < p.oh && qw < p.ow;
  let kd = select(0u, p.kd, there);
  for (var td = 0u; td < kd; td += 1u) {
    for (var th = 0u; th < p.kh; th += 1u) {
      let line = ((o * p.nd + d0 + td) * p.nh + h0 + th) * p.nw;
      let inside = d0 + td < p.nd && h0 + th < p.nh;
      for (var tw = 0u; tw < p.kw; tw += 1u) {
        if (inside && w0 + tw < p.nw) {
          let place = (line + w0 + tw) * p.inner + i;
          let k = key(x[place]);
          let better = (k > best) | ((k == best) & (spot == K(0xffffffffu)));
          best = select(best, k, better);
          spot = select(spot, K(place), better);
        }
      }
    }
  }
  var c = V();
  if (there) {
    c = ct[(((o * p.od + qd) * p.oh + qh) * p.ow + qw) * p.inner + i];
  }

  for (var td = 0u; td < p.stepD; td += 1u) {
    for (var th = 0u; th < p.stepH; th += 1u) {
      let line = ((o * p.nd + d0 + td) * p.nh + h0 + th) * p.nw;
      let inside = d0 + td < p.nd && h0 + th < p.nh;
      for (var tw = 0u; tw < p.stepW; tw += 1u) {
        if (inside && w0 + tw < p.nw) {
          let place = (line + w0 + tw) * p.inner + i;
          store(place, select(V(), c, spot == K(place)));
        }
      }
    }
  }
}
