import { boxOf } from "./box.ts";
import { copy } from "./copy.wgsl.gen.ts";
import { pad } from "./pad.wgsl.gen.ts";
import { bitsOf, wgslType } from "./scalar.ts";
import type { ScalarDType } from "./scalar.ts";
import { transpose } from "./transpose.wgsl.gen.ts";
import type { PlanLimits, Stage, Width } from "../stage.ts";

export { planSort, sortPairs } from "./sort.ts";
export type { SortShape, SortSpec } from "./sort.ts";
export type { ScalarDType } from "./scalar.ts";

/** A strided view, in elements. The `load` hook is given flat indices of what lies below the view. */
export interface CopySpec {
  readonly dtype: ScalarDType;
  readonly shape: readonly number[];
  /** One for each axis; 0 broadcasts, negative ones walk backwards. */
  readonly strides: readonly number[];
  readonly offset: number;
  /** The hooks may be vec4; the plan still asks for scalar loads where the view needs them. */
  readonly vector: boolean;
}

const MAX_RANK = 8;
/** Most arrays have no more outer axes than this once neighbours are joined: kernels that know it compile much sooner. */
const FEW_OUTER = 2;
/** Bits of the blocks along a side of what a workgroup transposes at a time: a square, whose rows and columns fill cache lines. */
const SIDE_BITS = { parallel: 3, sequential: 4 } as const;
const ONE_STAGE = { reads: "operands", writes: "results", workspaceElements: 0 } as const;

/**
 * The dispatch that makes a strided view contiguous, row-major: y[i] = x[offset + sum_k i_k * strides[k]].
 * Swaps of two axes whose extents divide by four go through registers in 4 x 4 blocks (transpose.wgsl), all else
 * through copy.wgsl. Empty shapes need no dispatch.
 *
 * @throws Error when more than 8 axes are left after neighbours that walk as one are joined.
 * @example
 * planCopy({ dtype: "float32", shape: [128, 64], strides: [1, 128], offset: 0, vector: true }, limits); // a transpose
 */
export function planCopy(spec: CopySpec, limits: PlanLimits): readonly Stage[] {
  const axes = collapse(spec);
  if (axes.some((axis) => axis.extent === 0)) return [];
  if (axes.length > MAX_RANK) {
    throw new Error(
      `copy: [${spec.shape.join(", ")}] has over ${MAX_RANK} axes that do not join; copy it in two steps`,
    );
  }
  return [transposeStage(spec, axes, limits) ?? copyStage(spec, axes, limits)];
}

interface Axis {
  readonly extent: number;
  readonly stride: number;
}

/** Outermost first, without axes of extent 1, and with neighbours joined where they walk as one axis. */
function collapse({ shape, strides }: CopySpec): Axis[] {
  const axes: Axis[] = [];
  shape.forEach((extent, k) => {
    const stride = strides[k];
    if (stride === undefined) throw new Error(`copy: ${shape.length} axes but ${strides.length} strides`);
    const last = axes.at(-1);
    if (extent === 1) return;
    if (last !== undefined && last.stride === stride * extent) {
      axes[axes.length - 1] = { extent: last.extent * extent, stride };
    } else axes.push({ extent, stride });
  });
  return axes;
}

function transposeStage(spec: CopySpec, axes: readonly Axis[], limits: PlanLimits): Stage | undefined {
  const [r, c, b] = [axes.at(-1), axes.at(-2), axes.at(-3)];
  if (!spec.vector || r === undefined || c === undefined || axes.length > 3 || spec.offset !== 0) return undefined;
  const swapped = c.stride === 1 && r.stride === c.extent && r.extent % 4 === 0 && c.extent % 4 === 0;
  if (!swapped || (b !== undefined && b.stride !== r.extent * c.extent)) return undefined;
  const [rows, cols, batch] = [r.extent / 4, c.extent / 4, b?.extent ?? 1];
  const side = limits.sequential === true ? SIDE_BITS.sequential : SIDE_BITS.parallel;
  const { grid, params } = boxOf("transpose", cols, rows, batch, limits, side);
  const { xBits, yBits } = params;
  return {
    kernel: transpose,
    consts: `alias V = ${wgslType(spec.dtype, 4)};`,
    // Neighbours go down the blocks of a column: what they write lies side by side.
    params: { batch, rows, cols, ...params, xAt: yBits, yAt: 0, zAt: xBits + yBits },
    grid,
    loadWidth: 4,
    storeWidth: 4,
    ...ONE_STAGE,
  };
}

