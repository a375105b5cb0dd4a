// y[o, r] = f(x[o, r], s0[o], s1[o], …) with s0[o] = combine over r of f0(x[o, r]), s1[o] = combine over r of
// f1(x[o, r], s0[o]), …: a chain of passes over each line, one invocation a line, no barrier, no memory between passes.
// Softmax is two passes and a third that writes; layer normalization and the gradients of both are of the same form.
//
// x is the virtual row-major array [count, reduce]; extents count V-sized elements, V along the line. The hook `line`
// holds the passes, for what they compute and how many there are is the expression's: each reads its operands, keeps
// four accumulators that take turns as column.wgsl does, and combines them as a tree. Stores come last, so that an
// operand may be overwritten. The default is softmax.
// Bounds: invocations past `count` lines return; groups fold over x and y. Workgroup memory: none.

//#default
const GROUP = 64u;
@group(1) @binding(1) var<storage, read> x0: array<f32>;
@group(1) @binding(2) var<storage, read_write> y0: array<f32>;
fn line(o: u32) {
  var largest = x0[o * p.reduce];
  for (var r = 1u; r < p.reduce; r += 1u) {
    largest = max(largest, x0[o * p.reduce + r]);
  }
  var total = 0.0;
  for (var r = 0u; r < p.reduce; r += 1u) {
    total += exp(x0[o * p.reduce + r] - largest);
  }
  for (var r = 0u; r < p.reduce; r += 1u) {
    let i = o * p.reduce + r;
    y0[i] = exp(x0[i] - largest) / total;
  }
}
//#end

struct Params {
  count: u32,
  reduce: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(GROUP)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let o = (wid.x + wid.y * groups.x) * GROUP + lid.x;
  if (o >= p.count) {
    return;
  }
  line(o);
}
