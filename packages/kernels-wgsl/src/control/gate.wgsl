// Whether what comes next runs, and the grids that make it so:
//   runs = region[0] = 1 and (choice[at] & mask) = which,   state = [runs, count],   args[i] = runs · grids[i]
//
// `region` is the state of what encloses it. count: 0, with `counting` = 1 region[1] + runs, with 2 its own + runs.
// `grids` and `args` are x, y, z of one dispatch after another.
// Bounds: one workgroup walks all n words. Workgroup memory: none.

//#default
const GROUP = 64u;
//#end

struct Params {
  n: u32,
  at: u32,
  mask: u32,
  which: u32,
  counting: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> region: array<u32>;
@group(0) @binding(2) var<storage, read> choice: array<u32>;
@group(0) @binding(3) var<storage, read> grids: array<u32>;
@group(0) @binding(4) var<storage, read_write> state: array<u32>;
@group(0) @binding(5) var<storage, read_write> args: array<u32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(local_invocation_id) lid: vec3u) {
  var runs = 0u;
  if (region[0] == 1u && (choice[p.at] & p.mask) == p.which) {
    runs = 1u;
  }
  if (lid.x == 0u) {
    var count = 0u;
    if (p.counting == 1u) {
      count = region[1] + runs;
    }
    if (p.counting == 2u) {
      count = state[1] + runs;
    }
    state[0] = runs;
    state[1] = count;
  }
  for (var i = lid.x; i < p.n; i += GROUP) {
    args[i] = runs * grids[i];
  }
}
