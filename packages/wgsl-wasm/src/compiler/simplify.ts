import type { Builder } from "./builder.ts";
import { isComparison } from "./fold.ts";
import type { Node } from "./ir.ts";

type Rule = (b: Builder, name: string, args: readonly Node[], imm: number) => Node | undefined;

/** A simpler node equal to `name` of `args`, if one is known. Only what holds for every bit pattern. */
export function simplify(b: Builder, name: string, args: readonly Node[], imm: number): Node | undefined {
  return RULES.get(name)?.(b, name, args, imm);
}

const OPPOSITE: Readonly<Record<string, string>> = {
  "i32.eq": "i32.ne",
  "i32.ne": "i32.eq",
  "i32.lt_s": "i32.ge_s",
  "i32.lt_u": "i32.ge_u",
  "i32.gt_s": "i32.le_s",
  "i32.gt_u": "i32.le_u",
  "i32.le_s": "i32.gt_s",
  "i32.le_u": "i32.gt_u",
  "i32.ge_s": "i32.lt_s",
  "i32.ge_u": "i32.lt_u",
  "f32.eq": "f32.ne",
  "f32.ne": "f32.eq",
};

function negated(b: Builder, x: Node): Node | undefined {
  const opposite = OPPOSITE[x.op?.name ?? ""];
  if (opposite !== undefined) return b.op(opposite, x.args);
  const inner = x.op?.name === "i32.eqz" ? x.args[0] : undefined;
  return inner !== undefined && isTruth(inner) ? inner : undefined;
}

/** True for nodes that are 0 or 1. */
function isTruth(x: Node): boolean {
  const name = x.op?.name ?? "";
  return (
    name === "i32.eqz" ||
    name === "v128.any_true" ||
    name === "i32x4.all_true" ||
    (x.type === "i32" && isComparison(name))
  );
}

function isConst(x: Node, value: number): boolean {
  return x.kind === "const" && x.type === "i32" && x.imm === value;
}

function integer(b: Builder, name: string, x: Node, y: Node): Node | undefined {
  switch (name) {
    case "i32.add":
    case "i32.or":
    case "i32.xor":
      if (isConst(y, 0)) return x;
      if (isConst(x, 0)) return y;
      return name === "i32.add" ? added(b, x, y) : undefined;
    case "i32.sub":
      if (isConst(y, 0)) return x;
      return y.kind === "const" ? b.op("i32.add", [x, b.i32(-y.imm)]) : undefined;
    case "i32.mul":
      if (isConst(x, 1) || isConst(y, 0)) return y;
      return isConst(y, 1) || isConst(x, 0) ? x : undefined;
    case "i32.and":
      if (isConst(y, -1) || isConst(x, 0)) return x;
      if (isConst(x, -1) || isConst(y, 0)) return y;
      return isConst(y, 1) ? lowBit(x) : undefined;
    case "i32.shl":
    case "i32.shr_u":
    case "i32.shr_s":
      return isConst(y, 0) ? x : undefined;
    case "i32.div_u":
      return isConst(y, 1) ? x : shifted(b, x, y);
    default:
      return undefined;
  }
}

/** (x + 3) + 4 = x + 7. */
function added(b: Builder, x: Node, y: Node): Node | undefined {
  const inner = x.op?.name === "i32.add" ? x.args[1] : undefined;
  const base = x.args[0];
  if (y.kind !== "const" || inner?.kind !== "const" || base === undefined) return undefined;
  return b.op("i32.add", [base, b.i32(inner.imm + y.imm)]);
}

/** Division by a power of two. */
function shifted(b: Builder, x: Node, y: Node): Node | undefined {
  if (y.kind !== "const" || y.imm <= 0 || (y.imm & (y.imm - 1)) !== 0) return undefined;
  return b.op("i32.shr_u", [x, b.i32(31 - Math.clz32(y.imm))]);
}

/** (0 - t) & 1 = t for a truth t: a lane of a mask that was made of truths. */
function lowBit(x: Node): Node | undefined {
  if (isTruth(x)) return x;
  const [zero, inner] = x.args;
  const minus = x.op?.name === "i32.sub" && zero !== undefined && isConst(zero, 0);
  return minus && inner !== undefined && isTruth(inner) ? inner : undefined;
}

