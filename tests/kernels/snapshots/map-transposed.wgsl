alias F = f32;
alias I = i32;
alias U = u32;
alias B = bool;
const GROUP = 128u;
const REPEAT = 1u;
struct Hooks { n0c1: u32, s0_0_1: u32 }
@group(1) @binding(0) var<uniform> h: Hooks;
@group(1) @binding(1) var<storage, read> x0: array<f32>;
@group(1) @binding(2) var<storage, read_write> y0: array<f32>;
fn body(i: u32) {
  let c0_1 = i % h.n0c1;
  let rc0_1 = i / h.n0c1;
  let t0_0 = F(x0[rc0_1 + c0_1 * h.s0_0_1]);
  let t0_1 = F(U(i));
  let t0_2 = op_add_f(t0_0, t0_1);
  y0[i] = t0_2;
}
fn op_add_f(x: F, y: F) -> F { return x + y; }
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
