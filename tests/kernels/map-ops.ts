/** Elementwise ops made for tests of the emitter: their WGSL beside what it computes. */
import type { DType } from "@jnx/tensor";
import type { Expr, LoadExpr, MapContext, MapExpr, MapOp, Output, View } from "@jnx/tensor/internal";

/** An op, and its value in JavaScript given its arguments' and, for generators, its element's index. */
export interface TestOp extends MapOp<undefined> {
  host(args: readonly number[], index: number): number;
}

type Text = (args: readonly string[], context: MapContext) => string;

export function op(name: string, wgsl: Text, host: TestOp["host"], indexed = false): TestOp {
  const infer = (): never => {
    throw new Error(`${name}: tests give dtypes themselves`);
  };
  return { kind: "map", name, infer, wgsl, vjp: "nondifferentiable", indexed, host };
}

const arg = (args: readonly (string | number)[], k: number): string => String(args[k] ?? "");

export const add = op(
  "add",
  (args) => `(${arg(args, 0)} + ${arg(args, 1)})`,
  ([a = 0, b = 0]) => a + b,
);
export const mul = op(
  "mul",
  (args) => `(${arg(args, 0)} * ${arg(args, 1)})`,
  ([a = 0, b = 0]) => a * b,
);
export const less = op(
  "less",
  (args) => `(${arg(args, 0)} < ${arg(args, 1)})`,
  ([a = 0, b = 0]) => Number(a < b),
);
export const pick = op(
  "pick",
  (args) => `select(${arg(args, 2)}, ${arg(args, 1)}, ${arg(args, 0)})`,
  ([c = 0, a = 0, b = 0]) => (c === 0 ? b : a),
);
/** 3 x, the 3 by way of the uniform. */
export const triple = op(
  "triple",
  (args, context) => `(${arg(args, 0)} * ${context.constant(3, "float32")})`,
  ([a = 0]) => 3 * a,
);
export const toInt = op(
  "toInt",
  (args) => `I(${arg(args, 0)})`,
  ([a = 0]) => Math.trunc(a),
);
/** The element's own index. */
export const iota = op(
  "iota",
  (_, context) => `F(${context.index()})`,
  (_, index) => index,
  true,
);

export function load(slot: number, view: View, dtype: DType = "float32"): LoadExpr {
  return { kind: "load", slot, dtype, view };
}

export function literal(value: number, dtype: DType = "float32"): Expr {
  return { kind: "literal", dtype, value };
}

export function apply(op: MapOp<undefined>, args: readonly Expr[], view: View, dtype: DType = "float32"): MapExpr {
  return { kind: "map", op, attrs: undefined, args, dtype, view };
}

export function output(slot: number, expr: Expr): Output {
  return { slot, dtype: expr.dtype, expr };
}
