// Threefry-2x32, 20 rounds, as JAX runs it: block(k0, k1, x0, x1) -> (y0, y1).
// Random bits of element i are y0 ^ y1 of block(key, 0, i); split and fold_in take both words.

//#default
alias U = u32;
//#end

// Products for shifts to the left: SwiftShader shifts lane by lane, other compilers see what they are.
// x0 += x1; x1 = rotl(x1, r) ^ x0, four times with the rotations of an even or an odd group.
fn threefry_even(s: array<U, 2>) -> array<U, 2> {
  var a = s[0];
  var b = s[1];
  a += b; b = ((b * U(8192u)) | (b >> U(19u))) ^ a;
  a += b; b = ((b * U(32768u)) | (b >> U(17u))) ^ a;
  a += b; b = ((b * U(67108864u)) | (b >> U(6u))) ^ a;
  a += b; b = ((b * U(64u)) | (b >> U(26u))) ^ a;
  return array<U, 2>(a, b);
}

fn threefry_odd(s: array<U, 2>) -> array<U, 2> {
  var a = s[0];
  var b = s[1];
  a += b; b = ((b * U(131072u)) | (b >> U(15u))) ^ a;
  a += b; b = ((b * U(536870912u)) | (b >> U(3u))) ^ a;
  a += b; b = ((b * U(65536u)) | (b >> U(16u))) ^ a;
  a += b; b = ((b * U(16777216u)) | (b >> U(8u))) ^ a;
  return array<U, 2>(a, b);
}

fn threefry_key(s: array<U, 2>, a: U, b: U) -> array<U, 2> { return array<U, 2>(s[0] + a, s[1] + b); }

fn threefry_block(k0: U, k1: U, x0: U, x1: U) -> array<U, 2> {
  let k2 = k0 ^ k1 ^ U(0x1bd11bdau);
  var s = array<U, 2>(x0 + k0, x1 + k1);
  s = threefry_key(threefry_even(s), k1, k2 + U(1u));
  s = threefry_key(threefry_odd(s), k2, k0 + U(2u));
  s = threefry_key(threefry_even(s), k0, k1 + U(3u));
  s = threefry_key(threefry_odd(s), k1, k2 + U(4u));
  return threefry_key(threefry_even(s), k2, k0 + U(5u));
}

fn op_threefry_word0(k0: U, k1: U, x0: U, x1: U) -> U { return threefry_block(k0, k1, x0, x1)[0]; }

fn op_threefry_word1(k0: U, k1: U, x0: U, x1: U) -> U { return threefry_block(k0, k1, x0, x1)[1]; }

fn op_threefry_xor(k0: U, k1: U, x0: U, x1: U) -> U {
  let y = threefry_block(k0, k1, x0, x1);
  return y[0] ^ y[1];
}

// Output i of hashing the counts 0 ... n - 1 as JAX did before its threefry was partitionable: both halves of the counts,
// a 0 added to an odd number, are the two words of each block, and both halves of the outputs are the words that come out.
fn op_threefry_halves(k0: U, k1: U, i: U, n: U) -> U {
  let half = (n + U(1u)) / U(2u);
  let first = i < half;
  let x0 = select(i - half, i, first);
  let x1 = select(x0 + half, U(0u), x0 + half >= n);
  let y = threefry_block(k0, k1, x0, x1);
  return select(y[1], y[0], first);
}