function copyStage(spec: CopySpec, axes: readonly Axis[], limits: PlanLimits): Stage {
  const wide = spec.vector && (axes.at(-1)?.extent ?? 1) % 4 === 0;
  const whole =
    wide && axes.at(-1)?.stride === 1 && spec.offset % 4 === 0 && axes.slice(0, -1).every((a) => a.stride % 4 === 0);
  const storeWidth: Width = wide ? 4 : 1;
  const loadWidth: Width = whole ? 4 : 1;
  const lane = axes.at(-1)?.stride ?? 0;
  const list = axes.map((axis, k): Axis => {
    if (k < axes.length - 1) return { extent: axis.extent, stride: axis.stride / loadWidth };
    return { extent: axis.extent / storeWidth, stride: (axis.stride * storeWidth) / loadWidth };
  });
  // A single long axis goes along y, which has no limit; its lanes still read neighbours.
  const long = (list.at(-1)?.extent ?? 1) > 64 * limits.maxComputeWorkgroupsPerDimension || list.length === 1;
  if (long) list.push({ extent: 1, stride: 0 });
  const [x, y, ...outer] = [...list].reverse();
  const nx = x?.extent ?? 1;
  const ny = y?.extent ?? 1;
  const nz = outer.reduce((size, axis) => size * axis.extent, 1);
  const { grid, params } = boxOf("copy", nx, ny, nz, limits);
  return {
    kernel: copy,
    consts: copyConsts(spec.dtype, loadWidth, storeWidth, outer.length <= FEW_OUTER),
    params: {
      rank: 2 + outer.length,
      outer: nz,
      ny,
      nx,
      offset: wrap(spec.offset / loadWidth),
      lane: wrap(lane),
      sx: wrap(x?.stride ?? 0),
      sy: wrap(y?.stride ?? 0),
      ...perAxis((k) => ({ [`n${k}`]: outer[k]?.extent ?? 1, [`s${k}`]: wrap(outer[k]?.stride ?? 0) })),
      ...params,
    },
    grid,
    loadWidth,
    storeWidth,
    ...ONE_STAGE,
  };
}

function copyConsts(dtype: ScalarDType, loadWidth: Width, storeWidth: Width, few: boolean): string {
  const fetch =
    loadWidth === storeWidth
      ? "fn fetch(at: u32) -> V { return load(at); }"
      : "fn fetch(at: u32) -> V { return V(load(at), load(at + p.lane), load(at + 2u * p.lane), load(at + 3u * p.lane)); }";
  const outer = `fn outer_offset(o: u32) -> u32 { return ${few ? "offset_of_few" : "offset_of_many"}(o); }`;
  return `alias L = ${wgslType(dtype, loadWidth)};\nalias V = ${wgslType(dtype, storeWidth)};\n${fetch}\n${outer}`;
}

/** Negative strides and offsets modulo 2^32, as the kernels add them. */
function wrap(value: number): number {
  return value >>> 0;
}

function perAxis(fields: (k: number) => Record<string, number>): Record<string, number> {
  return Object.assign({}, ...[0, 1, 2, 3, 4, 5].map(fields));
}

/** lax.pad: for each axis what goes before, after and between. Negative `low` and `high` crop. */
export interface PadSpec {
  readonly dtype: ScalarDType;
  readonly shape: readonly number[];
  readonly padding: readonly { readonly low: number; readonly high: number; readonly interior: number }[];
  readonly value: number;
  /** The hooks may be vec4; the plan still asks for scalars where the padding needs them. */
  readonly vector: boolean;
}

interface PadAxis {
  readonly extent: number;
  readonly low: number;
  readonly high: number;
  readonly interior: number;
}

/** The padded extent of an axis: low + high + n + (n - 1) * interior, at least 0. */
export function paddedExtent(n: number, low: number, high: number, interior: number): number {
  return Math.max(0, low + high + n + Math.max(0, n - 1) * interior);
}

/**
 * The dispatch that pads a row-major operand with `value`. Empty results need no dispatch.
 *
 * @throws Error when more than 8 axes are left after axes without padding are joined to those outside them.
 * @example
 * planPad({ dtype: "float32", shape: [3], padding: [{ low: 1, high: -1, interior: 1 }], value: 0, vector: false }, limits);
 * // [a, b, c] → [0, a, 0, b, 0]
 */
