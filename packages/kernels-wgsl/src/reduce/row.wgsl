// y[o, s] = combine over r in part s of x[o, r]: LANES invocations for each result, LINES results in a workgroup.
//
// x is the virtual row-major array [outer, reduce], read through `load`; extents count V-sized elements, so with
// V = vec4 a row is a multiple of four scalars. LANES neighbours read LANES neighbouring V, with four accumulators
// each; one barrier; then the first lane of each line combines its line's LANES partial results and folds V to T.
// Part s covers r in [s * chunk, (s + 1) * chunk), cut at reduce. An empty part gives the identity.
// Bounds: lines past `count` have an empty part and store nothing; groups fold over x and y.
// Workgroup memory: LANES * LINES elements of V (1 KiB for 64 vec4).

//#default
const LANES = 8u;
const LINES = 8u;
alias T = f32;
alias V = f32;
alias R = f32;
fn combine(a: V, b: V) -> V { return a + b; }
fn finish(v: V) -> R { return v; }
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<R>;
fn load(i: u32) -> V { return x0[i]; }
fn store(i: u32, v: R) { y0[i] = v; }
//#end

struct Params {
  count: u32,
  reduce: u32,
  chunk: u32,
  splits: u32,
  // Bits of the value that changes nothing: a uniform, for no constant expression may be an infinity.
  identity: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

var<workgroup> partial: array<V, LANES * LINES>;

@compute @workgroup_size(LANES, LINES)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let line = (wid.x + wid.y * groups.x) * LINES + lid.y;
  let outer = line / p.splits;
  let begin = (line - outer * p.splits) * p.chunk;
  let end = select(0u, min(begin + p.chunk, p.reduce), line < p.count);
  let base = outer * p.reduce;

  let nothing = V(bitcast<T>(p.identity));
  var a = nothing;
  var b = nothing;
  var c = nothing;
  var d = nothing;
  var r = begin + lid.x;
  // One call of `load`, and four accumulators that take turns: a fused operand is long, and its copies cost compile time.
  for (; r < end; r += LANES) {
    let next = combine(a, load(base + r));
    a = b;
    b = c;
    c = d;
    d = next;
  }
  partial[lid.y * LANES + lid.x] = combine(combine(a, b), combine(c, d));
  workgroupBarrier();

  if (lid.x == 0u && line < p.count) {
    var all = partial[lid.y * LANES];
    for (var i = 1u; i < LANES; i += 1u) {
      all = combine(all, partial[lid.y * LANES + i]);
    }
    store(line, finish(all));
  }
}
