import { ceilDiv, foldGrid, groupShape } from "../launch.ts";
import type { PlanLimits, Stage, Width } from "../stage.ts";
import { dot } from "./dot.wgsl.gen.ts";
import { naive } from "./naive.wgsl.gen.ts";
import type { Batch, MatmulOperand, View } from "./operand.ts";
import { collapseBatch, inVec4, isAligned, viewOf } from "./operand.ts";
import { parts as sumParts } from "./parts.wgsl.gen.ts";
import { isLarge, packedAddressing, packOperand, paysToPack, type Across } from "./plan-packed.ts";
import { planTile } from "./plan-tile.ts";
import { register } from "./register.wgsl.gen.ts";
import { place_of_many, tile_of_many } from "./slab-functions.wgsl.gen.ts";
import { tall as tallKernel } from "./tall.wgsl.gen.ts";
import { vector } from "./vector.wgsl.gen.ts";

export type { MatmulOperand } from "./operand.ts";
export type MatmulDType = "float32" | "int32" | "uint32";

/** c[batch, m, n] = sum over k of a[batch, m, k] * b[batch, k, n]. */
export interface MatmulSpec {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Extents of the batch axes, outermost first; [] for a plain product. */
  readonly batch: readonly number[];
  readonly a: MatmulOperand;
  readonly b: MatmulOperand;
  readonly dtype: MatmulDType;
}

/** Scalars of the register tile, each way; of tall.wgsl's the columns. */
const TILE = 8;
const TALL = 16;
/** Invocations in a workgroup of register.wgsl and vector.wgsl, unless tuned. */
const GROUP = 32;
const NAIVE_GROUP = 64;
/** Lanes along k and lines of four rows in a workgroup of dot.wgsl. */
const LANES = 4;
const LINES = 8;
/**
 * Multiply-adds up to which naive.wgsl is taken: it compiles in a third of the time of the others. Not for results with
 * WIDE rows and columns, which register.wgsl reads in fewer loads, most often with a text that is compiled already.
 */
const SMALL = 1 << 17;
/** The same where invocations run one after another: a tile takes a fifth of the time there, and its compiler little of it. */
const SMALL_SEQUENTIAL = 1 << 14;
const WIDE = 64;
/** m or n up to which the product is a matrix times a few vectors, if k is at least LONG. */
const THIN = 4;
const LONG = 64;
/** Fewer invocations than this, each walking at least 2 * PART of k: k is split. */
const BUSY = 256;
const PART = 256;

const SCALARS = { float32: "f32", int32: "i32", uint32: "u32" } as const;

/** What every kernel of the family needs to know of a product. */
interface Problem extends MatmulSpec {
  readonly limits: PlanLimits;
  readonly z: Batch;
}

/** One operand long, the other thin (THIN columns or fewer). */
interface ThinProblem extends Problem {
  readonly long: View;
  readonly short: View;
  readonly rows: number;
  readonly thin: number;
  readonly cRow: number;
  readonly cThin: number;
  /** Names of the long and the short operand's bindings. */
  readonly names: readonly ["a" | "b", "a" | "b"];
}

/**
 * The dispatches of a matmul, in order: one, or two where k is cut into parts (the first then leaves
 * [parts, batch, m, n] in a workspace, the second adds the parts up). None when the result is empty. k = 0 gives zeros.
 *
 * A stage that reads operands binds a, then b, in group 0; one that reads the workspace binds that. Its `consts` hold
 * everything of the kernel's default block but the hook: append `fn store(i: u32, v: V)` and its bindings. `V` is the
 * dtype's scalar for `storeWidth` 1 and its vec4 for 4; i counts V in the row-major result, batch included.
 *
 * @throws Error when an extent or stride is not a whole number, or more than three batch axes cannot be joined.
 * @example
 * const rows = (rowStride: number) => ({ trans: false, rowStride, batchStrides: [], offset: 0 });
 * planMatmul({ m: 64, n: 256, k: 784, batch: [], a: rows(784), b: rows(256), dtype: "float32" }, limits);
 */
