import { ceilDiv, foldGrid, groupShape } from "../launch.ts";
import { parts as sumParts } from "../matmul/parts.wgsl.gen.ts";
import type { PlanLimits, Stage, Width } from "../stage.ts";
import { direct } from "./direct.wgsl.gen.ts";
import { planColumns } from "./plan-columns.ts";
import { implicit } from "./implicit.wgsl.gen.ts";

/** Depth, height, width; what a convolution of fewer axes lacks is 1 (or 0 for padding), the last axis is width. */
export type Triple = readonly [depth: number, height: number, width: number];

/** Where the image lies in its buffer, in scalars; strides may be zero or negative. */
export interface ConvImage {
  readonly offset: number;
  readonly batch: number;
  readonly channel: number;
  readonly spatial: Triple;
}

/** Where the window's weights lie. */
export interface ConvWindow {
  readonly offset: number;
  readonly input: number;
  readonly output: number;
  readonly spatial: Triple;
}

/**
 * y[n, i, o] = sum over taps k and channels c of x[n, i * stride + k * rhsDilation - low, c] * w[k, c, o], x being
 * dilated by lhsDilation and zero elsewhere; row-major [batch, spatial, features], or [spatial, batch, features].
 */
export interface ConvSpec {
  readonly dtype: "float32" | "int32" | "uint32";
  /** Images in x, all batch groups together. */
  readonly batch: number;
  /** Channels that one feature sums over: the window's input extent. */
  readonly channels: number;
  readonly features: number;
  /** At most one of the two is over 1. Group g makes features [g, g + 1) * features / groups. */
  readonly featureGroups: number;
  readonly batchGroups: number;
  readonly inExtent: Triple;
  readonly outExtent: Triple;
  readonly window: Triple;
  readonly strides: Triple;
  readonly low: Triple;
  readonly lhsDilation: Triple;
  readonly rhsDilation: Triple;
  readonly x: ConvImage;
  readonly w: ConvWindow;
  /** Whether the result is [spatial, batch, features]. */
  readonly batchInner: boolean;
}

const TILE = 8;
/** Invocations in a workgroup of implicit.wgsl, unless tuned. */
const GROUP = 32;
const DIRECT_GROUP = 64;
/** Multiply-adds up to which direct.wgsl is taken: it compiles faster. */
const SMALL = 1 << 17;
/** Features in a group up to which an 8 x 8 tile would be mostly idle. */
const FEW_FEATURES = 3;
/** Fewer invocations than this, each with at least two PARTs of multiply-adds for each element: taps are split. */
const BUSY = 256;
const PART = 256;

/** Elements of the left matrix up to which a CPU stores it, 256 MiB. */
const MOST_COLUMNS = 2 ** 26;

const SCALARS = { float32: "f32", int32: "i32", uint32: "u32" } as const;

/**
 * The dispatches of a convolution, in order: one, or two where the taps are cut into parts (the first then leaves them
 * in a workspace, the second adds them up). None when the result is empty.
 *
 * Operands x, then w are bound in group 0 by the stage that reads them. `store` gets V-sized elements of the row-major
 * result, V being the dtype's scalar for `storeWidth` 1 and its vec4 for 4.
 *
 * @throws Error when both kinds of groups are used at once.
 * @example
 * const [x, w] = [{ offset: 0, batch: 784, channel: 1, spatial: [784, 28, 1] }, { offset: 0, input: 16, output: 1, spatial: [144, 48, 16] }];
 * planConv({ dtype: "float32", batch: 32, channels: 1, features: 16, featureGroups: 1, batchGroups: 1, inExtent: [1, 28, 28],
 *   outExtent: [1, 28, 28], window: [1, 3, 3], strides: [1, 1, 1], low: [0, 1, 1], lhsDilation: [1, 1, 1],
 *   rhsDilation: [1, 1, 1], x, w, batchInner: false }, limits);
 */
export function planConv(spec: ConvSpec, limits: PlanLimits): readonly Stage[] {
  const { featureGroups, batchGroups } = spec;
  if (featureGroups > 1 && batchGroups > 1)
    throw new Error(`conv: ${featureGroups} feature groups and ${batchGroups} batch groups; one of them must be 1`);
  const rows = (spec.batch / batchGroups) * volume(spec.outExtent);
  const groups = Math.max(featureGroups, batchGroups);
  const problem = { ...spec, limits, rows, groups, cols: spec.features / groups };
  if (rows * spec.features === 0) return [];
  const work = rows * spec.features * spec.channels * volume(spec.window);
  if (problem.cols <= FEW_FEATURES || work <= (limits.tuning?.conv?.small ?? SMALL)) return [planDirect(problem)];
  if (limits.sequential === true && groups === 1 && rows * spec.channels * volume(spec.window) <= MOST_COLUMNS)
    return columnsOf(problem);
  return planImplicit(problem);
}

