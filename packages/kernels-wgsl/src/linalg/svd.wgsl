// Jacobi's method from one side (Hestenes), one workgroup a matrix: a w = x with w orthogonal and the columns of x
// orthogonal to each other, so that their lengths are the singular values. In each step a round of a tournament pairs all
// columns; each pair is turned in x and in w until its two columns of x meet at a right angle.
//
// a: [count, n, n], read through `load`. Workspace: [count, 1 + n + turns + 3, n], read back while it is written, as y0:
// row 0 the lengths, n rows with x scaled by a power of two, `turns` rows (n, or 0 where nobody asks) with w, a row with the
// columns in descending order of length, and two that say by turns which pairs moved. After a whole sweep in which none
// did, nothing is left to do: steps go on, work does not. NaN everywhere for a matrix with an element that is not finite.
// Bounds: columns past n are not walked; surplus groups walk none. Groups fold over x and y. Workgroup memory: none.
//#use jacobi-functions.wgsl

//#default
const GX = 64u;
const SWEEPS = 16u;
alias V = f32;
@group(1) @binding(1) var<storage, read> x0: array<V>;
@group(1) @binding(2) var<storage, read_write> y0: array<V>;
fn load(i: u32) -> V { return x0[i]; }
fn store(i: u32, v: V) { y0[i] = v; }
//#end

struct Params {
  n: u32,
  count: u32,
  turns: u32,
  nan: u32,
  /** The cosine between columns that are taken for orthogonal. */
  flat: f32,
}

@group(0) @binding(0) var<uniform> p: Params;

/** The angle that makes b zero in [[a, b], [b, d]]: the tangent of its half, and its sine. */
fn turn(a: f32, b: f32, d: f32) -> vec2f {
  let steep = (d - a) / (2.0 * b);
  let small = abs(steep);
  let size = select(1.0 / (small + sqrt(1.0 + small * small)), 0.5 / small, small > 1e10);
  let tangent = select(size, -size, steep < 0.0);
  let half = tangent / (1.0 + sqrt(1.0 + tangent * tangent));
  return vec2f(half, 2.0 * half / (1.0 + half * half));
}

@compute @workgroup_size(GX)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let z = wid.x + wid.y * groups.x;
  let n = select(0u, p.n, z < p.count);
  let source = z * p.n * p.n;
  let lengths = z * (p.n + p.turns + 4u) * p.n;
  let x = lengths + p.n;
  let rows = n + select(0u, p.turns, z < p.count);
  let order = x + (p.n + p.turns) * p.n;
  let moves = order + p.n;
  // The largest exponent: 255 has what is no finite number.
  for (var c = lid.x; c < n; c += GX) {
    var top = 0u;
    for (var i = 0u; i < n; i += 1u) {
      top = max(top, (bitcast<u32>(load(source + i * n + c)) >> 23u) & 255u);
    }
    store(order + c, f32(top));
  }
  storageBarrier();
  var largest = 0.0;
  for (var c = 0u; c < n; c += 1u) {
    largest = max(largest, y0[order + c]);
  }
  let bad = largest > 254.0;
  let exponent = clamp(u32(largest), 2u, 252u);
  let shrink = bitcast<f32>((254u - exponent) << 23u);
  let grow = bitcast<f32>(exponent << 23u);
  for (var c = lid.x; c < n; c += GX) {
    for (var i = 0u; i < n; i += 1u) {
      store(x + i * n + c, select(load(source + i * n + c) * shrink, 0.0, bad));
    }
    for (var i = n; i < rows; i += 1u) {
      store(x + i * n + c, select(0.0, 1.0, i - n == c));
    }
  }
  storageBarrier();
  let players = n + (n & 1u);
  let rounds = max(players, 1u) - 1u;
  let pairs = players / 2u;
  var quiet = 0u;
  let steps = rounds * SWEEPS;
  for (var step = 0u; step < steps; step += 1u) {
    let round = step % rounds;
    let games = select(0u, pairs, quiet < rounds);
    let told = moves + (step & 1u) * p.n;
    for (var k = lid.x; k < games; k += GX) {
      let game = pair(k, round, rounds);
      let last = select(0u, n, game.y < n);
      var a = 0.0;
      var b = 0.0;
      var d = 0.0;
      for (var i = 0u; i < last; i += 1u) {
        let one = y0[x + i * n + game.x];
        let other = y0[x + i * n + game.y];
        a += one * one;
        b += one * other;
        d += other * other;
      }
      let moved = abs(b) > p.flat * sqrt(a) * sqrt(d);
      store(told + k, select(0.0, 1.0, moved));
      let angle = turn(a, select(1.0, b, moved), d);
      for (var i = 0u; i < select(0u, rows, moved); i += 1u) {
        let left = x + i * n + game.x;
        let right = x + i * n + game.y;
        let both = turned(y0[left], y0[right], angle);
        store(left, both.x);
        store(right, both.y);
      }
    }
    storageBarrier();
    var moved = 0u;
    for (var k = 0u; k < games; k += 1u) {
      moved += select(0u, 1u, y0[told + k] != 0.0);
    }
    quiet = select(0u, quiet + 1u, moved == 0u);
  }
  for (var c = lid.x; c < n; c += GX) {
    var squares = 0.0;
    for (var i = 0u; i < n; i += 1u) {
      squares += y0[x + i * n + c] * y0[x + i * n + c];
    }
    store(lengths + c, sqrt(squares) * grow);
    for (var i = 0u; i < rows; i += 1u) {
      let at = x + i * n + c;
      store(at, select(y0[at], bitcast<f32>(p.nan), bad));
    }
  }
  storageBarrier();
  for (var c = lid.x; c < n; c += GX) {
    let own = y0[lengths + c];
    var place = 0u;
    for (var i = 0u; i < n; i += 1u) {
      let value = y0[lengths + i];
      place += select(0u, 1u, value > own || (value == own && i < c));
    }
    store(order + place, f32(c));
  }
  storageBarrier();
  for (var c = lid.x; c < n; c += GX) {
    store(lengths + c, select(y0[lengths + c], bitcast<f32>(p.nan), bad));
  }
}
