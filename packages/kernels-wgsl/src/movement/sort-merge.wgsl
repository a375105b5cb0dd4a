// Up to four compare-exchange levels of a bitonic sorting network on pairs (key, position), sixteen pairs at a time.
//
// x and y: keys [rows, 2^bits], then positions, `half` elements on. Phase `phase` merges runs of 2^(phase - 1) into
// runs of 2^phase, in alternating directions, by levels phase - 1 .. 0; level l compares elements 2^l apart. This pass
// does those of the levels window .. window + 3 whose bits are set in `levels`. An invocation holds the sixteen
// elements whose indices differ in these four bits, in vec4s a (0-3), b (4-7), c (8-11), d (12-15): the upper two
// levels exchange whole vec4s, the lower two regroup lanes. No barrier, no workgroup memory, and all pairs differ
// (positions do), so the result is a stable sort.
// Bounds: invocations past `count` do nothing; groups fold over x and y. Workgroup memory: none.
//#use sort-functions.wgsl

//#default
alias R = u32;
@group(1) @binding(1) var<storage, read> x0: array<R>;
@group(1) @binding(2) var<storage, read_write> y0: array<R>;
fn load(i: u32) -> R { return x0[i]; }
fn store(i: u32, v: R) { y0[i] = v; }
//#end

struct Params {
  count: u32,
  half: u32,
  window: u32,
  levels: u32,
  phase: u32,
  mask: u32,
}

struct Pairs {
  key: vec4u,
  spot: vec4u,
}

struct Exchange {
  low: Pairs,
  high: Pairs,
}

@group(0) @binding(0) var<uniform> p: Params;

fn fetch(at: vec4u) -> Pairs {
  let to = at + p.half;
  return Pairs(
    bitcast<vec4u>(vec4<R>(load(at.x), load(at.y), load(at.z), load(at.w))),
    bitcast<vec4u>(vec4<R>(load(to.x), load(to.y), load(to.z), load(to.w))),
  );
}

fn put(at: vec4u, v: Pairs) {
  store(at.x, bitcast<R>(v.key.x));
  store(at.y, bitcast<R>(v.key.y));
  store(at.z, bitcast<R>(v.key.z));
  store(at.w, bitcast<R>(v.key.w));
  store(at.x + p.half, bitcast<R>(v.spot.x));
  store(at.y + p.half, bitcast<R>(v.spot.y));
  store(at.z + p.half, bitcast<R>(v.spot.z));
  store(at.w + p.half, bitcast<R>(v.spot.w));
}

// Runs whose index within the row has the phase's bit set are sorted downwards.
fn downwards(at: vec4u) -> vec4<bool> {
  return (((at & vec4u(p.mask)) >> vec4u(p.phase)) & vec4u(1u)) == vec4u(1u);
}

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let t = (wid.x + wid.y * groups.x) * 64u + lid.x;
  if (t >= p.count) {
    return;
  }
  let stride = 1u << p.window;
  let first = ((t >> p.window) << (p.window + 4u)) | (t & (stride - 1u));
  let ia = vec4u(first) + stride * vec4u(0u, 1u, 2u, 3u);
  let ib = ia + 4u * stride;
  let ic = ia + 8u * stride;
  let id = ia + 12u * stride;
  let da = downwards(ia);
  let db = downwards(ib);
  let dc = downwards(ic);
  let dd = downwards(id);
  var e = Exchange(fetch(ia), fetch(ib));
  var f = Exchange(fetch(ic), fetch(id));
  if ((p.levels & 8u) != 0u) {
    let ac = exchange(e.low, f.low, da);
    let bd = exchange(e.high, f.high, db);
    e = Exchange(ac.low, bd.low);
    f = Exchange(ac.high, bd.high);
  }
  if ((p.levels & 4u) != 0u) {
    e = exchange(e.low, e.high, da);
    f = exchange(f.low, f.high, dc);
  }
  if ((p.levels & 2u) != 0u) {
    e = exchange_two(e.low, e.high, da, db);
    f = exchange_two(f.low, f.high, dc, dd);
  }
  if ((p.levels & 1u) != 0u) {
    e = exchange_one(e.low, e.high, da, db);
    f = exchange_one(f.low, f.high, dc, dd);
  }
  put(ia, e.low);
  put(ib, e.high);
  put(ic, f.low);
  put(id, f.high);
}