export function planMatmul(spec: MatmulSpec, limits: PlanLimits): readonly Stage[] {
  check(spec);
  const z = collapseBatch(spec.batch, spec.a.batchStrides, spec.b.batchStrides);
  const problem: Problem = { ...spec, limits, z };
  const { m, n, k } = spec;
  if (m * n * z.count === 0) return [];
  const small = limits.tuning?.matmul?.small ?? (limits.sequential === true ? SMALL_SEQUENTIAL : SMALL);
  if (m * n * k * z.count <= small && Math.min(m, n) < WIDE) return [planNaive(problem)];
  if (Math.min(m, n) <= THIN && k >= LONG) {
    const thin = n <= m ? thinColumns(problem) : thinRows(problem);
    return thin.long.step === 1 ? planDot(thin) : planVector(thin);
  }
  if (limits.sequential === true) {
    const [a, b] = [aView(problem), bView(problem)];
    return planTile({ m, n, k, z, a, b, limits, aliases: aliases(spec.dtype), float: spec.dtype === "float32" });
  }
  return planRegister(problem);
}

function check(spec: MatmulSpec): void {
  const { m, n, k, batch, a, b } = spec;
  const numbers = [m, n, k, ...batch];
  for (const one of [a, b]) numbers.push(one.rowStride, one.offset, ...one.batchStrides);
  const bad = numbers.find((value) => !Number.isInteger(value) || value < 0);
  if (bad !== undefined) {
    throw new Error(
      `matmul: extents, strides and offsets are whole numbers from 0, got ${bad}; copy a reversed view first`,
    );
  }
}

const aView = ({ a, z }: Problem): View => viewOf(a, a.trans, z.a);
const bView = ({ b, z }: Problem): View => viewOf(b, !b.trans, z.b);

function planNaive(problem: Problem): Stage {
  const { m, n, k, z, limits, dtype } = problem;
  const count = m * n * z.count;
  return {
    kernel: naive,
    consts: lines(`const GX = ${NAIVE_GROUP}u;`, aliases(dtype), "alias V = T;"),
    params: { m, n, k, ...operandParams(aView(problem), bView(problem)), ...batchParams(problem, "a", "b"), count },
    grid: foldGrid(ceilDiv(count, NAIVE_GROUP), limits.maxComputeWorkgroupsPerDimension),
    storeWidth: 1,
    reads: "operands",
    writes: "results",
    workspaceElements: 0,
  };
}

/** How tiles read an operand: where it lies, in vec4s or scalars, after the dispatch that packs it, if one does. */
interface Read {
  readonly view: View;
  readonly fours: boolean;
  readonly pack: Stage | undefined;
}

function readOf(problem: Problem, across: Across, packs: boolean): Read {
  const { k, z, limits, dtype } = problem;
  const { view, extent } = across;
  const wide = view.stride === 1 && extent % 4 === 0 && isAligned(view, view.step);
  if (wide) return { view: inVec4(view, ["step"]), fours: true, pack: undefined };
  if (!packs || !paysToPack(across, k, z, limits)) return { view, fours: false, pack: undefined };
  const { stage, view: panels } = packOperand(across, k, z, limits, aliases(dtype));
  return { view: panels, fours: true, pack: stage };
}

