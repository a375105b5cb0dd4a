// The functions of key-functions.wgsl as JAX had them before its Threefry was partitionable: outputs of hashing the counts of
// all n, so that they depend on n.
//#use threefry-functions.wgsl

//#default
alias U = u32;
//#end

fn child(key: array<U, 2>, i: U, n: U) -> array<U, 2> {
  let word = U(2u) * i;
  let words = U(2u) * n;
  return array<U, 2>(
    op_threefry_halves(key[0], key[1], word, words),
    op_threefry_halves(key[0], key[1], word + U(1u), words),
  );
}

fn bits_of(key: array<U, 2>, i: U, n: U) -> U { return op_threefry_halves(key[0], key[1], i, n); }
