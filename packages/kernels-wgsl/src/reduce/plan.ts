import type { Kernel, WgslFunction } from "../kernel.ts";
import { ceilDiv, foldGrid } from "../launch.ts";
import type { PlanLimits, Stage } from "../stage.ts";
import { arg } from "./arg.wgsl.gen.ts";
import { column } from "./column.wgsl.gen.ts";
import * as combines from "./combine-functions.wgsl.gen.ts";
import * as keys from "./key-functions.wgsl.gen.ts";
import { row } from "./row.wgsl.gen.ts";
import * as walks from "./walk-functions.wgsl.gen.ts";

export type Combine = "sum" | "prod" | "max" | "min" | "any" | "all";
export type ReduceDType = "float32" | "int32" | "uint32" | "bool";

/** The operand as a virtual row-major array `[outer, reduce, inner]`; the result is `[outer, inner]`. */
export interface ReduceShape {
  readonly outer: number;
  readonly reduce: number;
  readonly inner: number;
  /** The innermost extent (inner, or reduce where inner is 1) is divisible by 4 and the loads can be vec4. */
  readonly vector: boolean;
}

export interface ReduceSpec extends ReduceShape {
  readonly combine: Combine;
  readonly dtype: ReduceDType;
  /** The text of the operand's `load` is a line or two: kernels may hold it several times. Default false. */
  readonly shortLoad?: boolean;
}

export interface ArgReduceSpec extends ReduceShape {
  readonly arg: "max" | "min";
  readonly dtype: ReduceDType;
}

/** Invocations in a workgroup of column.wgsl and arg.wgsl, unless tuned: threads that take a whole one at a time want many. */
const GROUP = 64;
const SEQUENTIAL_GROUP = 16;
/** Lanes that share a row (8 vec4 are one 128-byte line), and rows of a workgroup in row.wgsl. */
const LANES = 8;
const LINES = 8;
/** Up to this many loads one invocation takes a whole line. Above, only if there are WIDE lines or more. */
export const SHORT = 64;
const WIDE = 256;
/** The same where there are at least GROUP lines and a dispatch costs more than the cores that one group leaves idle. */
const MIDDLING = 256;
/** No invocation loads more than this for a result, which bounds a sum's error as well as its time. */
const LONGEST = 1024;

/**
 * The dispatches that reduce the middle axis of `[outer, reduce, inner]` by `combine`, in order.
 *
 * One stage, or two where lines are long and few: the first leaves partial results `[outer, parts, inner]` in a
 * workspace, the second combines those. The order of combination depends on the shape alone, so results repeat
 * bit for bit. An empty axis gives the identity (the caller refuses max and min of nothing).
 *
 * @throws Error when dtype and combine do not fit, or the number of results is past what a grid can count.
 * @example
 * planReduce({ combine: "sum", dtype: "float32", outer: 1, reduce: 1 << 20, inner: 1, vector: true }, limits).length; // 2
 * // 1024 partial results, then one
 */
export function planReduce(spec: ReduceSpec, limits: PlanLimits): readonly Stage[] {
  checkShape("reduce", spec);
  const rows = spec.inner === 1;
  const identity = identityBits(spec.combine, spec.dtype);
  const stages: Stage[] = [];
  let lines = linesOf(spec);
  let width = widthOf(spec);
  let kernel = rows && limits.cheapBarriers === true && lines.reduce > SHORT ? row : column;
  for (;;) {
    const parts = kernel === row ? rowParts(lines) : columnParts(lines, stages.length > 0, limits);
    const first = stages.length === 0;
    const last = parts.splits === 1;
    // row.wgsl folds even its partial results to scalars; column.wgsl leaves those as wide as they were loaded.
    const fold = rows && (last || kernel === row);
    const { count, grid } = extent(kernel, lines, parts, limits);
    const { reduce, inner } = lines;
    const { chunk, lanes, splits } = parts;
    stages.push({
      kernel,
      ...reduceText(
        kernel,
        spec,
        width,
        fold,
        groupOf(limits),
        // A second stage of columns has the text of the first.
        last && (first || rows),
        walkOf(lines, parts, width === 4 && (!first || spec.shortLoad === true)),
      ),
      params:
        kernel === row
          ? { count, reduce, chunk, splits, identity }
          : { count, reduce, inner, chunk, lanes, splits, identity },
      grid,
      ...ends(width, fold, first, last, count),
    });
    if (last) return stages;
    if (kernel === row) width = 4;
    lines = { ...lines, reduce: kernel === row ? splits / 4 : splits };
    kernel = column;
  }
}

