import type { Triple } from "../conv/plan.ts";
import { ceilDiv, foldGrid } from "../launch.ts";
import * as keys from "../reduce/key-functions.wgsl.gen.ts";
import { aliases, combineFunction, identityBits } from "../reduce/plan.ts";
import type { PlanLimits, Stage } from "../stage.ts";
import { gather } from "./gather.wgsl.gen.ts";
import { reduce } from "./reduce.wgsl.gen.ts";
import { scatterDisjoint } from "./scatter-disjoint.wgsl.gen.ts";
import { scatter } from "./scatter.wgsl.gen.ts";

/** Windows over the three middle axes of x, row-major `[outer, ...extent, inner]`; there are `[outer, ...out, inner]`. */
export interface WindowSpec {
  readonly dtype: "float32" | "int32" | "uint32";
  readonly outer: number;
  readonly inner: number;
  readonly extent: Triple;
  readonly out: Triple;
  readonly window: Triple;
  readonly strides: Triple;
  /** Elements before the first that windows begin with; negative where they begin later. */
  readonly low: Triple;
  readonly windowDilation: Triple;
  /** inner is divisible by 4 and operands can be read as vec4s. */
  readonly vector: boolean;
}

export interface WindowReduceSpec extends WindowSpec {
  readonly combine: "sum" | "max" | "min";
  /** Elements of x lie this far apart, with nothing between. */
  readonly baseDilation: Triple;
}

/** The family's windowed maximum seen from its derivatives: which element each window chose. */
export interface WindowChoiceSpec extends WindowSpec {
  readonly arg: "max" | "min";
  /** "gather": from x and g of its shape, g where each window chose. "scatter": from x and ct, its transpose. */
  readonly form: "gather" | "scatter";
}

const GROUP = 64;
const volume = ([d = 1, h = 1, w = 1]: readonly number[]): number => d * h * w;

/**
 * The dispatch of a windowed reduction; x comes through `load`. None when the result is empty.
 *
 * @example
 * planWindowReduce({ combine: "max", dtype: "float32", outer: 32, inner: 16, extent: [1, 28, 28], out: [1, 14, 14],
 *   window: [1, 2, 2], strides: [1, 2, 2], low: [0, 0, 0], windowDilation: [1, 1, 1], baseDilation: [1, 1, 1], vector: true }, limits);
 */
export function planWindowReduce(spec: WindowReduceSpec, limits: PlanLimits): readonly Stage[] {
  const width = spec.vector ? 4 : 1;
  const count = (spec.outer * volume(spec.out) * spec.inner) / width;
  if (count === 0) return [];
  const combine = combineFunction(spec.combine, spec.dtype);
  return [
    {
      kernel: reduce,
      consts: `const GX = ${GROUP}u;\n${aliases(spec.dtype, width)}\nfn combine(a: V, b: V) -> V { return ${combine.name}(a, b); }`,
      functions: [combine],
      params: {
        ...params(spec, count, width),
        ...named("dil", spec.windowDilation),
        ...named("base", spec.baseDilation),
        identity: identityBits(spec.combine, spec.dtype),
      },
      grid: foldGrid(ceilDiv(count, GROUP), limits.maxComputeWorkgroupsPerDimension),
      loadWidth: width,
      storeWidth: width,
      reads: "operands",
      writes: "results",
      workspaceElements: 0,
    },
  ];
}

/** The dispatch of a choice; x, then the other operand, are bound in group 0. None when the result is empty. */
export function planWindowChoice(spec: WindowChoiceSpec, limits: PlanLimits): readonly Stage[] {
  const width = spec.vector ? 4 : 1;
  const apart = spec.form === "scatter" && areDisjoint(spec);
  const cells = spec.extent.map((n, k) => ceilDiv(n + (spec.low[k] ?? 0), spec.strides[k] ?? 1));
  const places = spec.form === "gather" ? spec.out : apart ? cells : spec.extent;
  const count = (spec.outer * volume(places) * spec.inner) / width;
  if (count === 0) return [];
  const [cd = 1, ch = 1, cw = 1] = cells;
  const order =
    spec.dtype === "float32" ? keys.order_float : spec.dtype === "int32" ? keys.order_signed : keys.order_unsigned;
  const nan = spec.dtype === "float32" ? " | is_nan_float(v)" : "";
  return [
    {
      kernel: spec.form === "gather" ? gather : apart ? scatterDisjoint : scatter,
      consts: `const GX = ${GROUP}u;\n${aliases(spec.dtype, width)}\nfn key(v: V) -> K { return (${order.name}(v) ^ K(p.flip))${nan}; }`,
      functions: nan === "" ? [order] : [order, keys.is_nan_float],
      params: {
        ...params(spec, count, width),
        ...(apart ? { cd, ch, cw } : named("dil", spec.windowDilation)),
        flip: spec.arg === "max" ? 0 : 0xffff_ffff,
      },
      grid: foldGrid(ceilDiv(count, GROUP), limits.maxComputeWorkgroupsPerDimension),
      storeWidth: width,
      reads: "operands",
      writes: "results",
      workspaceElements: 0,
    },
  ];
}

/** Whether no element is in two windows, as in pooling by a stride of the window's size. */
function areDisjoint({ window, strides, low, windowDilation }: WindowSpec): boolean {
  return window.every(
    (extent, k) => extent <= (strides[k] ?? 1) && (low[k] ?? 0) >= 0 && (extent === 1 || windowDilation[k] === 1),
  );
}

function params(spec: WindowSpec, count: number, width: number): Record<string, number> {
  const [od, oh, ow] = spec.out;
  const [nd, nh, nw] = spec.extent;
  const [kd, kh, kw] = spec.window;
  const low = spec.low.map((elements) => elements >>> 0);
  return {
    ...{ count, inner: spec.inner / width, od, oh, ow, nd, nh, nw, kd, kh, kw },
    ...named("step", spec.strides),
    ...named("low", low),
  };
}

function named(name: string, [d = 0, h = 0, w = 0]: readonly number[]): Record<string, number> {
  return { [`${name}D`]: d, [`${name}H`]: h, [`${name}W`]: w };
}
