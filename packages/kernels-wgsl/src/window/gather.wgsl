// y[o, d, h, w, i] = the element of g where the window of x at (d, h, w) has its largest: a windowed maximum's tangent.
//
// x and g are row-major [outer, nd, nh, nw, inner], y is [outer, od, oh, ow, inner]; extents in V-sized elements, V along
// inner. On each axis tap t of window k lies at k * step + t * dil - low. A window that lies outside x gives 0.
// Bounds: invocations past `count` store nothing; taps outside x are not read. Groups fold over x and y.
// Workgroup memory: none.
//#use tap-functions.wgsl

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
  stepW: u32, stepH: u32, stepD: u32,
  lowW: u32, lowH: u32, lowD: u32,
  dilW: u32, dilH: u32, dilD: u32,
  kw: u32, kh: u32, kd: u32,
  flip: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> g: array<V>;

fn within(d: u32, h: u32, w: u32) -> bool { return d < p.nd && h < p.nh && w < p.nw; }

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
  if (at < p.count) {
    let spot = chosen(o, d0, h0, w0, i);
    var y = V();
    for (var td = 0u; td < p.kd; td += 1u) {
      for (var th = 0u; th < p.kh; th += 1u) {
        for (var tw = 0u; tw < p.kw; tw += 1u) {
          let place = ((o * p.nd + d0 + td * p.dilD) * p.nh + h0 + th * p.dilH) * p.nw + w0 + tw * p.dilW;
          let here = spot == K((td * p.kh + th) * p.kw + tw);
          if (within(d0 + td * p.dilD, h0 + th * p.dilH, w0 + tw * p.dilW)) {
            y = select(y, g[place * p.inner + i], here);
          }
        }
      }
    }
    store(at, y);
  }
}
