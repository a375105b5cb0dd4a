/** How a convolution runs where one core takes a workgroup's invocations one after another: as a packed matrix product. */
import { ceilDiv, foldGrid } from "../launch.ts";
import { packStage, productOfPacked, ROWS } from "../matmul/plan-tile.ts";
import type { PlanLimits, Stage } from "../stage.ts";
import { columns } from "./columns.wgsl.gen.ts";

/** What the image's packing needs to know of a convolution without groups. */
export interface ColumnsProblem {
  readonly rows: number;
  readonly cols: number;
  readonly channels: number;
  readonly taps: number;
  readonly limits: PlanLimits;
  /** `alias T` and `alias T4`. */
  readonly aliases: string;
  readonly float: boolean;
  /** How four neighbours are read: of four rows, of four channels, or as scalars anywhere. */
  readonly form: "rows" | "channels" | "scalars";
  /** `place` and `isIn`. */
  readonly placing: string;
  /** Of columns.wgsl: extents and strides of image and window, the image's in elements of the form. */
  readonly params: Readonly<Record<string, number>>;
  /** The window's strides in scalars; `wide` where four features are an aligned vec4. */
  readonly window: {
    readonly wide: boolean;
    readonly base: number;
    readonly output: number;
    readonly input: number;
    readonly axes: Readonly<Record<"sW" | "sH" | "sD", number>>;
    readonly kw: number;
    readonly kh: number;
  };
}

/** Invocations, each with four rows, in a workgroup. */
const GROUP = 8;

const MOVES = {
  scalars: `  let i = at + c * step;
  store(goal + c, select(T4(), T4(a[i.x], a[i.y], a[i.z], a[i.w]), within));`,
  rows: `  store(goal + c, select(T4(), a[at.x + c * step.x], within));`,
  channels: `  let i = at + (c / 4u) * step;
  let x = select(T4(), a[i.x], within.x);
  let y = select(T4(), a[i.y], within.y);
  let z = select(T4(), a[i.z], within.z);
  let w = select(T4(), a[i.w], within.w);
  store(goal + c, T4(x.x, y.x, z.x, w.x));
  store(goal + c + 1u, T4(x.y, y.y, z.y, w.y));
  store(goal + c + 2u, T4(x.z, y.z, z.z, w.z));
  store(goal + c + 3u, T4(x.w, y.w, z.w, w.w));`,
} as const;

/** Three dispatches: the window packed, the image packed, their product. */
export function planColumns(problem: ColumnsProblem): readonly Stage[] {
  const { rows, cols, channels, taps, limits, aliases, float } = problem;
  const k = taps * channels;
  return [
    windowStage(problem, k),
    imageStage(problem, k),
    productOfPacked({ m: rows, n: cols, k, limits, aliases, float }),
  ];
}

function windowStage({ cols, channels, window, limits, aliases }: ColumnsProblem, k: number): Stage {
  const { base, input, output, axes, kw, kh } = window;
  const inner = { channels, kw, kh, ...axes };
  const view = { base, stride: output, step: input, batch: [0, 0, 0] as const };
  return packStage({
    k,
    extent: cols,
    view,
    wide: window.wide,
    operand: 1,
    copies: 1,
    limits,
    aliases,
    inner,
  });
}

function imageStage(problem: ColumnsProblem, k: number): Stage {
  const { rows, taps, channels, form, limits } = problem;
  const panels = ceilDiv(rows, ROWS);
  return {
    kernel: columns,
    consts: [
      `const GX = ${GROUP}u;\nconst UNIT = ${form === "channels" ? 4 : 1}u;`,
      `${problem.aliases}\nalias V = T4;\nalias TA = ${form === "scalars" ? "T" : "T4"};`,
      problem.placing,
      `fn innerAt(n: vec4u) -> vec4u { return ${form === "rows" ? "n / 4u" : "n * p.xInner"}; }`,
      `fn carry(goal: u32, c: u32, at: vec4u, step: vec4u, within: vec4<bool>) {\n${MOVES[form]}\n}\n`,
    ].join("\n"),
    params: { ...problem.params, rows, channels, panels, taps },
    grid: foldGrid(ceilDiv(panels, GROUP), limits.maxComputeWorkgroupsPerDimension),
    storeWidth: 4,
    reads: "operands",
    operands: [0],
    writes: "workspace",
    workspaceElements: panels * k * ROWS,
  };
}
