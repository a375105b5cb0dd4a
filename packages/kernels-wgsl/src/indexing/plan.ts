import { gather } from "./gather.wgsl.gen.ts";
import { rows as wholeRows } from "./rows.wgsl.gen.ts";
import { resolve } from "./resolve.wgsl.gen.ts";
import { scatter } from "./scatter.wgsl.gen.ts";
import { scatterSorted } from "./scatter-sorted.wgsl.gen.ts";
import type { WgslFunction } from "../kernel.ts";
import { ceilDiv, foldGrid } from "../launch.ts";
import { boxOf } from "../movement/box.ts";
import { bitsOf, wgslType } from "../movement/scalar.ts";
import type { ScalarDType } from "../movement/scalar.ts";
import { rowBits, sortPairs } from "../movement/sort.ts";
import {
  combine_max,
  combine_max_float,
  combine_min,
  combine_min_float,
} from "../reduce/combine-functions.wgsl.gen.ts";
import type { PlanLimits, Stage, Width } from "../stage.ts";

/** A stage with the operands that its fixed bindings (group 0, after the uniform) take, in binding order. */
export interface IndexingStage extends Stage {
  readonly operands: readonly number[];
  /** The operand behind the `load` hook of a stage that reads operands. */
  readonly loads?: number;
  /** What the workspace holds, when it is not the result's dtype: sorted indices are u32 beside float updates. */
  readonly workspaceDType?: "uint32";
}

/** The table `[outer, rows, inner]`, the indices, and what they make: `[outer, take, inner]`, all row-major. */
export interface IndexSpec {
  readonly dtype: ScalarDType;
  readonly indexDType: "int32" | "uint32";
  readonly outer: number;
  readonly rows: number;
  readonly take: number;
  readonly inner: number;
  /** False: indices [take], one for a slice (jnp.take). True: [outer, take, inner] (jnp.takeAlongAxis). */
  readonly along: boolean;
  /** What an index outside [0, rows) means: `fill` (gather) or nothing (scatter), the nearest row, or modulo rows. */
  readonly mode: "fill" | "clip" | "wrap";
  /** Negative indices count from the end, once, before `mode` applies. */
  readonly fromEnd: boolean;
  /** inner is divisible by 4 and the hooks may be vec4. */
  readonly vector: boolean;
}

export interface GatherSpec extends IndexSpec {
  /** The value of mode "fill": JAX has NaN for floats, the least int32, the largest uint32. */
  readonly fill: number;
  /** The only index is the first of `take` neighbouring rows: a slice that starts where the device says. */
  readonly window?: boolean;
}

export interface ScatterSpec extends IndexSpec {
  /** How an update meets what is there; updates of one row come in ascending order, so "set" keeps the last. */
  readonly combine: "add" | "set" | "mul" | "max" | "min";
  /** Operand 2 is what is scattered into; without it that is zeros. */
  readonly base: boolean;
}

const MODES = { fill: 0, clip: 1, wrap: 2 } as const;
/** Up to this many comparisons, looking through all indices for every result beats sorting them first. */
const FEW_COMPARISONS = 2 ** 18;

/**
 * The dispatch that takes rows of operand 0 by the indices in operand 1: y[o, k, i] = table[o, index[k], i], or by
 * index[o, k, i] with `along`. The result goes through `store`. Empty results need no dispatch.
 *
 * @throws Error when rows is 0 and the mode needs one.
 * @example
 * planGather({ dtype: "float32", indexDType: "int32", outer: 1, rows: 10000, take: 4096, inner: 128,
 *   along: false, mode: "fill", fromEnd: true, fill: NaN, vector: true }, limits);
 */
export function planGather(spec: GatherSpec, limits: PlanLimits): readonly IndexingStage[] {
  const { outer, rows, take } = spec;
  if (outer * take * spec.inner === 0) return [];
  checkRows("gather", spec);
  const width = widthOf(spec);
  const inner = spec.inner / width;
  if (walksRows(outer * take, limits) && !spec.along && inner > 1) return [rowsStage(spec, width, limits)];
  const { grid, params } = boxOf("gather", inner, take, outer, limits);
  const index = spec.window === true ? "[0] + k" : spec.along ? "[(o * p.take + k) * p.inner + i]" : "[k]";
  return [
    {
      kernel: gather,
      consts: [
        `alias T = ${wgslType(spec.dtype, 1)};`,
        `alias V = ${wgslType(spec.dtype, width)};`,
        `fn index_at(o: u32, k: u32, i: u32) -> u32 { return index${index}; }`,
      ].join("\n"),
      params: { outer, rows, take, inner, ...ruleOf(spec), fill: bitsOf(spec.fill, spec.dtype), ...params },
      grid,
      storeWidth: width,
      reads: "operands",
      writes: "results",
      workspaceElements: 0,
      operands: [0, 1],
    },
  ];
}

/** Software adapters pay for every invocation, and so have one walk a row where there are rows enough for their cores. */
function walksRows(count: number, { sequential, cheapBarriers }: PlanLimits): boolean {
  return sequential === true || (cheapBarriers !== true && count >= MANY_ROWS);
}

const MANY_ROWS = 1024;

/** Invocations of a workgroup of rows.wgsl. */
const ROWS_GROUP = 16;

