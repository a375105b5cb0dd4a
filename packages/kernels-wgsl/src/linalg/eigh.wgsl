// Jacobi's method for symmetric matrices, one workgroup a matrix: a = v diag(w) v^T. In each step a round of a tournament
// pairs all rows; each pair is turned so that its element off the diagonal becomes 0, in a from both sides and in v.
//
// a: [count, n, n], read through `load`, lower triangle only. Workspace: [count, 2n + 4, n], read back while it is written,
// as y0: row 0 w, rows 1 to n v, row n + 1 the columns in ascending order of w, two rows with the pairs' angles,
// then a, scaled by a power of two. After a whole sweep without a turn nothing is left to do: steps go on, work does not.
// NaN everywhere for a matrix with an element that is not finite.
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
  nan: u32,
}

@group(0) @binding(0) var<uniform> p: Params;

/** The angle that makes b zero in [[a, b], [b, d]]: the tangent of its half, and its sine. */
fn turn(a: f32, b: f32, d: f32) -> vec2f {
  let flat = abs(b) <= max(1e-13, 1e-9 * sqrt(abs(a)) * sqrt(abs(d)));
  let steep = (d - a) / (2.0 * select(b, 1.0, flat));
  let tangent = select(1.0, -1.0, steep < 0.0) / (abs(steep) + sqrt(1.0 + steep * steep));
  let half = tangent / (1.0 + sqrt(1.0 + tangent * tangent));
  return select(vec2f(half, 2.0 * half / (1.0 + half * half)), vec2f(0.0, 0.0), flat);
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
  let values = z * (2u * p.n + 4u) * p.n;
  let v = values + p.n;
  let order = v + p.n * p.n;
  let halves = order + p.n;
  let sines = halves + p.n;
  let a = sines + p.n;
  // The largest exponent: 255 has what is no finite number.
  for (var c = lid.x; c < n; c += GX) {
    var top = 0u;
    for (var i = c; i < n; i += 1u) {
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
      let element = load(source + max(i, c) * n + min(i, c)) * shrink;
      store(a + i * n + c, select(element, 0.0, bad));
      store(v + i * n + c, select(0.0, 1.0, i == c));
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
    for (var k = lid.x; k < games; k += GX) {
      let game = pair(k, round, rounds);
      let i = game.x;
      let j = min(game.y, n - 1u);
      let angle = turn(y0[a + i * n + i], y0[a + i * n + j], y0[a + j * n + j]);
      store(halves + k, select(angle.x, 0.0, game.y == n));
      store(sines + k, select(angle.y, 0.0, game.y == n));
    }
    storageBarrier();
    var count = 0u;
    for (var k = 0u; k < games; k += 1u) {
      count += select(0u, 1u, y0[sines + k] != 0.0);
    }
    quiet = select(0u, quiet + 1u, count == 0u);
    let moved = select(games, 0u, count == 0u);
    // Blocks of a on and left of the diagonal of games, each with its mirror image.
    for (var t = lid.x; t < moved * moved; t += GX) {
      let k = t / pairs;
      let l = t - k * pairs;
      let own = vec2f(y0[halves + k], y0[sines + k]);
      let across = vec2f(y0[halves + l], y0[sines + l]);
      if (l <= k && (own.y != 0.0 || across.y != 0.0)) {
        let row = pair(k, round, rounds);
        let column = pair(l, round, rounds);
        let j = min(row.y, n - 1u);
        let d = min(column.y, n - 1u);
        let m00 = y0[a + row.x * n + column.x];
        let m01 = y0[a + row.x * n + d];
        let m10 = y0[a + j * n + column.x];
        let m11 = y0[a + j * n + d];
        let left = turned(m00, m10, own);
        let right = turned(m01, m11, own);
        let upper = turned(left.x, right.x, across);
        let lower = turned(left.y, right.y, across);
        let same = k == l;
        let along = own.y / (1.0 - own.x * own.y) * m01;
        let e00 = select(upper.x, m00 - along, same);
        let e01 = select(upper.y, 0.0, same);
        let e10 = select(lower.x, 0.0, same);
        let e11 = select(lower.y, m11 + along, same);
        store(a + row.x * n + column.x, e00);
        store(a + column.x * n + row.x, e00);
        if (column.y < n) {
          store(a + row.x * n + d, e01);
          store(a + d * n + row.x, e01);
        }
        if (row.y < n) {
          store(a + j * n + column.x, e10);
          store(a + column.x * n + j, e10);
        }
        if (row.y < n && column.y < n) {
          store(a + j * n + d, e11);
          store(a + d * n + j, e11);
        }
      }
    }
    for (var t = lid.x; t < n * moved; t += GX) {
      let r = t / pairs;
      let k = t - r * pairs;
      let angle = vec2f(y0[halves + k], y0[sines + k]);
      if (angle.y != 0.0) {
        let game = pair(k, round, rounds);
        let left = v + r * n + game.x;
        let right = v + r * n + game.y;
        let both = turned(y0[left], y0[right], angle);
        store(left, both.x);
        store(right, both.y);
      }
    }
    storageBarrier();
  }
  for (var c = lid.x; c < n; c += GX) {
    var squares = 0.0;
    for (var i = 0u; i < n; i += 1u) {
      squares += y0[v + i * n + c] * y0[v + i * n + c];
    }
    let length = sqrt(squares);
    for (var i = 0u; i < n; i += 1u) {
      let at = v + i * n + c;
      store(at, select(y0[at] / length, bitcast<f32>(p.nan), bad));
    }
    store(values + c, y0[a + c * n + c] * grow);
  }
  storageBarrier();
  for (var c = lid.x; c < n; c += GX) {
    let own = y0[values + c];
    var place = 0u;
    for (var i = 0u; i < n; i += 1u) {
      let value = y0[values + i];
      place += select(0u, 1u, value < own || (value == own && i < c));
    }
    store(order + place, f32(c));
  }
  storageBarrier();
  for (var c = lid.x; c < n; c += GX) {
    store(values + c, select(y0[values + c], bitcast<f32>(p.nan), bad));
  }
}
