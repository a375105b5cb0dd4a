import type { WgslFunction } from "../kernel.ts";
import { ceilDiv, foldGrid } from "../launch.ts";
import type { PlanLimits, Stage } from "../stage.ts";
import * as combines from "./combine-functions.wgsl.gen.ts";
import { identityBits } from "./plan.ts";
import { recurrence } from "./recurrence.wgsl.gen.ts";
import { scan } from "./scan.wgsl.gen.ts";

/** How an accumulation puts two elements together. */
export type ScanCombine = "sum" | "prod" | "max" | "min" | "logaddexp";

/** An accumulation along the middle axis of `[outer, n, inner]`. */
export interface ScanSpec {
  readonly combine: ScanCombine;
  readonly dtype: "float32" | "int32" | "uint32";
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly reverse: boolean;
  /** The hooks may be vec4; the plan still asks for scalars where `inner` does not divide by four. */
  readonly vector: boolean;
}

/** A stage with the operands that group 0 binds. */
export interface ScanStage extends Stage {
  readonly operands: readonly number[];
}

/** Lines up to this long, or this many of them, are walked in one go. */
const SHORT = 128;
const MANY = 4096;

const SCALARS = { float32: "f32", int32: "i32", uint32: "u32" } as const;
const VECTORS = { float32: "vec4f", int32: "vec4i", uint32: "vec4u" } as const;

/**
 * The dispatches of an accumulation: one for short or many lines, else three (totals of parts, what comes before each
 * part, and the parts from there). The order of combination depends on the shape alone, so results repeat bit for bit.
 *
 * @example
 * planScan({ combine: "sum", dtype: "float32", outer: 1, n: 1 << 20, inner: 1, reverse: false, vector: false }, limits).length; // 3
 */
export function planScan(spec: ScanSpec, limits: PlanLimits): readonly ScanStage[] {
  const { outer, n } = spec;
  if (outer * n * spec.inner === 0) return [];
  const wide = spec.vector && spec.inner % 4 === 0;
  const inner = wide ? spec.inner / 4 : spec.inner;
  const lines = outer * inner;
  const whole = n <= SHORT || lines >= MANY;
  // As many parts as elements in each.
  const chunk = whole ? n : Math.max(SHORT / 2, 2 ** Math.ceil(Math.log2(n) / 2));
  const parts = ceilDiv(n, chunk);
  const shared = { inner, identity: identity(spec), reverse: spec.reverse ? 1 : 0 };
  const stage = (role: Role, size: { n: number; chunk: number; parts: number }, ends: Ends): ScanStage => ({
    kernel: scan,
    ...textOf(spec, wide, role),
    params: { ...shared, ...size, count: lines * size.parts, ...(role === "between" ? { reverse: 0 } : {}) },
    grid: foldGrid(ceilDiv(lines * size.parts, 64), limits.maxComputeWorkgroupsPerDimension),
    storeWidth: wide ? 4 : 1,
    ...(ends.reads === "workspace" ? { loadWidth: wide ? 4 : 1 } : {}),
    operands: [0],
    ...ends,
  });
  const done = { writes: "results", workspaceElements: 0 } as const;
  if (parts === 1) return [stage("whole", { n, chunk, parts }, { reads: "operands", ...done })];
  const kept = { writes: "workspace", workspaceElements: outer * parts * spec.inner } as const;
  return [
    stage("totals", { n, chunk, parts }, { reads: "operands", ...kept }),
    stage("between", { n: parts, chunk: parts, parts: 1 }, { reads: "workspace", ...kept }),
    stage("from", { n, chunk, parts }, { reads: "workspace", ...done }),
  ];
}

type Ends = Pick<Stage, "reads" | "writes" | "workspaceElements">;

/** What a dispatch does: a whole line, the totals of parts, their exclusive scan, or parts from what comes before. */
type Role = "whole" | "totals" | "between" | "from";

function textOf(
  { combine, dtype }: ScanSpec,
  wide: boolean,
  role: Role,
): Required<Pick<Stage, "consts" | "functions">> {
  const functions = functionsOf(combine, dtype);
  const name = functions[functions.length - 1]?.name ?? "";
  const emit = (yes: boolean, at: string): string => (yes ? `store(${at}, v);` : "");
  const consts = [
    `alias T = ${SCALARS[dtype]};`,
    `alias V = ${wide ? VECTORS[dtype] : SCALARS[dtype]};`,
    `alias K = ${wide ? "vec4u" : "u32"};`,
    `fn combine(a: V, b: V) -> V { return ${name}(a, b); }`,
    `fn fetch(at: u32) -> V { return ${role === "between" ? "load(at)" : "x[at]"}; }`,
    `fn start(part: u32) -> V { return ${role === "from" ? "load(part)" : "V(bitcast<T>(p.identity))"}; }`,
    `fn before(at: u32, v: V) { ${emit(role === "between", "at")} }`,
    `fn after(at: u32, v: V) { ${emit(role === "whole" || role === "from", "at")} }`,
    `fn finish(part: u32, v: V) { ${emit(role === "totals", "part")} }`,
  ].join("\n");
  return { consts, functions };
}

/** The library functions that the combination needs, itself last. */
function functionsOf(combine: ScanCombine, dtype: ScanSpec["dtype"]): readonly WgslFunction[] {
  const float = dtype === "float32";
  switch (combine) {
    case "sum":
      return [combines.combine_sum];
    case "prod":
      return [combines.combine_prod];
    case "max":
      return [float ? combines.combine_max_float : combines.combine_max];
    case "min":
      return [float ? combines.combine_min_float : combines.combine_min];
    case "logaddexp":
      return [combines.combine_max_float, combines.combine_logaddexp];
  }
}

function identity({ combine, dtype }: ScanSpec): number {
  return identityBits(combine === "logaddexp" ? "max" : combine, dtype);
}

/** A linear recurrence along the middle axis of `[outer, n, inner]`, of float32. */
export interface RecurrenceSpec {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly reverse: boolean;
  readonly vector: boolean;
}

/**
 * The dispatch of y[r] = a[r] · y[r − 1] + b[r], from operands a and b.
 *
 * @example
 * planRecurrence({ outer: 1, n: 100, inner: 8, reverse: false, vector: true }, limits).length; // 1
 */
export function planRecurrence(spec: RecurrenceSpec, limits: PlanLimits): readonly ScanStage[] {
  const { outer, n } = spec;
  if (outer * n * spec.inner === 0) return [];
  const wide = spec.vector && spec.inner % 4 === 0;
  const inner = wide ? spec.inner / 4 : spec.inner;
  return [
    {
      kernel: recurrence,
      consts: `alias V = ${wide ? "vec4f" : "f32"};`,
      params: { count: outer * inner, n, inner, reverse: spec.reverse ? 1 : 0 },
      grid: foldGrid(ceilDiv(outer * inner, 64), limits.maxComputeWorkgroupsPerDimension),
      storeWidth: wide ? 4 : 1,
      reads: "operands",
      writes: "results",
      workspaceElements: 0,
      operands: [0, 1],
    },
  ];
}
