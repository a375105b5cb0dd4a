import type { Builder } from "./builder.ts";
import type { Node } from "./ir.ts";
import { shuffle, splatSource } from "./lanes.ts";
import type { Scalar } from "./types.ts";

/** x << y or x >> y in four lanes. WebAssembly shifts all lanes by one count; other counts go by powers of two. */
export function shiftVector(b: Builder, operator: "<<" | ">>", scalar: Scalar, x: Node, y: Node): Node {
  const count = splatSource(b, y);
  if (count !== undefined) {
    return b.op(operator === "<<" ? "i32x4.shl" : scalar === "i32" ? "i32x4.shr_s" : "i32x4.shr_u", [x, count]);
  }
  const counts = b.op("v128.and", [y, word(b, 31)]);
  if (operator === "<<") return b.op("i32x4.mul", [x, powerOfTwo(b, counts)]);
  if (scalar !== "i32") return shiftRight(b, x, counts);
  // The bits of a negative number turned over are shifted in as zeros, and turned back.
  const sign = b.op("i32x4.shr_s", [x, b.i32(31)]);
  return b.op("v128.xor", [shiftRight(b, b.op("v128.xor", [x, sign]), counts), sign]);
}

function word(b: Builder, bits: number): Node {
  return b.v128([bits, bits, bits, bits].map((lane) => lane | 0));
}

/**
 * 2^y for y below 32: byte j of a lane is 2^(y - 8 j) where that fits a byte, else 0. Byte y - 8 j of a table says so; other
 * places of the table are 0, and so is what lies outside it.
 */
function powerOfTwo(b: Builder, y: Node): Node {
  const table = b.v128([0x08040201, 0x80402010 | 0, 0, 0]);
  const everywhere = b.op("i32x4.mul", [y, word(b, 0x01010101)]);
  return b.op("i8x16.swizzle", [table, b.op("i8x16.sub", [everywhere, word(b, 0x18100800)])]);
}

/** x 2^(31 - y) as 64 bits, of which 31 are dropped. */
function shiftRight(b: Builder, x: Node, y: Node): Node {
  const power = powerOfTwo(b, b.op("v128.xor", [y, word(b, 31)]));
  const [low, high] = ["i64x2.extmul_low_i32x4_u", "i64x2.extmul_high_i32x4_u"].map((name) =>
    b.op("i64x2.shr_u", [b.op(name, [x, power]), b.i32(31)]),
  );
  if (low === undefined || high === undefined) throw new Error("two halves are needed");
  return shuffle(b, low, high, [0, 2, 4, 6]);
}

/** Leading zeros of four lanes: from the exponent of the number as a float, once no rounding can carry into it. */
export function leadingZeros(b: Builder, x: Node): Node {
  const shortened = b.op("v128.andnot", [x, b.op("i32x4.shr_u", [x, b.i32(1)])]);
  const exponent = b.op("i32x4.shr_u", [b.op("f32x4.convert_i32x4_s", [shortened]), b.i32(23)]);
  // 158 less the exponent; above 32 for zero, below 0 where the leading bit made the number negative.
  const count = b.op("i32x4.sub", [word(b, 158), exponent]);
  return b.op("i32x4.max_s", [b.op("i32x4.min_s", [count, word(b, 32)]), word(b, 0)]);
}