interface Problem extends ConvSpec {
  readonly limits: PlanLimits;
  readonly rows: number;
  readonly groups: number;
  /** Features in a group. */
  readonly cols: number;
}

const volume = ([d, h, w]: Triple): number => d * h * w;
const lines = (...texts: readonly string[]): string => `${texts.join("\n")}\n`;

/** Whether every stride that is walked at all is a whole number of vec4s. */
function isWhole(steps: readonly (readonly [extent: number, stride: number])[]): boolean {
  return steps.every(([extent, stride]) => extent <= 1 || stride % 4 === 0);
}

function zip(extents: Triple, strides: Triple): [number, number][] {
  return extents.map((extent, k) => [extent, strides[k] ?? 0]);
}

/** Features lie next to each other in w, in aligned vec4s. */
function isFlat({ w, channels, window }: Problem): boolean {
  return w.output === 1 && w.offset % 4 === 0 && isWhole([[channels, w.input], ...zip(window, w.spatial)]);
}

/** All steps through x but those along the batch's or the group's contiguous axis are whole vec4s. */
function isImageWhole({ x, channels, batch, batchGroups, inExtent }: Problem): boolean {
  const inGroup = batch / batchGroups;
  return (
    x.offset % 4 === 0 &&
    isWhole([[channels, x.channel], [inGroup, x.batch === 1 ? 4 : x.batch], ...zip(inExtent, x.spatial)])
  );
}

function aliases(dtype: ConvSpec["dtype"]): string {
  return `alias T = ${SCALARS[dtype]};\nalias T4 = vec4<${SCALARS[dtype]}>;`;
}

/** From one group to the next, in x. */
function groupStride({ x, channels, batch, batchGroups, groups }: Problem): number {
  if (groups === 1) return 0;
  return batchGroups > 1 ? (batch / batchGroups) * x.batch : channels * x.channel;
}

/** Strides counted in elements of `units` scalars each, modulo 2^32. */
function imageParams(problem: Problem, units: number): Record<string, number> {
  return { ...imageStrides(problem, units), xZ: (groupStride(problem) / units) >>> 0 };
}

function imageStrides({ x, batchInner }: Problem, units: number): Record<string, number> {
  const scale = (scalars: number): number => (scalars / units) >>> 0;
  return {
    xBase: scale(x.offset),
    xOuter: batchInner ? 0 : scale(x.batch),
    xInner: batchInner ? scale(x.batch) : 0,
    xC: scale(x.channel),
    ...axes("x", x.spatial.map(scale)),
  };
}

function windowParams({ w }: Problem, units: number): Record<string, number> {
  const scale = (scalars: number): number => (scalars / units) >>> 0;
  return {
    wBase: scale(w.offset),
    wCol: w.output >>> 0,
    wC: scale(w.input),
    ...axes("w", w.spatial.map(scale)),
  };
}

function axes(name: string, [d = 0, h = 0, w = 0]: readonly number[]): Record<string, number> {
  return { [`${name}D`]: d, [`${name}H`]: h, [`${name}W`]: w };
}

function placeParams(spec: Problem): Record<string, number> {
  const { outExtent, window, inExtent, lhsDilation, low, batch, batchGroups, batchInner } = spec;
  const span = inExtent.map((extent, k) => (extent === 0 ? 0 : (extent - 1) * (lhsDilation[k] ?? 1) + 1));
  return {
    ...{ od: outExtent[0], oh: outExtent[1], ow: outExtent[2], kh: window[1], kw: window[2] },
    inner: batchInner ? batch / batchGroups : 1,
    ...axes("step", spec.strides),
    ...axes(
      "low",
      low.map((count) => count >>> 0),
    ),
    ...axes("span", span),
    ...axes("base", lhsDilation),
    ...axes("dil", spec.rhsDilation),
  };
}

