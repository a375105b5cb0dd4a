// y[o, d, h, w, i] = sum of ct over the windows of x that chose this element: the transpose of a windowed maximum.
//
// x and y are row-major [outer, nd, nh, nw, inner], ct is [outer, od, oh, ow, inner]; extents in V-sized elements, V along
// inner. On each axis tap t of window k lies at k * step + t * dil - low. Each invocation walks the windows that hold its
// element and finds again what each of them chose, so that nothing is added atomically.
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
@group(0) @binding(2) var<storage, read> ct: array<V>;

@compute @workgroup_size(GX)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let at = (wid.x + wid.y * groups.x) * GX + lid.x;
  let atW = at / p.inner;
  let i = at - atW * p.inner;
  let atH = atW / p.nw;
  let atD = atH / p.nh;
  let o = atD / p.nd;
  let w = atW - atH * p.nw + p.lowW;
  let h = atH - atD * p.nh + p.lowH;
  let d = atD - o * p.nd + p.lowD;
  var y = V();
  let kd = select(0u, p.kd, at < p.count);
  // Window k = (place - t * dil) / step, where that is whole; below zero the difference wraps to a large number.
  for (var td = 0u; td < kd; td += 1u) {
    let rd = d - td * p.dilD;
    let qd = rd / p.stepD;
    let inD = qd < p.od && rd <= d && qd * p.stepD == rd;
    for (var th = 0u; th < p.kh; th += 1u) {
      let rh = h - th * p.dilH;
      let qh = rh / p.stepH;
      let inH = inD && qh < p.oh && rh <= h && qh * p.stepH == rh;
      for (var tw = 0u; tw < p.kw; tw += 1u) {
        let rw = w - tw * p.dilW;
        let qw = rw / p.stepW;
        if (inH && qw < p.ow && rw <= w && qw * p.stepW == rw) {
          let spot = chosen(o, rd - p.lowD, rh - p.lowH, rw - p.lowW, i);
          let mine = spot == K((td * p.kh + th) * p.kw + tw);
          y += select(V(), ct[(((o * p.od + qd) * p.oh + qh) * p.ow + qw) * p.inner + i], mine);
        }
      }
    }
  }
  if (at < p.count) {
    store(at, y);
  }
}
