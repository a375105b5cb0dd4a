// c[i] = sum over parts s of w[s, i]: puts together what a matmul that was split along k has written to its workspace.
//
// w is row-major [parts, count], c is [count], both in units of V; c leaves through `store`.
// Bounds: invocations past `count` store nothing. Groups fold over x and y.
// Workgroup memory: none.

//#default
const GX = 64u;
alias V = vec4f;
@group(1) @binding(0) var<storage, read_write> y0: array<V>;
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  count: u32,
  parts: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<V>;

@compute @workgroup_size(GX)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lid: vec3u,
) {
  let i = (wid.x + wid.y * groups.x) * GX + lid.x;
  if (i < p.count) {
    var sum = V();
    for (var s = 0u; s < p.parts; s += 1u) {
      sum += w[s * p.count + i];
    }
    store(i, sum);
  }
}
