import type { Builder } from "./builder.ts";
import type { Node } from "./ir.ts";
import type { Scalar } from "./types.ts";

/** One scalar in all four lanes; a bool becomes a mask. */
export function splat(b: Builder, scalar: Scalar, lane: Node): Node {
  if (scalar === "bool") return b.op("i32x4.splat", [mask(b, lane)]);
  return b.op(scalar === "f32" ? "f32x4.splat" : "i32x4.splat", [lane]);
}

/** 0 or 1 as 0 or -1. */
function mask(b: Builder, lane: Node): Node {
  return b.op("i32.sub", [b.i32(0), lane]);
}

/** A v128 of four scalars: a constant, a splat, a shuffle of one or two vectors, or lane by lane. */
export function buildVector(b: Builder, scalar: Scalar, scalars: readonly Node[]): Node {
  const lanes = scalar === "bool" ? scalars.map((lane) => mask(b, lane)) : scalars;
  const [first] = lanes;
  if (first === undefined) throw new Error("a vector of no lanes");
  const shape = scalar === "f32" ? "f32x4" : "i32x4";
  if (lanes.every((lane) => lane === first)) return b.op(`${shape}.splat`, [first]);
  if (lanes.every((lane) => lane.kind === "const")) return b.v128(lanes.map((lane) => lane.imm));
  return shuffleOf(b, lanes) ?? columnOf(b, lanes) ?? replaceLanes(b, shape, lanes, first);
}

/** The same lane of four vectors: two of the eight shuffles of a transpose and one more, those that its neighbours make too. */
function columnOf(b: Builder, lanes: readonly Node[]): Node | undefined {
  const [lane = 0] = lanes.map(({ imm }) => imm);
  const vectors = lanes.flatMap(({ op, args, imm }) =>
    op?.name.endsWith(".extract_lane") === true && imm === lane ? args : [],
  );
  const [x, y, z, w] = vectors;
  if (x === undefined || y === undefined || z === undefined || w === undefined) return undefined;
  const pairs = lane < 2 ? [0, 4, 1, 5] : [2, 6, 3, 7];
  const halves = lane % 2 === 0 ? [0, 1, 4, 5] : [2, 3, 6, 7];
  return shuffle(b, shuffle(b, x, y, pairs), shuffle(b, z, w, pairs), halves);
}

function replaceLanes(b: Builder, shape: string, lanes: readonly Node[], first: Node): Node {
  const constants = lanes.some((lane) => lane.kind === "const");
  let vector = constants
    ? b.v128(lanes.map((lane) => (lane.kind === "const" ? lane.imm : 0)))
    : b.op(`${shape}.splat`, [first]);
  lanes.forEach((lane, k) => {
    if (constants ? lane.kind !== "const" : lane !== first) vector = b.op(`${shape}.replace_lane`, [vector, lane], k);
  });
  return vector;
}

/** Four lanes that all come out of at most two vectors. */
function shuffleOf(b: Builder, lanes: readonly Node[]): Node | undefined {
  const sources: Node[] = [];
  const picks: number[] = [];
  for (const lane of lanes) {
    const vector = lane.op?.name.endsWith(".extract_lane") === true ? lane.args[0] : undefined;
    if (vector === undefined) return undefined;
    let k = sources.indexOf(vector);
    if (k < 0) k = sources.push(vector) - 1;
    if (k > 1) return undefined;
    picks.push(k * 4 + lane.imm);
  }
  const [one, two = one] = sources;
  return one === undefined || two === undefined ? undefined : shuffle(b, one, two, picks);
}

/** Lanes 0-3 are those of `one`, 4-7 those of `two`. */
export function shuffle(b: Builder, one: Node, two: Node, picks: readonly number[]): Node {
  if (picks.every((pick, k) => pick === k)) return one;
  if (one.kind === "const" && two.kind === "const") {
    const words = [...(one.lanes ?? []), ...(two.lanes ?? [])];
    return b.v128(picks.map((pick) => words[pick] ?? 0));
  }
  const bytes = picks.flatMap((pick) => [0, 1, 2, 3].map((k) => pick * 4 + k));
  return b.op("i8x16.shuffle", [one, two], 0, bytes);
}

/** The scalar of which `x` is a splat, if it is one. */
export function splatSource(b: Builder, x: Node): Node | undefined {
  if (x.op?.name === "i32x4.splat") return x.args[0];
  const [first, ...rest] = x.kind === "const" ? (x.lanes ?? []) : [];
  return first !== undefined && rest.every((lane) => lane === first) ? b.i32(first) : undefined;
}