function rowsStage(spec: GatherSpec, width: Width, limits: PlanLimits): IndexingStage {
  const { outer, rows, take } = spec;
  return {
    kernel: wholeRows,
    consts: [
      `const GX = ${ROWS_GROUP}u;`,
      `alias T = ${wgslType(spec.dtype, 1)};`,
      `alias V = ${wgslType(spec.dtype, width)};`,
      `fn index_at(k: u32) -> u32 { return index[${spec.window === true ? "0] + k" : "k]"}; }`,
    ].join("\n"),
    params: {
      ...{ count: outer * take, rows, take, inner: spec.inner / width, ...ruleOf(spec) },
      fill: bitsOf(spec.fill, spec.dtype),
    },
    grid: foldGrid(ceilDiv(outer * take, ROWS_GROUP), limits.maxComputeWorkgroupsPerDimension),
    storeWidth: width,
    reads: "operands",
    writes: "results",
    workspaceElements: 0,
    operands: [0, 1],
  };
}

/**
 * The dispatches that put operand 0, updates `[outer, take, inner]`, into `[outer, rows, inner]` at the rows that
 * operand 1 names: the transpose of planGather for "add" without a base. Deterministic, no atomics.
 *
 * One stage costs outer * rows * inner * take comparisons; where that is over 2^18, the indices are sorted
 * first (log2(take)^2 / 8 dispatches more) and each result bisects them. With `along` there is no sorting: the cost
 * stays, and suits a short `take`.
 *
 * @throws Error when rows is 0 and the mode needs one.
 */
export function planScatter(spec: ScatterSpec, limits: PlanLimits): readonly IndexingStage[] {
  const { outer, rows, take } = spec;
  if (outer * rows * spec.inner === 0) return [];
  checkRows("scatter", spec);
  const width = widthOf(spec);
  const inner = spec.inner / width;
  const sort = !spec.along && outer * rows * inner * take > FEW_COMPARISONS;
  const { grid, params } = boxOf("scatter", inner, rows, outer, limits);
  const size = { outer, rows, take, inner, hasBase: spec.base ? 1 : 0, ...params };
  const operands = sort ? [0] : [0, 1];
  const last: IndexingStage = {
    kernel: sort ? scatterSorted : scatter,
    ...scatterText(spec, width, sort),
    params: sort ? { ...size, half: 2 ** rowBits(take) } : { ...size, ...ruleOf(spec) },
    grid,
    ...(sort ? { loadWidth: 1, workspaceDType: "uint32" } : {}),
    storeWidth: width,
    reads: sort ? "workspace" : "operands",
    writes: "results",
    workspaceElements: 0,
    operands: [...operands, spec.base ? 2 : 0],
  };
  if (!sort) return [last];
  const sorting = sortPairs({ rows: 1, n: take, key: "uint32", dtype: "uint32" }, limits).map(
    (stage): IndexingStage => ({ ...stage, reads: "workspace", operands: [], workspaceDType: "uint32" }),
  );
  return [resolveStage(spec, limits), ...sorting, last];
}

/** The indices as rows, in a workspace. */
function resolveStage(spec: ScatterSpec, limits: PlanLimits): IndexingStage {
  const count = spec.take;
  return {
    kernel: resolve,
    consts: "",
    params: { count, rows: spec.rows, ...ruleOf(spec) },
    grid: foldGrid(ceilDiv(count, 64), limits.maxComputeWorkgroupsPerDimension),
    loadWidth: 1,
    storeWidth: 1,
    reads: "operands",
    writes: "workspace",
    workspaceElements: count,
    operands: [],
    loads: 1,
    workspaceDType: "uint32",
  };
}

function ruleOf(spec: IndexSpec): { mode: number; wrap: number; signed: number } {
  const signed = spec.indexDType === "int32";
  return { mode: MODES[spec.mode], wrap: signed && spec.fromEnd ? spec.rows : 0, signed: signed ? 1 : 0 };
}

/** Along an axis the indices differ from lane to lane, so elements move one by one. */
function widthOf(spec: IndexSpec): Width {
  return spec.vector && !spec.along ? 4 : 1;
}

function scatterText(spec: ScatterSpec, width: Width, sorted: boolean): Required<Pick<Stage, "consts" | "functions">> {
  const merge = mergeOf(spec);
  const lines = [
    `alias V = ${wgslType(spec.dtype, width)};`,
    `alias K = ${width === 4 ? "vec4u" : "u32"};`,
    `fn merge(a: V, b: V) -> V { return ${typeof merge === "string" ? merge : `${merge.name}(a, b)`}; }`,
  ];
  const place = spec.along ? "(o * p.take + k) * p.inner + i" : "k";
  if (!sorted) lines.push(`fn slot(o: u32, k: u32, i: u32) -> u32 { return ${place}; }`);
  return { consts: lines.join("\n"), functions: typeof merge === "string" ? [] : [merge] };
}

/** An expression of a and b, or the library function that takes them. */
function mergeOf({ combine, dtype }: ScatterSpec): string | WgslFunction {
  const float = dtype === "float32";
  switch (combine) {
    case "add":
      return "a + b";
    case "mul":
      return "a * b";
    case "set":
      return "b";
    case "max":
      return float ? combine_max_float : combine_max;
    case "min":
      return float ? combine_min_float : combine_min;
  }
}

function checkRows(op: string, { rows, mode, vector, inner }: IndexSpec): void {
  if (rows === 0 && mode !== "fill") throw new Error(`${op}: no row to take from an axis of length 0; use mode "fill"`);
  if (vector && inner % 4 !== 0) throw new Error(`${op}: vec4 hooks need inner divisible by 4, got ${inner}`);
}