export function planPad(spec: PadSpec, limits: PlanLimits): readonly Stage[] {
  const axes = joinPadded(spec);
  if (axes.some(({ extent, low, high, interior }) => paddedExtent(extent, low, high, interior) === 0)) return [];
  if (axes.length > MAX_RANK) {
    throw new Error(`pad: over ${MAX_RANK} axes of [${spec.shape.join(", ")}] are padded; pad it in two steps`);
  }
  const last = axes.at(-1) ?? { extent: 1, low: 0, high: 0, interior: 0 };
  const wide = spec.vector && last.interior === 0 && [last.extent, last.low, last.high].every((n) => n % 4 === 0);
  const width: Width = wide ? 4 : 1;
  const list = axes.slice(0, -1);
  list.push({ extent: last.extent / width, low: last.low / width, high: last.high / width, interior: last.interior });
  const longest = 64 * limits.maxComputeWorkgroupsPerDimension;
  if (list.length === 1 || last.extent + last.low + last.high > longest)
    list.push({ extent: 1, low: 0, high: 0, interior: 0 });
  return [padStage(spec, list, width, limits)];
}

/** Axes, with one that is not padded joined to the one outside it unless that has interior padding. */
function joinPadded({ shape, padding }: PadSpec): PadAxis[] {
  const axes: PadAxis[] = [];
  shape.forEach((extent, k) => {
    const { low, high, interior } = padding[k] ?? { low: 0, high: 0, interior: 0 };
    const last = axes.at(-1);
    if (last !== undefined && low === 0 && high === 0 && (interior === 0 || extent <= 1) && last.interior === 0) {
      axes[axes.length - 1] = {
        extent: last.extent * extent,
        low: last.low * extent,
        high: last.high * extent,
        interior: 0,
      };
    } else axes.push({ extent, low, high, interior: extent <= 1 ? 0 : interior });
  });
  return axes;
}

const PLAIN_PAD = `fn along(t: u32, span: u32, step: u32, stride: u32) -> vec2u { return vec2u(t * stride, select(0u, 1u, t < span)); }
fn outer(o: u32) -> vec2u { return outer_of_few(o); }`;
const ANY_PAD = `fn along(t: u32, span: u32, step: u32, stride: u32) -> vec2u { return along_steps(t, span, step, stride); }
fn outer(o: u32) -> vec2u { return outer_of_many(o); }`;

function padStage(spec: PadSpec, axes: readonly PadAxis[], width: Width, limits: PlanLimits): Stage {
  let size = 1;
  const [x, y, ...outer] = [...axes].reverse().map((axis) => {
    const stride = size;
    size *= axis.extent;
    return { ...axis, stride, padded: paddedExtent(axis.extent, axis.low, axis.high, axis.interior) };
  });
  const fields = (name: string, axis: typeof x): Record<string, number> => ({
    [`low${name}`]: wrap(axis?.low ?? 0),
    [`span${name}`]: axis === undefined ? 1 : paddedExtent(axis.extent, 0, 0, axis.interior),
    [`step${name}`]: (axis?.interior ?? 0) + 1,
    [`stride${name}`]: axis?.stride ?? 0,
  });
  const nx = x?.padded ?? 1;
  const ny = y?.padded ?? 1;
  const nz = outer.reduce((product, axis) => product * axis.padded, 1);
  const { grid, params } = boxOf("pad", nx, ny, nz, limits);
  const plain = outer.length <= FEW_OUTER && axes.every(({ interior }) => interior === 0);
  return {
    kernel: pad,
    consts: `alias T = ${wgslType(spec.dtype, 1)};\nalias V = ${wgslType(spec.dtype, width)};\n${plain ? PLAIN_PAD : ANY_PAD}`,
    params: {
      rank: 2 + outer.length,
      outer: nz,
      ny,
      nx,
      value: bitsOf(spec.value, spec.dtype),
      ...fields("x", x),
      ...fields("y", y),
      ...perAxis((k) => ({ [`n${k}`]: outer[k]?.padded ?? 1, ...fields(`${k}`, outer[k]) })),
      ...params,
    },
    grid,
    loadWidth: width,
    storeWidth: width,
    ...ONE_STAGE,
  };
}
