// y[r, c] = key(x[r, c]) and y[count + (r, c)] = c (its position), rows padded from n to 2^bits columns.
//
// x: [rows, n], read through `load`; smaller keys come first, equal ones by position. Padding has the largest key and
// positions past n, so it sorts to the end, behind real keys of the same bits. R is the 4-byte integer that the plan's
// result and workspaces have.
// Bounds: elements past `count` do nothing; groups fold over x and y. Workgroup memory: none.

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
  n: u32,
  bits: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let i = (wid.x + wid.y * groups.x) * 64u + lid.x;
  if (i >= p.count) {
    return;
  }
  let row = i >> p.bits;
  let column = i & ((1u << p.bits) - 1u);
  var word = 0xffffffffu;
  if (column < p.n) {
    word = key(load(row * p.n + column));
  }
  store(i, bitcast<R>(word));
  store(p.count + i, bitcast<R>(column));
}
