// y[r, :] = runs of 2^(run + 1) ascending pairs (key, position), each merged of two neighbouring runs of 2^run of x[r, :].
//
// x and y: keys [rows, 2^bits], then positions, `half` elements on. An invocation writes a stretch of 2^stretch pairs
// and finds by bisection how many of them come of the first run: for processors whose invocations run one after another,
// whose branches cost nothing on each other. Of equal keys those of the first run come first: the sort is stable.
// Bounds: invocations past `count` do nothing; groups fold over x and y. Workgroup memory: none.

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
  run: u32,
  stretch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

fn keyAt(i: u32) -> u32 {
  return bitcast<u32>(load(i));
}

@compute @workgroup_size(16)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let t = (wid.x + wid.y * groups.x) * 16u + lid.x;
  if (t >= p.count) {
    return;
  }
  let length = 1u << p.run;
  let begin = t << p.stretch;
  let first = (begin >> (p.run + 1u)) << (p.run + 1u);
  let second = first + length;
  let before = begin - first;

  var low = max(before, length) - length;
  var high = min(before, length);
  while (low < high) {
    let middle = (low + high) >> 1u;
    if (keyAt(first + middle) <= keyAt(second + before - 1u - middle)) {
      low = middle + 1u;
    } else {
      high = middle;
    }
  }

  // The ends of both runs; past one of them the other's are all that is left.
  let last = length - 1u;
  var i = low;
  var j = before - low;
  var a = keyAt(first + min(i, last));
  var b = keyAt(second + min(j, last));
  let end = begin + (1u << p.stretch);
  for (var to = begin; to < end; to += 1u) {
    let left = (j >= length) | ((i < length) & (a <= b));
    let source = select(second + j, first + i, left);
    store(to, bitcast<R>(select(b, a, left)));
    store(to + p.half, load(source + p.half));
    i += select(0u, 1u, left);
    j += select(1u, 0u, left);
    let next = keyAt(select(second + min(j, last), first + min(i, last), left));
    a = select(a, next, left);
    b = select(next, b, left);
  }
}
