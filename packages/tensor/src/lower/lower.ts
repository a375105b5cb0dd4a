import { ceilDiv, foldGrid, link, map, packUniform, type Kernel, type Width } from "@jnx/kernels-wgsl";
import type { Limits } from "../device/executor.ts";
import { BYTES_PER_ELEMENT, computedDType, packedBits, type ComputedDType, type DType } from "../dtype.ts";
import type { KernelStage, MapOp } from "../op.ts";
import { sizeOf, type Shape } from "../shape.ts";
import { at, contiguousView } from "../view.ts";
import { Emitter, type HookText } from "./emitter.ts";
import type { Expr, Output, Step } from "./expr.ts";
import { widthOf } from "./space.ts";

/** Invocations in a workgroup of the elementwise kernel, and positions each of them handles. */
interface Cut {
  readonly group: number;
  readonly repeat: 1 | 2;
}
const LARGE: Cut = { group: 256, repeat: 2 };
/** Small arrays get one position an invocation, so that they still spread over the cores. */
const SMALL: Cut = { group: 128, repeat: 1 };
const SMALL_POSITIONS = 2048;
/** On a CPU's driver invocations without a position take their time too: 8x8 arrays took SwiftShader 2.7 times as long in SMALL. */
const TINY: Cut = { group: 16, repeat: 1 };
/** Where a core runs a group's invocations in turn, one long walk through memory is best. */
const SEQUENTIAL_GROUP = 1024;

/** Arrays of one shape, each an expression of operands at the same position: one dispatch. */
export function lowerMap(label: string, shape: Shape, outputs: readonly Output[], limits: Limits): Step {
  const exprs = outputs.map((output) => output.expr);
  // What is packed is written four elements at a time, whatever the operands are like.
  const width = packs(outputs) ? 4 : widthOf(shape, exprs);
  const emitter = new Emitter(width);
  emitter.declareOutputs(outputs, width, shape);
  emitter.addBody(shape, outputs, width);
  const positions = ceilDiv(sizeOf(shape), width);
  const { group, repeat } = cutOf(positions, limits);
  const hooks = emitter.finish(`const GROUP = ${group}u;\nconst REPEAT = ${repeat}u;`);
  const grid = foldGrid(ceilDiv(positions, group * repeat), limits.maxComputeWorkgroupsPerDimension);
  return assemble(label, map, hooks, { n: positions }, grid, []);
}

function cutOf(positions: number, limits: Limits): Cut {
  const { sequential, maxComputeInvocationsPerWorkgroup: most } = limits;
  if (sequential === true) return { group: Math.min(SEQUENTIAL_GROUP, most), repeat: 1 };
  if (positions <= SMALL.group && limits.cheapBarriers !== true) return TINY;
  return positions > SMALL_POSITIONS ? LARGE : SMALL;
}

function packs(outputs: readonly Output[]): boolean {
  return outputs.some(({ dtype }) => packedBits(dtype) !== undefined);
}

/** What the stages of a reduction or of a kernel family work on. */
export interface StagedWork {
  readonly stages: readonly KernelStage[];
  /** Slots of the op's operands, for those that group 0 binds. */
  readonly operandSlots: readonly number[];
  /** What the `load` hook of a stage reads, over the shape its flat index walks: by operand number. */
  loadOf(operand: number): { readonly shape: Shape; readonly expr: Expr };
  /** What lies between stages, if not the result's dtype. */
  readonly workspaceDType?: ComputedDType | undefined;
  /** The dtype and shape of the kernel's own result, and the arrays to write from it. */
  readonly result: { readonly shape: Shape; readonly dtype: DType };
  readonly outputs: readonly Output[];
  /** Gives a slot for a workspace of so many bytes. */
  workspace(bytes: number): number;
}

/**
 * One dispatch a stage. One that reads a workspace binds all that the stages before it left and none has read, or else
 * the last. Where packed results are not made four at a time, the last stage writes a workspace too, which a map packs.
 */
export function lowerStages(label: string, work: StagedWork, limits: Limits): Step[] {
  const wide = work.stages.every((stage) => stage.writes !== "results" || stage.storeWidth === 4);
  if (wide || !packs(work.outputs)) return stageSteps(label, work);
  const { shape, dtype } = work.result;
  const slot = work.workspace(sizeOf(shape) * BYTES_PER_ELEMENT);
  const between = computedDType(dtype);
  const made: Output = { slot, dtype: between, expr: { kind: "result", dtype: between } };
  const view = contiguousView(shape);
  const stored: Expr = { kind: "load", slot, dtype: between, view };
  const result: Expr = { kind: "map", op: roundOp, attrs: undefined, args: [stored], dtype, view };
  const outputs = work.outputs.map((output) => ({ ...output, expr: ofResult(output.expr, result) }));
  return [...stageSteps(label, { ...work, outputs: [made] }), lowerMap(label, shape, outputs, limits)];
}

