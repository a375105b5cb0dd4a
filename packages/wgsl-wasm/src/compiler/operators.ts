import { foldBinary, foldUnary } from "./abstract.ts";
import type { Builder } from "./builder.ts";
import { WgslError, type Place } from "./errors.ts";
import type { Node } from "./ir.ts";
import { buildVector } from "./lanes.ts";
import { shiftVector } from "./shifts.ts";
import { BOOL, likewise, sizeOf, typeText, vectorType, type Scalar } from "./types.ts";
import { abstractOf, fromLanes, laneOf, numeric, spread, type NumericValue, type Value } from "./values.ts";

const COMPARISONS: Readonly<Record<string, string>> = {
  "==": "eq",
  "!=": "ne",
  "<": "lt",
  ">": "gt",
  "<=": "le",
  ">=": "ge",
};
const ARITHMETIC: Readonly<Record<string, string>> = { "+": "add", "-": "sub", "*": "mul", "/": "div", "%": "rem" };
const BITWISE: Readonly<Record<string, string>> = { "&": "and", "|": "or", "^": "xor" };

export function unary(b: Builder, operator: string, operand: Value, place: Place): Value {
  const abstract = abstractOf(operand);
  const folded = abstract && foldUnary(operator, abstract, place);
  if (folded !== undefined) return folded;
  const { type, parts } = numeric(b, operand, place);
  const packed = type.kind === "vector" && type.size === 4;
  const fits =
    operator === "-" ? type.scalar === "f32" || type.scalar === "i32" : (operator === "!") === (type.scalar === "bool");
  if (!fits || (operator === "~" && type.scalar === "f32"))
    throw new WgslError("type", place, `${operator} does not take ${typeText(type)}`);
  return { type, parts: parts.map((part) => unaryPart(b, operator, type.scalar, part, packed)) };
}

function unaryPart(b: Builder, operator: string, scalar: Scalar, x: Node, packed: boolean): Node {
  if (operator === "-") {
    if (scalar === "f32") return b.op(packed ? "f32x4.neg" : "f32.neg", [x]);
    return packed ? b.op("i32x4.neg", [x]) : b.op("i32.sub", [b.i32(0), x]);
  }
  if (packed) return b.op("v128.not", [x]);
  return operator === "!" ? b.op("i32.eqz", [x]) : b.op("i32.xor", [x, b.i32(-1)]);
}

/** Both operands with one type: numbers without one take the other's, scalars spread over a vector in arithmetic. */
function unify(b: Builder, operator: string, x: Value, y: Value, place: Place): [NumericValue, NumericValue] {
  if (operator === "<<" || operator === ">>") {
    const left = numeric(b, x, place);
    const far = y.numbers?.find((count) => count > 31);
    if (far !== undefined) throw new WgslError("constant", place, `a shift of 32 bits by ${far}`);
    return [left, numeric(b, y, place, "u32")];
  }
  const scalarOf = (value: Value): Scalar | undefined =>
    value.type.kind === "scalar" || value.type.kind === "vector" ? value.type.scalar : undefined;
  const known = scalarOf(x) ?? scalarOf(y);
  let left = numeric(b, x, place, known);
  let right = numeric(b, y, place, known);
  if (ARITHMETIC[operator] !== undefined) {
    const [l] = left.parts;
    const [r] = right.parts;
    if (
      left.type.kind === "vector" &&
      right.type.kind === "scalar" &&
      right.type.scalar === left.type.scalar &&
      r !== undefined
    )
      right = spread(b, left.type, r);
    else if (
      right.type.kind === "vector" &&
      left.type.kind === "scalar" &&
      right.type.scalar === left.type.scalar &&
      l !== undefined
    )
      left = spread(b, right.type, l);
  }
  return [left, right];
}

export function binary(b: Builder, operator: string, x: Value, y: Value, place: Place): Value {
  const [p, q] = [abstractOf(x), abstractOf(y)];
  if (p !== undefined && q !== undefined) {
    const folded = foldBinary(operator, p, q, place);
    return "type" in folded ? folded : truths(b, folded);
  }
  const [left, right] = unify(b, operator, x, y, place);
  const shift = operator === "<<" || operator === ">>";
  const scalar = left.type.scalar;
  const shapesDiffer = left.parts.length !== right.parts.length || left.type.kind !== right.type.kind;
  if (shapesDiffer || (shift ? right.type.scalar !== "u32" : left.type !== right.type) || !takes(operator, scalar))
    throw new WgslError("type", place, `${typeText(x.type)} ${operator} ${typeText(y.type)} is not defined`);
  const packed = left.type.kind === "vector" && left.type.size === 4;
  const parts = left.parts.map((part, k) => {
    const other = right.parts[k];
    if (other === undefined) throw new WgslError("type", place, "operands of different shapes");
    return binaryPart(b, operator, scalar, part, other, packed);
  });
  return { type: COMPARISONS[operator] === undefined ? left.type : likewise(left.type, "bool"), parts };
}