/**
 * The dispatches that find, along the middle axis of `[outer, reduce, inner]`, the index of the largest or smallest
 * element as int32 (what JAX gives: the first of equals, a NaN before everything, -0 equal to 0). Workspaces are uint32.
 *
 * @throws Error when the axis is empty or the number of results is past what a grid can count.
 * @example
 * planArgReduce({ arg: "max", dtype: "float32", outer: 32, reduce: 10, inner: 1, vector: false }, limits).length; // 1
 */
export function planArgReduce(spec: ArgReduceSpec, limits: PlanLimits): readonly Stage[] {
  checkShape(`arg${spec.arg}`, spec);
  if (spec.reduce === 0) throw new Error(`arg${spec.arg}: the axis is empty; nothing can be chosen`);
  const width = widthOf(spec);
  const rows = spec.inner === 1;
  const flip = spec.arg === "max" ? 0 : 0xffff_ffff;
  const stages: Stage[] = [];
  let lines = linesOf(spec);
  for (;;) {
    const { chunk, lanes, splits } = columnParts(lines, stages.length > 0, limits);
    const last = splits === 1;
    const first = stages.length === 0;
    const { count, grid } = extent(arg, lines, { chunk, lanes, splits }, limits);
    const { outer, reduce, inner } = lines;
    stages.push({
      kernel: arg,
      ...argText(spec, width, first, last, groupOf(limits)),
      params: { count, reduce, inner, chunk, lanes, splits, flip, pairs: first ? 0 : outer * reduce * inner },
      grid,
      // A partial result is a key and a position.
      ...ends(width, last && rows, first, last, 2 * count),
    });
    if (last) return stages;
    lines = { ...lines, reduce: splits };
  }
}

/** Where a stage reads and writes, and how wide. */
function ends(width: 1 | 4, fold: boolean, first: boolean, last: boolean, partials: number): StageEnds {
  const storeWidth = fold ? 1 : width;
  return {
    loadWidth: width,
    storeWidth,
    reads: first ? "operands" : "workspace",
    writes: last ? "results" : "workspace",
    workspaceElements: last ? 0 : partials * storeWidth,
  };
}

type StageEnds = Pick<Stage, "loadWidth" | "storeWidth" | "reads" | "writes" | "workspaceElements">;

/** A ReduceShape in units of the load's width. */
interface Lines {
  readonly outer: number;
  readonly reduce: number;
  readonly inner: number;
}

/** How one line is shared: `splits` parts, of which `lanes` take turns within each chunk. */
interface Parts {
  readonly chunk: number;
  readonly lanes: number;
  readonly splits: number;
}

function widthOf(shape: ReduceShape): 1 | 4 {
  return shape.vector && shape.reduce > 0 ? 4 : 1;
}

function linesOf(shape: ReduceShape): Lines {
  const { outer, reduce, inner } = shape;
  const width = widthOf(shape);
  return inner === 1 ? { outer, reduce: reduce / width, inner } : { outer, reduce, inner: inner / width };
}

function whole(lines: Lines): Parts {
  return { chunk: lines.reduce, lanes: 1, splits: 1 };
}

