// y0[i] = random bits number i of a key: the xor of both words of Threefry-2x32's block(k0, k1, 0, i), jax.random.bits.
//
// Layout: i counts U-sized elements, U = u32 or vec4u (then lanes() are the four counters of one element);
// keys are pairs of words, the key of grid z lies at word 2 (first_key + z), and its n elements follow those of key z - 1.
// Hook: store(i, bits), so that what is made of the bits is computed before they are written.
// Bounds: elements from n on do nothing; groups fold over x and y. Workgroup memory: none.

//#default
alias U = u32;
const GROUP = 128u;
fn counters(i: u32) -> U { return i; }
@group(1) @binding(1) var<storage, read_write> y0: array<U>;
fn store(i: u32, bits: U) { y0[i] = bits; }
//#end

struct Params {
  n: u32,
  first_key: u32,
  first_element: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> keys: array<u32>;

// The shift to the left as a product: SwiftShader shifts lane by lane, other compilers see what it is.
fn rotate(x: U, left: u32) -> U { return (x * U(1u << left)) | (x >> U(32u - left)); }

@compute @workgroup_size(GROUP)
fn main(
  @builtin(local_invocation_id) lid: vec3u,
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let i = (wid.x + wid.y * groups.x) * GROUP + lid.x;
  if (i < p.n) {
    let k0 = U(keys[2u * (p.first_key + wid.z)]);
    let k1 = U(keys[2u * (p.first_key + wid.z) + 1u]);
    let k2 = k0 ^ k1 ^ U(0x1bd11bdau);
    var a = k0;
    var b = counters(i) + k1;
    a += b; b = rotate(b, 13u) ^ a; a += b; b = rotate(b, 15u) ^ a;
    a += b; b = rotate(b, 26u) ^ a; a += b; b = rotate(b, 6u) ^ a;
    a += k1; b += k2 + U(1u);
    a += b; b = rotate(b, 17u) ^ a; a += b; b = rotate(b, 29u) ^ a;
    a += b; b = rotate(b, 16u) ^ a; a += b; b = rotate(b, 24u) ^ a;
    a += k2; b += k0 + U(2u);
    a += b; b = rotate(b, 13u) ^ a; a += b; b = rotate(b, 15u) ^ a;
    a += b; b = rotate(b, 26u) ^ a; a += b; b = rotate(b, 6u) ^ a;
    a += k0; b += k1 + U(3u);
    a += b; b = rotate(b, 17u) ^ a; a += b; b = rotate(b, 29u) ^ a;
    a += b; b = rotate(b, 16u) ^ a; a += b; b = rotate(b, 24u) ^ a;
    a += k1; b += k2 + U(4u);
    a += b; b = rotate(b, 13u) ^ a; a += b; b = rotate(b, 15u) ^ a;
    a += b; b = rotate(b, 26u) ^ a; a += b; b = rotate(b, 6u) ^ a;
    a += k2; b += k0 + U(5u);
    store(p.first_element + wid.z * p.n + i, a ^ b);
  }
}
