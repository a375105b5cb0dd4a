// What samplers that split keys in the kernel make of one: child i of n, as split(key, n)[i], and the random bits of element i
// of n, both blocks of Threefry-2x32 that do not depend on n.
//#use threefry-functions.wgsl

//#default
alias U = u32;
//#end

// A sampler gives up after so many trials, which keeps a device from hanging.
const MOST_TRIALS = 100000u;

fn child(key: array<U, 2>, i: U, n: U) -> array<U, 2> { return threefry_block(key[0], key[1], U(0u), i); }

fn bits_of(key: array<U, 2>, i: U, n: U) -> U {
  let y = threefry_block(key[0], key[1], U(0u), i);
  return y[0] ^ y[1];
}
