// y0[i], y1[i], … = f(x0[i'], x1[i''], …) for i in [0, n): one position of every result from one of every operand.
//
// The hook `body` holds f, the loads and the stores, so that this loop serves every arity: a map has one operand, a
// zip two, a select three, and a fused chain as many as the device binds. i counts V-sized elements: four neighbours
// of the innermost axis where all operands allow it (F = vec4f), else one. A broadcast, transposed or sliced operand
// is read where the linked text says: its strides are in the hooks' own uniform.
// Layout: results row-major; each invocation takes REPEAT positions, one or two, GROUP apart, so that loads of neighbours
// touch. They are written out: in a loop the same work takes twice as long on a CPU's driver.
// Bounds: positions from n on do nothing; groups fold over x and y. Workgroup memory: none.

//#default
alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
const GROUP = 256u;
const REPEAT = 2u;
@group(1) @binding(1) var<storage, read> x0: array<F>;
@group(1) @binding(2) var<storage, read_write> y0: array<F>;
fn body(i: u32) { y0[i] = -x0[i]; }
//#end

struct Params {
  n: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(GROUP)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let first = (wid.x + wid.y * groups.x) * (GROUP * REPEAT) + lid.x;
  if (first < p.n) {
    body(first);
    if (REPEAT == 2u) {
      let second = first + GROUP;
      if (second < p.n) {
        body(second);
      }
    }
  }
}