function reinterpreted(b: Builder, name: string, x: Node): Node | undefined {
  if (x.kind === "const") return b.bits(name.startsWith("i32") ? "i32" : "f32", x.imm);
  const back = name.startsWith("i32") ? "f32.reinterpret_i32" : "i32.reinterpret_f32";
  return x.op?.name === back ? x.args[0] : undefined;
}

const LANEWISE_INTEGER = new Set(["i32x4.add", "i32x4.sub", "i32x4.mul"]);

/** Lanes of what was put together lane by lane; of integer sums and products too, for they are mostly addresses. */
function extracted(b: Builder, name: string, x: Node, lane: number): Node | undefined {
  const type = name.startsWith("i32") ? "i32" : "f32";
  if (x.lanes !== undefined && x.kind === "const") return b.bits(type, x.lanes[lane] ?? 0);
  const source = sourceOf(x, lane);
  if (source.vector !== x) return b.op(name, [source.vector], source.lane);
  const made = x.op?.name ?? "";
  const [p, q] = x.args;
  if (p === undefined) return undefined;
  if (made.endsWith(".splat")) return recast(b, p, type);
  if (made.endsWith(".replace_lane") && q !== undefined) return recast(b, q, type);
  return type === "i32" && LANEWISE_INTEGER.has(made) && q !== undefined ? extractedSum(b, x, p, q, lane) : undefined;
}

/** The vector in which a lane was put, or computed. */
function sourceOf(x: Node, at: number): { readonly vector: Node; readonly lane: number } {
  let [vector, lane] = [x, at];
  for (;;) {
    const [p, q] = vector.args;
    const made = vector.op?.name ?? "";
    if (p === undefined || q === undefined) return { vector, lane };
    if (made === "i8x16.shuffle") {
      const from = (vector.lanes?.[lane * 4] ?? 0) >> 2;
      [vector, lane] = [from < 4 ? p : q, from & 3];
    } else if (made.endsWith(".replace_lane") && vector.imm !== lane) vector = p;
    else return { vector, lane };
  }
}

/** Lanes of sums that have been taken apart, for a sum may be part of many: each would double the work. */
const sums = new WeakMap<Node, Map<number, Node>>();
/** Sums in sums: what lies deeper stays a vector. */
const DEEPEST = 64;

function extractedSum(b: Builder, x: Node, p: Node, q: Node, lane: number): Node | undefined {
  const known = sums.get(x) ?? new Map<number, Node>();
  sums.set(x, known);
  let sum = known.get(lane);
  if (sum !== undefined || b.depth >= DEEPEST) return sum;
  b.depth++;
  const name = "i32x4.extract_lane";
  sum = b.op((x.op?.name ?? "").replace("x4", ""), [b.op(name, [p], lane), b.op(name, [q], lane)]);
  b.depth--;
  known.set(lane, sum);
  return sum;
}

function recast(b: Builder, x: Node, type: "i32" | "f32"): Node {
  if (x.type === type) return x;
  return b.op(type === "i32" ? "i32.reinterpret_f32" : "f32.reinterpret_i32", [x]);
}

/** An operation on two splats is the splat of a scalar operation. */
function bothSplat(b: Builder, name: string, x: Node, y: Node): Node | undefined {
  const p = splatOf(b, x, name);
  const q = splatOf(b, y, name);
  if (p === undefined || q === undefined) return undefined;
  return b.op(`${name.slice(0, 5)}.splat`, [b.op(name.replace("x4", ""), [p, q])]);
}

function splatOf(b: Builder, x: Node, name: string): Node | undefined {
  const type = name.startsWith("i32") ? "i32" : "f32";
  const inner = x.op?.name.endsWith(".splat") === true ? x.args[0] : undefined;
  if (inner !== undefined) return inner.type === type ? inner : undefined;
  const [first, ...rest] = x.kind === "const" ? (x.lanes ?? []) : [];
  return first !== undefined && rest.every((lane) => lane === first) ? b.bits(type, first) : undefined;
}

function splatted(b: Builder, x: Node): Node | undefined {
  return x.kind === "const" ? b.v128([x.imm, x.imm, x.imm, x.imm]) : undefined;
}