function truths(b: Builder, lanes: readonly boolean[]): Value {
  const nodes = lanes.map((lane) => b.i32(Number(lane)));
  return fromLanes(b, nodes.length === 1 ? BOOL : vectorType(sizeOf(String(nodes.length)), "bool"), nodes);
}

function takes(operator: string, scalar: Scalar): boolean {
  if (operator === "==" || operator === "!=") return true;
  if (scalar === "bool") return operator === "&" || operator === "|";
  return scalar !== "f32" || (BITWISE[operator] === undefined && operator !== "<<" && operator !== ">>");
}

/** One WebAssembly value with another: scalars, or four lanes at once. */
export function binaryPart(b: Builder, operator: string, scalar: Scalar, x: Node, y: Node, packed: boolean): Node {
  const compare = COMPARISONS[operator];
  if (scalar === "bool") return boolPart(b, operator, x, y, packed);
  if (compare !== undefined) {
    const sign = scalar === "f32" || operator === "==" || operator === "!=" ? "" : scalar === "i32" ? "_s" : "_u";
    return b.op(`${scalar === "f32" ? "f32" : "i32"}${packed ? "x4" : ""}.${compare}${sign}`, [x, y]);
  }
  const bitwise = BITWISE[operator];
  if (bitwise !== undefined) return b.op(`${packed ? "v128" : "i32"}.${bitwise}`, [x, y]);
  if (operator === "<<" || operator === ">>") {
    if (packed) return shiftVector(b, operator, scalar, x, y);
    return b.op(operator === "<<" ? "i32.shl" : scalar === "i32" ? "i32.shr_s" : "i32.shr_u", [x, y]);
  }
  if (scalar === "f32") return floatPart(b, operator, x, y, packed);
  if (operator === "/" || operator === "%")
    return packed
      ? lanewise(b, scalar, x, y, (p, q) => divided(b, operator, scalar, p, q))
      : divided(b, operator, scalar, x, y);
  return b.op(`i32${packed ? "x4" : ""}.${ARITHMETIC[operator]}`, [x, y]);
}

function boolPart(b: Builder, operator: string, x: Node, y: Node, packed: boolean): Node {
  if (operator === "&" || operator === "|")
    return b.op(`${packed ? "v128" : "i32"}.${operator === "&" ? "and" : "or"}`, [x, y]);
  if (!packed) return b.op(operator === "==" ? "i32.eq" : "i32.ne", [x, y]);
  const differ = b.op("v128.xor", [x, y]);
  return operator === "==" ? b.op("v128.not", [differ]) : differ;
}

function floatPart(b: Builder, operator: string, x: Node, y: Node, packed: boolean): Node {
  const shape = packed ? "f32x4" : "f32";
  if (operator !== "%") return b.op(`${shape}.${ARITHMETIC[operator]}`, [x, y]);
  const whole = b.op(`${shape}.trunc`, [b.op(`${shape}.div`, [x, y])]);
  return b.op(`${shape}.sub`, [x, b.op(`${shape}.mul`, [y, whole])]);
}

/** What WebAssembly has for scalars only. */
export function lanewise(b: Builder, scalar: Scalar, x: Node, y: Node, apply: (x: Node, y: Node) => Node): Node {
  return buildVector(
    b,
    scalar,
    [0, 1, 2, 3].map((lane) => apply(laneOf(b, x, scalar, lane), laneOf(b, y, scalar, lane))),
  );
}

/** x / 0 = x, x % 0 = 0, -2^31 / -1 = -2^31, where WebAssembly would trap. */
function divided(b: Builder, operator: string, scalar: Scalar, x: Node, y: Node): Node {
  const signed = scalar === "i32";
  let divisor = y;
  if (y.kind !== "const" || y.imm === 0 || y.imm === -1) {
    divisor = b.op("i32.or", [y, b.op("i32.eqz", [y])]);
    if (signed) {
      const overflow = b.op("i32.and", [b.op("i32.eq", [x, b.i32(-0x80000000)]), b.op("i32.eq", [y, b.i32(-1)])]);
      divisor = b.select(overflow, b.i32(1), divisor);
    }
  }
  const powerOfTwo = divisor.kind === "const" && divisor.imm > 0 && (divisor.imm & (divisor.imm - 1)) === 0;
  if (operator === "%" && !signed && powerOfTwo) return b.op("i32.and", [x, b.i32(divisor.imm - 1)]);
  const quotient = b.op(signed ? "i32.div_s" : "i32.div_u", [x, divisor]);
  // By the quotient, which is mostly wanted as well.
  return operator === "/" ? quotient : b.op("i32.sub", [x, b.op("i32.mul", [quotient, divisor])]);
}