function planRegister(problem: Problem): readonly Stage[] {
  const { m, n, k, z, limits, dtype } = problem;
  const rows = { view: aView(problem), extent: m, readers: n, operand: 0 } as const;
  const columns = { view: bView(problem), extent: n, readers: m, operand: 1 } as const;
  const a = readOf(problem, rows, true);
  // A workspace is bound before operands, and b after a.
  const b = readOf(problem, columns, a.pack !== undefined);
  const width: Width = n % 4 === 0 ? 4 : 1;
  const tall = a.fours && b.fours && isLarge(rows, k, z, limits);
  const high = tall ? TALL : TILE;
  const [gx, gy] = groupShape(ceilDiv(m, high), ceilDiv(n, TILE), groupOf(limits));
  const parts = splitOf(ceilDiv(m, high) * ceilDiv(n, TILE) * z.count, k);
  const tilesX = ceilDiv(n, TILE * gx);
  const tilesY = ceilDiv(m, high * gy);
  const slabs = parts * z.count;
  const most = limits.maxComputeWorkgroupsPerDimension;
  const plain = slabs === 1 && tilesX <= most && tilesY <= most;
  const stage: Stage = {
    kernel: tall ? tallKernel : register,
    consts: lines(
      `const GX = ${gx}u;\nconst GY = ${gy}u;`,
      aliases(dtype),
      `alias TA = ${a.fours ? "T4" : "T"};\nalias TB = ${b.fours ? "T4" : "T"};\nalias V = ${width === 4 ? "T4" : "T"};`,
      tileAddressing("rowsAt", "loadA", "a", a, "m", "aRow"),
      tileAddressing("colsAt", "loadB", "b", b, "n", "bCol"),
      putter(width, "1u"),
      plain ? ONE_SLAB : MANY_SLABS,
    ),
    functions: plain ? [] : [tile_of_many, place_of_many],
    params: {
      ...{ m, n, k, aBase: a.view.base, aStep: a.view.step, bBase: b.view.base, bStep: b.view.step },
      ...batchParams({ ...problem, z: { ...z, a: a.view.batch, b: b.view.batch } }, "a", "b"),
      ...{ batch: z.count, slabs, tilesX, tilesY, pieces: (high * TILE) / 4 },
      ...(!tall && { aRow: a.view.stride, bCol: b.view.stride, chunk: ceilDiv(k, parts) }),
    },
    grid: plain ? [tilesX, tilesY, 1] : foldGrid(tilesX * tilesY * slabs, most),
    ...outlet(problem, parts, width),
    ...(a.pack && { reads: "workspace", operands: b.pack ? [] : [1] }),
  };
  const packs = [a, b].flatMap(({ pack }) => pack ?? []);
  return [...packs, ...withSum(problem, parts, stage)];
}

function tileAddressing(
  at: string,
  load: string,
  name: string,
  { fours, pack }: Read,
  extent: string,
  stride: string,
): string {
  return pack ? packedAddressing(at, load, name, extent) : addressing(at, load, name, fours, extent, stride);
}

const ONE_SLAB = `fn tileAt(wid: vec3u, groups: vec3u) -> vec3u { return wid; }
fn place(slab: u32) -> vec3u { return vec3u(); }`;
const MANY_SLABS = `fn tileAt(wid: vec3u, groups: vec3u) -> vec3u { return tile_of_many(wid.x + wid.y * groups.x); }
fn place(slab: u32) -> vec3u { return place_of_many(slab); }`;

const groupOf = ({ tuning }: PlanLimits): number => tuning?.matmul?.group ?? GROUP;

function thinColumns(problem: Problem): ThinProblem {
  const { m, n } = problem;
  const [long, short] = [aView(problem), bView(problem)];
  return { ...problem, long, short, rows: m, thin: n, cRow: n, cThin: 1, names: ["a", "b"] };
}

function thinRows(problem: Problem): ThinProblem {
  const { m, n } = problem;
  const [long, short] = [bView(problem), aView(problem)];
  return { ...problem, long, short, rows: n, thin: m, cRow: 1, cThin: n, names: ["b", "a"] };
}

