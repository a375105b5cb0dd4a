// Which row an index names: the rule of every kernel that gathers or scatters rows.
// `p` is the uniform of the kernel, whatever else that holds. mode 1 takes the nearest row there is, mode 2 counts on from
// the other end, mode 0 lets what names none pass. wrap is `rows` where negative numbers count from the end, else 0; signed
// says that an index is an int32. Bounds: none, there is no indexing. Workgroup memory: none.

//#default
struct Params {
  rows: u32,
  mode: u32,
  wrap: u32,
  signed: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
//#end

// The row an index names, or rows and more if it names none.
fn row_named(raw: u32) -> u32 {
  let sign = p.signed << 31u;
  let row = raw + select(0u, p.wrap, (raw & sign) != 0u);
  let negative = (row & sign) != 0u;
  let nearest = select(min(row, p.rows - 1u), 0u, negative);
  var found = select(row, nearest, p.mode == 1u);
  if (p.mode == 2u) {
    // -1 is the last row: ~row is 0 there and counts up as row goes down.
    found = select(row % p.rows, p.rows - 1u - (~row) % p.rows, negative);
  }
  return found;
}
