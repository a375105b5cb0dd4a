// y[r, c] = key(x[r, i]) and y[half + (r, c)] = i, rows padded from n to 2^bits columns, and each sixteen of them sorted:
// i runs over the sixteen columns that c is among, by key, equal ones by position.
//
// x: [rows, n], read through `load`; smaller keys come first. Padding has the largest key and positions past n, so it
// sorts to the end, behind real keys of the same bits. R is the 4-byte integer that the plan's result and workspaces
// have. An invocation holds sixteen elements in vec4s (0-3, 4-7, 8-11, 12-15) and does the first four phases of a bitonic
// network: runs whose index within the row, `mask`ed, has bit 4 set are sorted downwards.
// Bounds: invocations past `count` = rows * 2^bits / 16 do nothing; groups fold over x and y. Workgroup memory: none.
//#use sort-functions.wgsl

//#default
alias R = u32;
alias V = u32;
alias K = u32;
fn key(v: V) -> K { return v; }
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<R>;
fn load(i: u32) -> V { return x0[i]; }
fn store(i: u32, v: R) { y0[i] = v; }
//#end

struct Params {
  count: u32,
  half: u32,
  n: u32,
  bits: u32,
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

fn word(row: u32, column: u32) -> u32 {
  var k = 0xffffffffu;
  if (column < p.n) {
    k = key(load(row * p.n + column));
  }
  return k;
}

fn fetch(row: u32, at: vec4u) -> Pairs {
  return Pairs(vec4u(word(row, at.x), word(row, at.y), word(row, at.z), word(row, at.w)), at);
}

fn put(at: u32, v: Pairs) {
  for (var k = 0u; k < 4u; k += 1u) {
    store(at + k, bitcast<R>(v.key[k]));
    store(at + k + p.half, bitcast<R>(v.spot[k]));
  }
}

fn downwards(at: vec4u, phase: u32) -> vec4<bool> {
  return (((at & vec4u(p.mask)) >> vec4u(phase)) & vec4u(1u)) == vec4u(1u);
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
  let first = t * 16u;
  let row = first >> p.bits;
  let ia = vec4u(first - (row << p.bits)) + vec4u(0u, 1u, 2u, 3u);
  let ib = ia + 4u;
  let ic = ia + 8u;
  let id = ia + 12u;
  var e = Exchange(fetch(row, ia), fetch(row, ib));
  var f = Exchange(fetch(row, ic), fetch(row, id));
  for (var phase = 1u; phase <= 4u; phase += 1u) {
    let da = downwards(ia, phase);
    let db = downwards(ib, phase);
    let dc = downwards(ic, phase);
    let dd = downwards(id, phase);
    if (phase > 3u) {
      let ac = exchange(e.low, f.low, da);
      let bd = exchange(e.high, f.high, db);
      e = Exchange(ac.low, bd.low);
      f = Exchange(ac.high, bd.high);
    }
    if (phase > 2u) {
      e = exchange(e.low, e.high, da);
      f = exchange(f.low, f.high, dc);
    }
    if (phase > 1u) {
      e = exchange_two(e.low, e.high, da, db);
      f = exchange_two(f.low, f.high, dc, dd);
    }
    e = exchange_one(e.low, e.high, da, db);
    f = exchange_one(f.low, f.high, dc, dd);
  }
  put(first, e.low);
  put(first + 4u, e.high);
  put(first + 8u, f.low);
  put(first + 12u, f.high);
}
