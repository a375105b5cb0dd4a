// What Jacobi's methods for eigenvalues and for singular values share: who meets whom, and how two rows or columns are turned.
// Bounds: none, there is no indexing. Workgroup memory: none.

//#default
//#end

/** The players of game k in a round among rounds + 1: one stays, the others move on in a circle; the lower first. */
fn pair(k: u32, round: u32, rounds: u32) -> vec2u {
  let ahead = round + k;
  let behind = round + rounds - k;
  let one = select(ahead - select(0u, rounds, ahead >= rounds), rounds, k == 0u);
  let other = behind - select(0u, rounds, behind >= rounds);
  return vec2u(min(one, other), max(one, other));
}

/** Both turned by the angle of that half tangent and sine. What rounding does to the angle then changes no length. */
fn turned(one: f32, other: f32, angle: vec2f) -> vec2f {
  return vec2f(one - angle.y * (other + angle.x * one), other + angle.y * (one - angle.x * other));
}
