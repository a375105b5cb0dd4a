alias F = vec4f;
alias I = vec4i;
alias U = vec4u;
alias B = vec4<bool>;
const GROUP = 128u;
const REPEAT = 1u;
struct Hooks { n0c1: u32, c1: f32 }
@group(1) @binding(0) var<uniform> h: Hooks;
@group(1) @binding(1) var<storage, read> x0: array<f32>;
@group(1) @binding(2) var<storage, read> x1: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read> x2: array<vec4<f32>>;
@group(1) @binding(4) var<storage, read_write> y0: array<vec4<f32>>;
@group(1) @binding(5) var<storage, read_write> y1: array<vec4<u32>>;
fn body(i: u32) {
  let c0_1 = i % h.n0c1;
  let rc0_1 = i / h.n0c1;
  let t0_0 = F(x0[rc0_1]);
  let t0_1 = x1[i];
  let t0_2 = x2[c0_1];
  let t0_3 = op_add_f(t0_1, t0_2);
  let t0_4 = (t0_0 < t0_3);
  let t0_5 = F(h.c1);
  let t0_6 = select(t0_5, t0_3, t0_4);
  y0[i] = t0_6;
  y1[i] = select(U(0u), U(1u), t0_4);
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