/** Parts for column.wgsl and arg.wgsl: enough invocations to be busy, few enough loads in each. */
function columnParts(lines: Lines, again: boolean, limits: PlanLimits): Parts {
  const { outer, reduce, inner } = lines;
  // A core has one invocation at a time: a second dispatch for the parts of a few lines would cost more than the lines.
  const longest = limits.sequential === true ? LONGEST : longestLine(outer * inner, limits);
  const short = again ? LONGEST / 2 : longest;
  if (reduce <= short) return whole(lines);
  // Where lanes run one after another, each walks through a stretch of its own.
  const lanes = inner === 1 && limits.sequential !== true ? LANES : 1;
  // About as many loads for each partial result as there are partial results.
  const loads = Math.min(LONGEST / 2, Math.max(16, 2 ** Math.round(Math.log2(reduce) / 2)));
  const chunk = loads * lanes;
  return { chunk, lanes, splits: ceilDiv(reduce, chunk) * lanes };
}

/** How many loads one invocation may take to do a whole line. */
export function longestLine(count: number, { cheapBarriers }: PlanLimits): number {
  if (count >= WIDE) return LONGEST;
  return count < GROUP || cheapBarriers === true ? SHORT : MIDDLING;
}

/** Parts for row.wgsl, which has LANES invocations a part. */
function rowParts(lines: Lines): Parts {
  const longest = LONGEST / 2;
  if (lines.reduce <= longest * LANES && (lines.outer >= 64 || lines.reduce <= 64 * LANES)) return whole(lines);
  const loads = Math.min(longest, Math.max(32, 2 ** Math.round(Math.log2(lines.reduce / LANES) / 2)));
  const chunk = loads * LANES;
  return { chunk, lanes: LANES, splits: 4 * ceilDiv(lines.reduce, 4 * chunk) };
}

function extent(
  kernel: Kernel,
  lines: Lines,
  parts: Parts,
  limits: PlanLimits,
): Pick<Stage, "grid"> & { readonly count: number } {
  const count = lines.outer * parts.splits * lines.inner;
  const groups = ceilDiv(count, kernel === row ? LINES : groupOf(limits));
  return { count, grid: foldGrid(groups, limits.maxComputeWorkgroupsPerDimension) };
}

const SCALARS = { float32: "f32", int32: "i32", uint32: "u32", bool: "u32" } as const;
const VECTORS = { float32: "vec4f", int32: "vec4i", uint32: "vec4u", bool: "vec4u" } as const;

/** T, V and K of the combining functions. */
export function aliases(dtype: ReduceDType, width: 1 | 4): string {
  const value = width === 4 ? VECTORS[dtype] : SCALARS[dtype];
  return `alias T = ${SCALARS[dtype]};\nalias V = ${value};\nalias K = ${width === 4 ? "vec4u" : "u32"};`;
}

const groupOf = ({ tuning, sequential }: PlanLimits): number =>
  tuning?.reduce?.group ?? (sequential === true ? SEQUENTIAL_GROUP : GROUP);

/** How column.wgsl walks a part: four loads a turn where that is worth a text of its own and all parts are whole turns. */
function walkOf(lines: Lines, { chunk, lanes }: Parts, worth: boolean): WgslFunction {
  const whole = lines.reduce % (4 * lanes) === 0 && chunk % (4 * lanes) === 0;
  return whole && worth ? walks.walk_fours : walks.walk_ones;
}

function reduceText(
  kernel: Kernel,
  spec: ReduceSpec,
  width: 1 | 4,
  fold: boolean,
  group: number,
  whole: boolean,
  walk: WgslFunction,
): Text {
  const combine = combineFunction(spec.combine, spec.dtype);
  const finish = fold && width === 4 ? combines.finish_lanes : combines.finish_each;
  const own =
    kernel === row
      ? `const LANES = ${LANES}u;\nconst LINES = ${LINES}u;`
      : `const GROUP = ${group}u;
fn place(part: u32) -> vec3u { return ${whole ? "vec3u(part, 0u, p.reduce)" : "placeOfPart(part)"}; }
fn walk(begin: u32, end: u32, lanes: u32, source: u32, step: u32, nothing: V) -> V {
  return ${walk.name}(begin, end, lanes, source, step, nothing);
}`;
  const consts = [
    own,
    aliases(spec.dtype, width),
    `alias R = ${fold ? "T" : "V"};`,
    `fn combine(a: V, b: V) -> V { return ${combine.name}(a, b); }`,
    `fn finish(v: V) -> R { return ${finish.name}(v); }`,
  ].join("\n");
  return { consts, functions: kernel === row ? [combine, finish] : [combine, finish, walk] };
}