function planDirect(problem: Problem): Stage {
  const { w, cols, channels, rows, features, limits, dtype } = problem;
  const flat = features % 4 === 0 && isFlat(problem);
  // A group of one feature each, side by side in x too: four neighbours are one vec4 of both.
  const wide = flat && cols === 1 && groupStride(problem) === 1 && isImageWhole(problem);
  const width: Width = wide || (flat && cols % 4 === 0) ? 4 : 1;
  const image = imageParams(problem, wide ? 4 : 1);
  const weights = windowParams(problem, width);
  const count = (rows * features) / width;
  return {
    kernel: direct,
    consts: lines(
      `const GX = ${DIRECT_GROUP}u;`,
      aliases(dtype),
      `alias V = ${width === 4 ? "T4" : "T"};`,
      `alias X = ${wide ? "T4" : "T"};`,
    ),
    params: {
      ...placeParams(problem),
      ...image,
      ...weights,
      // In units of V: a step of one group is a step of one vec4 where lanes are groups.
      xZ: wide ? 1 : groupStride(problem) >>> 0,
      wCol: width === 4 ? 1 : w.output >>> 0,
      cols: wide ? 1 : Math.max(1, cols / width),
      ...{ count, channels, features: features / width, kd: problem.window[0] },
    },
    grid: foldGrid(ceilDiv(count, DIRECT_GROUP), limits.maxComputeWorkgroupsPerDimension),
    storeWidth: width,
    reads: "operands",
    writes: "results",
    workspaceElements: 0,
  };
}

function planImplicit(problem: Problem): readonly Stage[] {
  const { rows, cols, channels, features, groups, window, w, limits } = problem;
  const wideA = isWideImage(problem);
  const wideB = cols % 4 === 0 && isFlat(problem);
  const width: Width = cols % 4 === 0 ? 4 : 1;
  const [gx, gy] = groupShape(ceilDiv(rows, TILE), ceilDiv(cols, TILE), limits.tuning?.conv?.group ?? GROUP);
  const taps = volume(window);
  const parts = splitOf(ceilDiv(rows, TILE) * ceilDiv(cols, TILE) * groups, taps, channels);
  const chunk = ceilDiv(taps, parts);
  const slabs = ceilDiv(taps, chunk) * groups;
  const [tilesX, tilesY] = [ceilDiv(cols, TILE * gx), ceilDiv(rows, TILE * gy)];
  const stage: Stage = {
    kernel: implicit,
    consts: implicitConsts(problem, [gx, gy], [wideA, wideB], width),
    params: {
      ...placeParams(problem),
      ...imageParams(problem, wideA ? 4 : 1),
      ...windowParams(problem, wideB ? 4 : 1),
      ...{
        wZ: ((cols * w.output) / (wideB ? 4 : 1)) >>> 0,
        rows,
        cols,
        channels,
        features,
        taps,
        chunk,
        groups,
        slabs,
        tilesX,
        tilesY,
        pieces: (TILE * TILE) / 4,
      },
    },
    grid: foldGrid(tilesX * tilesY * slabs, limits.maxComputeWorkgroupsPerDimension),
    storeWidth: width,
    reads: "operands",
    writes: slabs === groups ? "results" : "workspace",
    workspaceElements: slabs === groups ? 0 : (slabs / groups) * rows * features,
  };
  return slabs === groups ? [stage] : [stage, sumStage(problem, slabs / groups, width)];
}

/** The same product with its left matrix stored, for a CPU. */
function columnsOf(problem: Problem): readonly Stage[] {
  const { x, w, channels, cols, rows, limits, dtype, window, lhsDilation } = problem;
  const whole = x.channel === 1 && channels % 4 === 0 && isImageWhole(problem);
  const form = isWideImage(problem) ? "rows" : whole ? "channels" : "scalars";
  const image = imageStrides(problem, form === "scalars" ? 1 : 4);
  const [sD, sH, sW] = w.spatial;
  return planColumns({
    ...{ rows, cols, channels, limits, form, taps: volume(window), float: dtype === "float32" },
    aliases: aliases(dtype),
    placing: placing(lhsDilation),
    params: { ...placeParams(problem), ...image, ...(form === "channels" ? { xC: 1 } : {}) },
    window: {
      wide: cols % 4 === 0 && isFlat(problem),
      ...{ base: w.offset, output: w.output, input: w.input, axes: { sW, sH, sD }, kw: window[2], kh: window[1] },
    },
  });
}

