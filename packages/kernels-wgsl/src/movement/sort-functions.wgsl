// Compare-exchange levels of a sorting network on pairs (key, position), in vec4s of four pairs. Positions differ, so all
// pairs do, and what a network sorts is sorted stably. `down` says for each element which way round its pair shall lie:
// both of a pair have the same. Bounds: none. Workgroup memory: none.

//#default
struct Pairs {
  key: vec4u,
  spot: vec4u,
}

struct Exchange {
  low: Pairs,
  high: Pairs,
}
//#end

fn exchange(a: Pairs, b: Pairs, down: vec4<bool>) -> Exchange {
  let after = (a.key > b.key) | ((a.key == b.key) & (a.spot > b.spot));
  let swap = after != down;
  return Exchange(
    Pairs(select(a.key, b.key, swap), select(a.spot, b.spot, swap)),
    Pairs(select(b.key, a.key, swap), select(b.spot, a.spot, swap)),
  );
}

// Elements two apart within a vec4: x with z, y with w.
fn exchange_two(a: Pairs, b: Pairs, da: vec4<bool>, db: vec4<bool>) -> Exchange {
  let e = exchange(
    Pairs(vec4u(a.key.xy, b.key.xy), vec4u(a.spot.xy, b.spot.xy)),
    Pairs(vec4u(a.key.zw, b.key.zw), vec4u(a.spot.zw, b.spot.zw)),
    vec4<bool>(da.xy, db.xy),
  );
  return Exchange(
    Pairs(vec4u(e.low.key.xy, e.high.key.xy), vec4u(e.low.spot.xy, e.high.spot.xy)),
    Pairs(vec4u(e.low.key.zw, e.high.key.zw), vec4u(e.low.spot.zw, e.high.spot.zw)),
  );
}

// Neighbours within a vec4: x with y, z with w.
fn exchange_one(a: Pairs, b: Pairs, da: vec4<bool>, db: vec4<bool>) -> Exchange {
  let e = exchange(
    Pairs(vec4u(a.key.xz, b.key.xz), vec4u(a.spot.xz, b.spot.xz)),
    Pairs(vec4u(a.key.yw, b.key.yw), vec4u(a.spot.yw, b.spot.yw)),
    vec4<bool>(da.xz, db.xz),
  );
  let keys = vec4u(e.low.key.x, e.high.key.x, e.low.key.y, e.high.key.y);
  let spots = vec4u(e.low.spot.x, e.high.spot.x, e.low.spot.y, e.high.spot.y);
  let keys2 = vec4u(e.low.key.z, e.high.key.z, e.low.key.w, e.high.key.w);
  let spots2 = vec4u(e.low.spot.z, e.high.spot.z, e.low.spot.w, e.high.spot.w);
  return Exchange(Pairs(keys, spots), Pairs(keys2, spots2));
}
