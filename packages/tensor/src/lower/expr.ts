import type { LinkedKernel } from "@jnx/kernels-wgsl";
import type { DType } from "../dtype.ts";
import type { MapOp } from "../op.ts";
import type { View } from "../view.ts";

/**
 * What a fused kernel computes for the element at a position of its index space. Eager execution builds one-op
 * expressions, the compiler whole chains; both are turned into WGSL by the same emitter.
 */
export type Expr = LoadExpr | LiteralExpr | MapExpr | ResultExpr;

/** An element of the buffer in `slot`; `view` maps the index space (it has its shape) to that buffer. */
export interface LoadExpr {
  readonly kind: "load";
  readonly slot: number;
  readonly dtype: DType;
  readonly view: View;
}

export interface LiteralExpr {
  readonly kind: "literal";
  readonly dtype: DType;
  readonly value: number;
}

export interface MapExpr {
  readonly kind: "map";
  // An op's attrs are typed by the op alone; here they only travel together.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly op: MapOp<any>;
  readonly attrs: unknown;
  readonly args: readonly Expr[];
  readonly dtype: DType;
  /** For ops that use their element's index: from the index space to the row-major index of the op's own result. */
  readonly view: View;
}

/** A value in scope: in a store hook the one the kernel computed, in a walk along lines the one called `name`. */
export interface ResultExpr {
  readonly kind: "result";
  readonly dtype: DType;
  readonly name?: string;
}

/** One array that a kernel writes: `expr` at every position, into the buffer in `slot`, row-major. */
export interface Output {
  readonly slot: number;
  readonly dtype: DType;
  readonly expr: Expr;
}

/** A dispatch whose buffers are numbered slots: what eager binds to storages and the compiler to planned memory. */
export interface Step {
  readonly label: string;
  readonly kernel: LinkedKernel;
  readonly slots: readonly number[];
  readonly uniforms: readonly Uint8Array[];
  readonly grid: readonly [number, number, number];
}