function implicitConsts(
  problem: Problem,
  [gx, gy]: readonly [number, number],
  [wideA, wideB]: readonly [boolean, boolean],
  width: Width,
): string {
  const { dtype, lhsDilation, batchInner, batch, batchGroups } = problem;
  const inner = batchInner && batch !== batchGroups;
  return lines(
    ...[`const GX = ${gx}u;`, `const GY = ${gy}u;`, aliases(dtype)],
    ...[`alias TA = ${wideA ? "T4" : "T"};`, `alias TB = ${wideB ? "T4" : "T"};`],
    `alias V = ${width === 4 ? "T4" : "T"};`,
    placing(lhsDilation),
    `fn outerAt(m: vec4u) -> vec4u { return ${inner ? "m / p.inner" : "m"}; }`,
    `fn innerAt(n: vec4u) -> vec4u { return ${!inner ? "vec4u()" : wideA ? "n / 4u" : "n * p.xInner"}; }`,
    isWithoutDepth(problem) ? FLAT_IMAGES : DEEP_IMAGES,
    `fn loadA(at: vec4u) -> T4 { return ${fetch("a", wideA)}; }`,
    `fn loadB(at: vec4u) -> T4 { return ${fetch("b", wideB)}; }`,
    `fn colsAt(col: u32) -> vec4u { return ${columns(wideB)}; }`,
    putter(width),
  );
}

/** An axis of one element at which all windows lie. */
function isWithoutDepth({ inExtent, outExtent, window, low }: Problem): boolean {
  return inExtent[0] === 1 && outExtent[0] === 1 && window[0] === 1 && low[0] === 0;
}

const FLAT_IMAGES = `fn imagesAt(slices: vec4u) -> vec4u { return slices; }
fn isDeep(d: vec4u) -> vec4<bool> { return vec4<bool>(true); }
fn deepAt(d: vec4u) -> vec4u { return vec4u(); }`;
const DEEP_IMAGES = `fn imagesAt(slices: vec4u) -> vec4u { return slices / p.od; }
fn isDeep(d: vec4u) -> vec4<bool> { return isIn(d, p.spanD, p.baseD); }
fn deepAt(d: vec4u) -> vec4u { return place(d, p.baseD) * p.xD; }`;

/** Four neighbouring rows are one vec4 of x: the inner batch is contiguous. */
function isWideImage(problem: Problem): boolean {
  const { x, batchInner, batch, batchGroups } = problem;
  const fours = batchInner && x.batch === 1 && (batch / batchGroups) % 4 === 0;
  return fours && groupStride(problem) % 4 === 0 && isImageWhole(problem);
}

function splitOf(invocations: number, taps: number, channels: number): number {
  return Math.max(1, Math.min(ceilDiv(BUSY, invocations), Math.floor((taps * channels) / PART), taps));
}

/** How a position of the dilated image becomes one of x. Without dilation nothing is divided. */
function placing(lhsDilation: Triple): string {
  if (lhsDilation.every((base) => base === 1))
    return `fn place(t: vec4u, base: u32) -> vec4u { return t; }
fn isIn(t: vec4u, span: u32, base: u32) -> vec4<bool> { return t < vec4u(span); }`;
  return `fn place(t: vec4u, base: u32) -> vec4u { return t / base; }
fn isIn(t: vec4u, span: u32, base: u32) -> vec4<bool> { return (t < vec4u(span)) & (t % base == vec4u()); }`;
}

function fetch(name: string, wide: boolean): string {
  return wide ? `${name}[at.x]` : `T4(${name}[at.x], ${name}[at.y], ${name}[at.z], ${name}[at.w])`;
}

/** Where four neighbouring columns lie in w; past the edge the last. */
function columns(wide: boolean): string {
  return wide ? "vec4u(min(col, p.cols - 4u) / 4u)" : "min(col + vec4u(0u, 1u, 2u, 3u), vec4u(p.cols - 1u)) * p.wCol";
}

/** Hands four neighbours, of which `room` exist, to `store`: as one vec4, or one by one. */
function putter(width: Width): string {
  if (width === 4) return "fn put(i: u32, room: u32, v: T4) { store(i / 4u, v); }";
  return `fn put(i: u32, room: u32, v: T4) {
  var rest = v;
  for (var j = 0u; j < min(room, 4u); j += 1u) {
    store(i + j, rest.x);
    rest = rest.yzwx;
  }
}`;
}

function sumStage({ rows, features, dtype, limits }: Problem, parts: number, width: Width): Stage {
  const count = (rows * features) / width;
  return {
    kernel: sumParts,
    consts: lines(`const GX = ${DIRECT_GROUP}u;`, aliases(dtype), `alias V = ${width === 4 ? "T4" : "T"};`),
    params: { count, parts },
    grid: foldGrid(ceilDiv(count, DIRECT_GROUP), limits.maxComputeWorkgroupsPerDimension),
    storeWidth: width,
    reads: "workspace",
    writes: "results",
    workspaceElements: 0,
  };
}
