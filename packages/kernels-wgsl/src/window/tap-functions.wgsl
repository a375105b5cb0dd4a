// Which tap of a window is the chosen one: what max and min pooling and their gradients agree on.
// `p`, `x` and `key` are those of the kernel: the extents of x ([o, nd, nh, nw, inner]) and of the window, its dilations, and the
// order of elements. Bounds: taps outside x are passed over. Workgroup memory: none.

//#default
alias V = f32;
alias K = u32;
struct Params {
  nw: u32, nh: u32, nd: u32,
  kw: u32, kh: u32, kd: u32,
  dilW: u32, dilH: u32, dilD: u32,
  inner: u32,
  flip: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<V>;
fn key(v: V) -> K { return bitcast<K>(v) ^ K(p.flip); }
//#end

// The tap of the window at (w0, h0, d0), counted row-major, whose element of x is largest (flip 0) or smallest (flip all
// ones): the first of equals, a NaN before everything; 0xffffffff where none is within x.
fn chosen(o: u32, d0: u32, h0: u32, w0: u32, i: u32) -> K {
  var best = K(0u);
  var spot = K(0xffffffffu);
  for (var td = 0u; td < p.kd; td += 1u) {
    let d = d0 + td * p.dilD;
    for (var th = 0u; th < p.kh; th += 1u) {
      let h = h0 + th * p.dilH;
      for (var tw = 0u; tw < p.kw; tw += 1u) {
        let w = w0 + tw * p.dilW;
        if (w < p.nw && h < p.nh && d < p.nd) {
          let k = key(x[(((o * p.nd + d) * p.nh + h) * p.nw + w) * p.inner + i]);
          let t = K((td * p.kh + th) * p.kw + tw);
          let better = (k > best) | ((k == best) & (t < spot));
          best = select(best, k, better);
          spot = select(spot, t, better);
        }
      }
    }
  }
  return spot;
}