/** Its operand as the result's dtype holds it: what every map does with what it computes. */
const roundOp: MapOp<undefined> = {
  kind: "map",
  name: "round",
  infer: ([x]) => x ?? { shape: [], dtype: "float32", weak: false },
  wgsl: ([x = ""]) => x,
  vjp: "nondifferentiable",
};

/** An expression of a kernel's result as one of `result`, which is the same where it is stored. */
function ofResult(root: Expr, result: Expr): Expr {
  const done = new Map<Expr, Expr>();
  const visit = (expr: Expr): Expr => {
    const known = done.get(expr);
    if (known !== undefined) return known;
    const mapped =
      expr.kind === "map" ? { ...expr, args: expr.args.map(visit) } : expr.kind === "result" ? result : expr;
    done.set(expr, mapped);
    return mapped;
  };
  return visit(root);
}

function stageSteps(label: string, work: StagedWork): Step[] {
  let workspace: { slot: number; elements: number } | undefined;
  let unread: number[] = [];
  return work.stages.map((stage) => {
    const source = workspace;
    const storeWidth = stage.storeWidth;
    const lanes: Width = Math.max(storeWidth, stage.loadWidth ?? 1) === 4 ? 4 : 1;
    const emitter = new Emitter(lanes);
    const outputs = stage.writes === "results" ? work.outputs : [workspaceOutput(work, stage)];
    // A kernel without a load hook reads the workspace through its own binding.
    const own = stage.reads === "workspace" && stage.loadWidth === undefined && source !== undefined;
    const bound = !own ? [] : unread.length > 0 ? unread : [source.slot];
    if (stage.reads === "workspace") unread = [];
    if (stage.writes === "workspace") {
      workspace = { slot: at(outputs, 0).slot, elements: stage.workspaceElements };
      unread = [...unread, workspace.slot];
    }
    emitter.declareOutputs(outputs, storeWidth);
    addLoad(emitter, stage, work, source);
    const [shape, dtype] =
      stage.writes === "results"
        ? [work.result.shape, work.result.dtype]
        : [[stage.workspaceElements], betweenDType(work)];
    emitter.addStore(shape, outputs, dtype, storeWidth);
    for (const fn of stage.functions ?? []) emitter.use(fn);
    const operands = [...bound, ...stage.operands.map((operand) => at(work.operandSlots, operand))];
    return assemble(label, stage.kernel, emitter.finish(stage.consts), stage.params, stage.grid, operands);
  });
}

function betweenDType(work: StagedWork): ComputedDType {
  return work.workspaceDType ?? computedDType(work.result.dtype);
}

function workspaceOutput(work: StagedWork, stage: KernelStage): Output {
  const dtype = betweenDType(work);
  return { slot: work.workspace(stage.workspaceElements * BYTES_PER_ELEMENT), dtype, expr: { kind: "result", dtype } };
}

function addLoad(
  emitter: Emitter,
  stage: KernelStage,
  work: StagedWork,
  source: { slot: number; elements: number } | undefined,
): void {
  if (stage.loadWidth === undefined) return;
  if (stage.reads === "workspace") {
    if (source === undefined) throw new Error("jnx internal error: the first stage of a plan reads a workspace");
    const shape = [source.elements];
    const view = { shape, strides: [1], offset: 0 };
    emitter.addLoad(shape, { kind: "load", slot: source.slot, dtype: betweenDType(work), view }, stage.loadWidth);
  } else {
    const { shape, expr } = work.loadOf(stage.loads ?? 0);
    emitter.addLoad(shape, expr, stage.loadWidth);
  }
}

function assemble(
  label: string,
  kernel: Kernel,
  hooks: HookText,
  params: Readonly<Record<string, number>>,
  grid: readonly [number, number, number],
  operands: readonly number[],
): Step {
  const linked = link(kernel, { block: hooks.block, functions: hooks.functions, bindings: hooks.bindings });
  const layout = kernel.bindings.find((binding) => binding.group === 0 && binding.access === "uniform")?.layout;
  const uniforms: Uint8Array[] = layout === undefined ? [] : [packUniform(layout, params)];
  if (hooks.uniform !== undefined) uniforms.push(hooks.uniform);
  return { label, kernel: linked, slots: [...operands, ...hooks.slots], uniforms, grid };
}
