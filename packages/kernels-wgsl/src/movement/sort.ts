import { sortBegin } from "./sort-begin.wgsl.gen.ts";
import { sortEnd } from "./sort-end.wgsl.gen.ts";
import { sortMerge } from "./sort-merge.wgsl.gen.ts";
import { sortRuns } from "./sort-runs.wgsl.gen.ts";
import { log2Up } from "./box.ts";
import { wgslType } from "./scalar.ts";
import { ceilDiv, foldGrid } from "../launch.ts";
import { is_nan_float, order_float, order_signed, order_unsigned } from "../reduce/key-functions.wgsl.gen.ts";
import type { PlanLimits, Stage } from "../stage.ts";

/** `rows` independent rows of `n` keys. */
export interface SortShape {
  readonly rows: number;
  readonly n: number;
  /** What the keys are. Floats order as JAX has it: -0 equals 0, NaN comes last. */
  readonly key: "float32" | "int32" | "uint32";
  /** Of what is stored and of the workspaces. */
  readonly dtype: "int32" | "uint32";
}

export interface SortSpec extends SortShape {
  /** What the last stage stores, [rows, n]: where each element came from, or the sorted keys (of key "uint32" only). */
  readonly result: "keys" | "positions";
}

/** Levels of compare-exchange that one pass does in registers; the first stage sorts runs of 2 to this power. */
const LEVELS = 4;
/** log2 of the pairs that one invocation of sort-runs.wgsl merges, at most: enough that the bisection costs little. */
const STRETCH = 8;

/**
 * The dispatches of a stable ascending sort along rows. `load` gives the key of a flat index, `store` takes positions
 * (argsort; to sort anything else by these keys, gather it) or keys, scalars both.
 *
 * Some log2(n)^2 / 8 passes over 2 * rows * 2^ceil(log2 n) words, 38 dispatches for n = 2^16; where invocations run one after
 * another log2(n) - 4 that merge, 14.
 * @throws Error when keys are wanted that are not uint32: what is left of the others is their order.
 * @example
 * // random.permutation: the keys are random bits
 * planSort({ rows: 1, n: 1000, key: "uint32", dtype: "int32", result: "positions" }, limits);
 */
export function planSort(spec: SortSpec, limits: PlanLimits): readonly Stage[] {
  const { rows, n } = spec;
  if (spec.result === "keys" && spec.key !== "uint32") {
    throw new Error(`sort: ${spec.key} keys are not given back; take the positions and gather`);
  }
  const stages = sortPairs(spec, limits);
  if (stages.length === 0) return [];
  const bits = rowBits(n);
  const count = rows * n;
  const end: Stage = {
    kernel: sortEnd,
    consts: resultAlias(spec.dtype),
    params: { count, n, bits, offset: spec.result === "keys" ? 0 : rows * 2 ** bits },
    grid: flatGrid(count, 64, limits),
    ...WIDTHS,
    reads: "workspace",
    writes: "results",
    workspaceElements: 0,
  };
  return [...stages, end];
}

/**
 * planSort without its last stage: what is left is a workspace of `rows` rows of 2^b keys, b = max(4, ceil(log2 n)),
 * padded with the largest key, then as many positions. The end of a longer plan can read it.
 */
export function sortPairs({ rows, n, key, dtype }: SortShape, limits: PlanLimits): readonly Stage[] {
  if (rows === 0 || n === 0) return [];
  const bits = rowBits(n);
  const half = rows * 2 ** bits;
  const workspace = { writes: "workspace", workspaceElements: 2 * half } as const;
  const count = half / 2 ** LEVELS;
  const merges = limits.sequential === true;
  const begin: Stage = {
    kernel: sortBegin,
    ...keyText(key, dtype),
    // Runs that are merged all ascend; a bitonic network wants every other one the other way round.
    params: { count, half, n, bits, mask: 2 ** (merges ? LEVELS : bits) - 1 },
    grid: flatGrid(count, 64, limits),
    ...WIDTHS,
    reads: "operands",
    ...workspace,
  };
  const rest = merges ? mergingStages(bits, half, limits) : networkStages(bits, half, limits);
  const later = { consts: resultAlias(dtype), ...WIDTHS, reads: "workspace", ...workspace } as const;
  return [begin, ...rest.map((stage): Stage => ({ ...stage, ...later }))];
}

type Later = Pick<Stage, "kernel" | "params" | "grid">;

/** Phase by phase, each phase's levels from the top in windows of four. */
function networkStages(bits: number, half: number, limits: PlanLimits): readonly Later[] {
  const count = half / 2 ** LEVELS;
  return passes(bits).map(({ phase, window, levels }) => ({
    kernel: sortMerge,
    params: { count, half, window, levels, phase, mask: 2 ** bits - 1 },
    grid: flatGrid(count, 64, limits),
  }));
}

/** Runs of twice the length, until there is one. */
function mergingStages(bits: number, half: number, limits: PlanLimits): readonly Later[] {
  return Array.from({ length: bits - LEVELS }, (_, k) => {
    const run = LEVELS + k;
    const stretch = Math.min(STRETCH, run + 1);
    const count = half / 2 ** stretch;
    return { kernel: sortRuns, params: { count, half, run, stretch }, grid: flatGrid(count, 16, limits) };
  });
}

function resultAlias(dtype: SortShape["dtype"]): string {
  return `alias R = ${wgslType(dtype, 1)};`;
}

function keyText(key: SortShape["key"], dtype: SortShape["dtype"]): Required<Pick<Stage, "consts" | "functions">> {
  const order = { float32: order_float, int32: order_signed, uint32: order_unsigned }[key];
  const nan = key === "float32" ? " | is_nan_float(v)" : "";
  const consts = [
    resultAlias(dtype),
    `alias V = ${wgslType(key, 1)};\nalias K = u32;`,
    `fn key(v: V) -> K { return ${order.name}(v)${nan}; }`,
  ].join("\n");
  return { consts, functions: nan === "" ? [order] : [order, is_nan_float] };
}

/** log2 of a row's length in the workspace. */
export function rowBits(n: number): number {
  return Math.max(LEVELS, log2Up(n));
}

const WIDTHS = { loadWidth: 1, storeWidth: 1 } as const;

function passes(bits: number): { phase: number; window: number; levels: number }[] {
  const found = [];
  for (let phase = LEVELS + 1; phase <= bits; phase++) {
    for (let top = phase - 1; top >= 0;) {
      const window = Math.max(0, top - LEVELS + 1);
      found.push({ phase, window, levels: 2 ** (top - window + 1) - 1 });
      top = window - 1;
    }
  }
  return found;
}

function flatGrid(count: number, group: number, limits: PlanLimits): readonly [number, number, number] {
  return foldGrid(ceilDiv(count, group), limits.maxComputeWorkgroupsPerDimension);
}