function planVector(problem: ThinProblem): readonly Stage[] {
  const { rows, thin, k, z, cRow, cThin, short, limits, dtype } = problem;
  const wide = rows % 4 === 0 && isAligned(problem.long, problem.long.step);
  const long = wide ? inVec4(problem.long, ["step"]) : problem.long;
  const width: Width = cRow === 1 && problem.n % 4 === 0 ? 4 : 1;
  const group = groupOf(limits);
  const tiles = ceilDiv(rows, 4 * group);
  const parts = splitOf(ceilDiv(rows, 4) * thin * z.count, k);
  const slabs = parts * z.count;
  const stage: Stage = {
    kernel: vector,
    consts: lines(
      `const GX = ${group}u;`,
      aliases(dtype),
      elements(problem, wide ? "T4" : "T", "T"),
      `alias V = ${width === 4 ? "T4" : "T"};`,
      addressing("colsAt", "loadX", problem.names[0], wide, "rows", "xCol"),
      `fn loadY(at: u32) -> T { return ${problem.names[1]}[at]; }`,
      putter(width, "p.cRow"),
    ),
    params: {
      ...{ rows, thin, k, xBase: long.base, xCol: long.stride, xStep: long.step },
      ...{ yBase: short.base, yCol: short.stride, yStep: short.step, cRow, cThin },
      ...thinBatch(z, long, short),
      ...{ batch: z.count, chunk: ceilDiv(k, parts), slabs, tiles },
    },
    grid: foldGrid(tiles * thin * slabs, limits.maxComputeWorkgroupsPerDimension),
    ...outlet(problem, parts, width),
  };
  return withSum(problem, parts, stage);
}

function planDot(problem: ThinProblem): readonly Stage[] {
  const { k, rows, thin, z, cRow, cThin, limits } = problem;
  const column = thin === 1 ? { ...problem.short, stride: 0 } : problem.short;
  const wide = k % 4 === 0 && isAligned(problem.long, problem.long.stride);
  const wideY = wide && column.step === 1 && isAligned(column, column.stride);
  const long = wide ? inVec4(problem.long, ["stride"]) : problem.long;
  const short = wideY ? inVec4(column, ["stride"]) : column;
  const units = wide ? k / 4 : k;
  const tiles = ceilDiv(rows, 4 * LINES);
  // Lanes would walk one after another through what lies side by side.
  const lanes = limits.sequential === true ? 1 : LANES;
  const chunks = splitOf(lanes * ceilDiv(rows, 4) * thin * z.count, k);
  const stage: Stage = {
    kernel: dot,
    consts: dotConsts(problem, lanes, wide, wideY),
    params: {
      ...{ rows, thin, k: units, xBase: long.base, xRow: long.stride },
      ...{ yBase: short.base, yCol: short.stride, yStep: short.step, cRow, cThin },
      ...thinBatch(z, long, short),
      ...{ batch: z.count, chunk: ceilDiv(units, chunks), slabs: chunks * z.count, tiles, pieces: 4 },
    },
    grid: foldGrid(tiles * thin * chunks * z.count, limits.maxComputeWorkgroupsPerDimension),
    ...outlet(problem, lanes * chunks, 1),
  };
  return withSum(problem, lanes * chunks, stage);
}

function dotConsts(problem: ThinProblem, lanes: number, wide: boolean, wideY: boolean): string {
  const [long, short] = problem.names;
  return lines(
    `const LANES = ${lanes}u;`,
    `const LINES = ${LINES}u;`,
    aliases(problem.dtype),
    "alias V = T;",
    `alias X = ${wide ? "T4" : "T"};`,
    elements(problem, "X", wideY || !wide ? "X" : "T"),
    `fn loadX(at: u32) -> X { return ${long}[at]; }`,
    loadY(short, wide && !wideY),
    wide ? "fn fold(v: X) -> T { return v.x + v.y + (v.z + v.w); }" : "fn fold(v: X) -> T { return v; }",
  );
}

/** Into how many parts k is cut, when so few invocations have so long a way. */
function splitOf(invocations: number, k: number): number {
  const parts = Math.min(ceilDiv(BUSY, invocations), Math.floor(k / PART));
  // The last part must not come out empty: with 256 or more of k in each it cannot.
  return Math.max(1, parts);
}

function outlet(
  { m, n, z }: Problem,
  parts: number,
  storeWidth: Width,
): Pick<Stage, "storeWidth" | "reads" | "writes" | "workspaceElements"> {
  const whole = parts === 1;
  return {
    storeWidth,
    reads: "operands",
    writes: whole ? "results" : "workspace",
    workspaceElements: whole ? 0 : parts * z.count * m * n,
  };
}