const MAGNITUDE = 0x7fffffff;
const INFINITY_BITS = 0x7f800000;

/** Largest ones of largest ones that are asked, each twice as many. */
const MOST_LARGEST = 6;

/** The bits of a float that are compared with infinity's, sign apart, ask whether it is NaN: one comparison of it with itself. */
function isNan(b: Builder, name: string, x: Node, y: Node, left = MOST_LARGEST): Node | undefined {
  if (left === 0 || !allAre(y, INFINITY_BITS)) return undefined;
  const float = name === "i32.gt_u" ? "f32" : "f32x4";
  const [p, q] = x.args;
  if (p === undefined || q === undefined) return undefined;
  if (x.op?.name === "i32x4.max_u") {
    const [first, second] = [isNan(b, name, p, y, left - 1), isNan(b, name, q, y, left - 1)];
    return first === undefined || second === undefined ? undefined : b.op("v128.or", [first, second]);
  }
  if (!(x.op?.name === "v128.and" || x.op?.name === "i32.and") || !allAre(q, MAGNITUDE)) return undefined;
  if (float === "f32x4") return b.op("f32x4.ne", [p, p]);
  const number = p.op?.name === "i32.reinterpret_f32" ? p.args[0] : undefined;
  return number && b.op("f32.ne", [number, number]);
}

/** x + -y, the sign turned by its bit. */
function minus(b: Builder, x: Node, y: Node): Node | undefined {
  const [inner, sign] = y.op?.name === "i32x4.add" ? y.args : [];
  if (inner === undefined || sign === undefined || !allAre(sign, -0x80000000)) return undefined;
  return b.op("f32x4.sub", [x, inner]);
}

/** A choice between a value and zeros. */
function masked(b: Builder, [then, otherwise, mask]: readonly Node[]): Node | undefined {
  if (then === undefined || otherwise === undefined || mask === undefined) return undefined;
  if (allAre(otherwise, 0)) return b.op("v128.and", [then, mask]);
  return allAre(then, 0) ? b.op("v128.andnot", [otherwise, mask]) : undefined;
}

/** True for a constant each of whose 32-bit lanes has these bits. */
function allAre(x: Node, bits: number): boolean {
  return x.kind === "const" && (x.lanes ?? [x.imm]).every((lane) => lane === bits);
}

const one =
  (rule: (b: Builder, name: string, x: Node, imm: number) => Node | undefined): Rule =>
  (b, name, [x], imm) =>
    x === undefined ? undefined : rule(b, name, x, imm);
const two =
  (rule: (b: Builder, name: string, x: Node, y: Node) => Node | undefined): Rule =>
  (b, name, [x, y]) =>
    x === undefined || y === undefined ? undefined : rule(b, name, x, y);

const LANES = one(extracted);
const SPLAT = one((b, _, x) => splatted(b, x));
const SAME_BITS = one(reinterpreted);
const INTEGER = two(integer);
const TWIN = two(bothSplat);

const RULES = new Map<string, Rule>([
  ["i32.eqz", one((b, _, x) => negated(b, x))],
  ["v128.not", one((_b, _, x) => (x.op?.name === "v128.not" ? x.args[0] : undefined))],
  ["i32x4.extract_lane", LANES],
  ["f32x4.extract_lane", LANES],
  ["i32x4.splat", SPLAT],
  ["f32x4.splat", SPLAT],
  ["i32.reinterpret_f32", SAME_BITS],
  ["f32.reinterpret_i32", SAME_BITS],
  ...["add", "sub", "mul", "and", "or", "xor", "shl", "shr_u", "shr_s", "div_u"].map(
    (name) => [`i32.${name}`, INTEGER] as const,
  ),
  ...["add", "sub", "mul"].map((name) => [`i32x4.${name}`, TWIN] as const),
  ...["sub", "mul", "div"].map((name) => [`f32x4.${name}`, TWIN] as const),
  ["f32x4.add", two((b, name, x, y) => bothSplat(b, name, x, y) ?? minus(b, x, y) ?? minus(b, y, x))],
  ["v128.bitselect", (b, _, args) => masked(b, args)],
  ["i32.gt_u", two(isNan)],
  ["i32x4.gt_u", two(isNan)],
]);
