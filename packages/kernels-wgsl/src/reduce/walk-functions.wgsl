// How column.wgsl walks its part of a line: the combination of load(source + j * step) for r = begin + j * lanes < end.
// Four accumulators, element j in number j % 4, combined as a tree: both walks add in the same order, bit for bit.
// V is f32, i32, u32 or a vec4 of them. Bounds: none but r < end. Workgroup memory: none.

//#default
alias V = vec4f;
fn combine(a: V, b: V) -> V { return a + b; }
fn load(i: u32) -> V { return V(f32(i)); }
//#end

// One call of `load`, and four accumulators that take turns: a fused operand is long, and its copies cost compile time.
fn walk_ones(begin: u32, end: u32, lanes: u32, first: u32, step: u32, nothing: V) -> V {
  var a = nothing;
  var b = nothing;
  var c = nothing;
  var d = nothing;
  var source = first;
  for (var r = begin; r < end; r += lanes) {
    let next = combine(a, load(source));
    a = b;
    b = c;
    c = d;
    d = next;
    source += step;
  }
  return combine(combine(a, b), combine(c, d));
}

// For parts of a multiple of 4 * lanes whose `load` is short: no turns, which took SwiftShader half of the time.
fn walk_fours(begin: u32, end: u32, lanes: u32, first: u32, step: u32, nothing: V) -> V {
  var a = nothing;
  var b = nothing;
  var c = nothing;
  var d = nothing;
  var source = first;
  for (var r = begin; r < end; r += 4u * lanes) {
    a = combine(a, load(source));
    b = combine(b, load(source + step));
    c = combine(c, load(source + 2u * step));
    d = combine(d, load(source + 3u * step));
    source += 4u * step;
  }
  return combine(combine(a, b), combine(c, d));
}