/** The stage, and if it left parts in the workspace, the one that adds them up. */
function withSum({ m, n, z, limits, dtype }: Problem, parts: number, stage: Stage): readonly Stage[] {
  if (parts === 1) return [stage];
  const elements = z.count * m * n;
  const storeWidth: Width = n % 4 === 0 ? 4 : 1;
  const count = elements / storeWidth;
  const sum: Stage = {
    kernel: sumParts,
    consts: lines(`const GX = ${NAIVE_GROUP}u;`, aliases(dtype), `alias V = ${storeWidth === 4 ? "T4" : "T"};`),
    params: { count, parts },
    grid: foldGrid(ceilDiv(count, NAIVE_GROUP), limits.maxComputeWorkgroupsPerDimension),
    storeWidth,
    reads: "workspace",
    writes: "results",
    workspaceElements: 0,
  };
  return [stage, sum];
}

type Values = Readonly<Record<string, number>>;

function operandParams(a: View, b: View): Values {
  return { aBase: a.base, aRow: a.stride, aStep: a.step, bBase: b.base, bCol: b.stride, bStep: b.step };
}

function batchParams({ z }: Problem, a: string, b: string): Values {
  const values: Record<string, number> = { d0: z.d0, d1: z.d1 };
  z.a.forEach((stride, axis) => (values[`${a}${axis}`] = stride));
  z.b.forEach((stride, axis) => (values[`${b}${axis}`] = stride));
  return values;
}

function thinBatch(z: Batch, long: View, short: View): Values {
  const [x0, x1, x2] = long.batch;
  const [s0, s1, s2] = short.batch;
  return { d0: z.d0, d1: z.d1, x0, x1, x2, s0, s1, s2 };
}

const lines = (...texts: readonly string[]): string => `${texts.join("\n")}\n`;

function aliases(dtype: MatmulDType): string {
  const scalar = SCALARS[dtype];
  return `alias T = ${scalar};\nalias T4 = vec4<${scalar}>;`;
}

/** Four neighbours of the long axis at one k: a vec4 of the buffer, or four scalars anywhere, past the edge the last. */
function addressing(at: string, load: string, name: string, wide: boolean, extent: string, stride: string): string {
  return wide
    ? `fn ${at}(i: u32) -> vec4u { return vec4u(min(i, p.${extent} - 4u) / 4u); }
fn ${load}(at: vec4u) -> T4 { return ${name}[at.x]; }`
    : `fn ${at}(i: u32) -> vec4u { return min(i + vec4u(0u, 1u, 2u, 3u), vec4u(p.${extent} - 1u)) * p.${stride}; }
fn ${load}(at: vec4u) -> T4 { return T4(${name}[at.x], ${name}[at.y], ${name}[at.z], ${name}[at.w]); }`;
}

/** Hands four neighbours, of which `room` exist, to `store`: as one vec4, or as scalars `stride` apart. */
function putter(width: Width, stride: string): string {
  if (width === 4) return "fn put(i: u32, room: u32, v: T4) { store(i / 4u, v); }";
  return `fn put(i: u32, room: u32, v: T4) {
  var rest = v;
  for (var j = 0u; j < min(room, 4u); j += 1u) {
    store(i + j * ${stride}, rest.x);
    rest = rest.yzwx;
  }
}`;
}

/** Element types of the bindings `a` and `b`, given those of the long and the short operand. */
function elements({ names }: ThinProblem, long: string, short: string): string {
  return names[0] === "a" ? `alias TA = ${long};\nalias TB = ${short};` : `alias TA = ${short};\nalias TB = ${long};`;
}

/** y at k for dot.wgsl: one element as it is bound, or four scalars gathered into the vec4 that x has. */
function loadY(name: string, gather: boolean): string {
  if (!gather) return `fn loadY(base: u32, k: u32) -> X { return ${name}[base + k * p.yStep]; }`;
  return `fn loadY(base: u32, k: u32) -> X {
  let at = base + (4u * k + vec4u(0u, 1u, 2u, 3u)) * p.yStep;
  return X(${name}[at.x], ${name}[at.y], ${name}[at.z], ${name}[at.w]);
}`;
}