type Text = Required<Pick<Stage, "consts" | "functions">>;

/** The library function that combines two partial results. Throws when dtype and combine do not fit. */
export function combineFunction(combine: Combine, dtype: ReduceDType): WgslFunction {
  const boolean = combine === "any" || combine === "all";
  if (boolean !== (dtype === "bool")) {
    throw new Error(`reduce: ${combine} of ${dtype}; any and all take bool, the others take numbers: cast first`);
  }
  const float = dtype === "float32";
  switch (combine) {
    case "sum":
      return combines.combine_sum;
    case "prod":
      return combines.combine_prod;
    case "max":
    case "any":
      return float ? combines.combine_max_float : combines.combine_max;
    case "min":
    case "all":
      return float ? combines.combine_min_float : combines.combine_min;
  }
}

/** The bits of the value that changes nothing. */
export function identityBits(combine: Combine, dtype: ReduceDType): number {
  const float = dtype === "float32";
  switch (combine) {
    case "sum":
    case "any":
      return 0;
    case "prod":
      return float ? 0x3f80_0000 : 1;
    case "all":
      return 1;
    case "max":
      return float ? 0xff80_0000 : dtype === "int32" ? 0x8000_0000 : 0;
    case "min":
      return float ? 0x7f80_0000 : dtype === "int32" ? 0x7fff_ffff : 0xffff_ffff;
  }
}

/**
 * `first`: elements come from the operand, else pairs from the workspace. `last`: positions go out, else pairs.
 * Positions are int32, what lies in a workspace is uint32.
 */
function argText(spec: ArgReduceSpec, width: 1 | 4, first: boolean, last: boolean, group: number): Text {
  const rows = spec.inner === 1;
  const wide = width === 4;
  const lanes = wide && rows;
  const order =
    spec.dtype === "float32" ? keys.order_float : spec.dtype === "int32" ? keys.order_signed : keys.order_unsigned;
  const nan = spec.dtype === "float32" ? " | is_nan_float(v)" : "";
  const key = first ? `let v = load(source); return (${order.name}(v) ^ K(p.flip))${nan};` : "return load(source);";
  const position = first ? (lanes ? "K(4u * r) + K(0u, 1u, 2u, 3u)" : "K(r)") : "load(p.pairs + source)";
  const pair = "store(at, best); store(p.count + at, spot);";
  const consts = [
    `const GROUP = ${group}u;`,
    aliases(first ? spec.dtype : "uint32", width),
    `alias R = ${!last ? "K" : wide && !rows ? "vec4i" : "i32"};`,
    `fn key(source: u32) -> K { ${key} }`,
    `fn position(source: u32, r: u32) -> K { return ${position}; }`,
    `fn emit(at: u32, best: K, spot: K) { ${last ? (lanes ? FOLD_POSITIONS : "store(at, bitcast<R>(spot));") : pair} }`,
  ].join("\n");
  const functions = !first ? [] : nan === "" ? [order] : [order, keys.is_nan_float];
  return { consts, functions };
}

/** The least position among the lanes that hold the largest key. */
const FOLD_POSITIONS = `
  let top = max(max(best.x, best.y), max(best.z, best.w));
  let held = select(K(0xffffffffu), spot, best == K(top));
  store(at, bitcast<R>(min(min(held.x, held.y), min(held.z, held.w))));
`;

function checkShape(op: string, { outer, reduce, inner, vector }: ReduceShape): void {
  const innermost = inner === 1 ? reduce : inner;
  if (vector && innermost % 4 !== 0) {
    throw new Error(`${op}: vec4 loads need an innermost extent divisible by 4, got [${outer}, ${reduce}, ${inner}]`);
  }
}
