import type { Kernel, WgslFunction } from "./kernel.ts";
import type { Tuning } from "./tuning.ts";

/** Elements that one hook call moves: a scalar, or a vec4 of neighbours on the innermost axis. */
export type Width = 1 | 4;

/**
 * One dispatch that a family's `plan.ts` asks for, as data. The caller supplies the text of the hooks it wants
 * linked in (`load`, `store`); `consts` and `params` are the plan's own.
 *
 * A reduction or matmul that needs several dispatches is a list of stages: all but the first read, and all but the
 * last write, a workspace of `workspaceElements` scalars through the kernel's default hooks. One that reads workspaces binds
 * all that the stages before it wrote and none has read, in their order.
 */
export interface Stage {
  readonly kernel: Kernel;
  /** Replaces the constants and type aliases at the top of the kernel's default block: `const GROUP = 64u;` lines. */
  readonly consts: string;
  /** Library functions that `consts` calls. */
  readonly functions?: readonly WgslFunction[];
  /** Values of the kernel's own uniform, `Params`. */
  readonly params: Readonly<Record<string, number>>;
  readonly grid: readonly [number, number, number];
  /** Width of the `load` hook, for kernels that have one. */
  readonly loadWidth?: Width;
  /** Width of the `store` hook. */
  readonly storeWidth: Width;
  readonly reads: "operands" | "workspace";
  /** Operands that group 0 binds, after the workspace if the stage reads one, where the family's usual ones do not fit. */
  readonly operands?: readonly number[];
  readonly writes: "results" | "workspace";
  /** Scalars in the workspace this stage writes; 0 when it writes the results. */
  readonly workspaceElements: number;
}

/** What a plan may rely on: the part of the device's limits that decides grids and variants. */
export interface PlanLimits {
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeWorkgroupStorageSize: number;
  /** True where a core runs a workgroup's invocations one after another, with registers of four lanes. */
  readonly sequential?: boolean;
  /**
   * True on hardware, which waits at a barrier for next to nothing and has lanes enough for one element each: long rows
   * are then shared by a workgroup. On software adapters a barrier costs more than a second dispatch, and every
   * invocation its share. Default false.
   */
  readonly cheapBarriers?: boolean;
  /** What was measured to be better than the plans' own choices on this adapter. */
  readonly tuning?: Tuning;
}
