import type { WgslFunction } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { computedDType, isFloat, promote, type ComputedDType, type DType } from "../dtype.ts";
import { DtypeError } from "../errors.ts";
import type { MapContext, MapOp } from "../op.ts";
import { broadcastShapes, sameShape } from "../shape.ts";
import type { Aval, Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { mul } from "./elementwise.ts";
import { broadcastTo } from "./movement.ts";

/** One library function for all dtypes an op takes, one per dtype, or an expression of several. */
export type WgslByDType = WgslFunction | Partial<Record<ComputedDType, WgslFunction>> | WgslExpression;

/** WGSL that calls library functions: `use` makes one available and returns its name. */
export type WgslExpression = (use: (fn: WgslFunction) => string, x: string, y: string) => string;

/**
 * A public function of one array, with its record. The result has x's shape. Functions on floats turn other dtypes into
 * float32 first, as JAX does.
 *
 * @throws DtypeError for a dtype that the function does not take.
 */
export interface UnaryFunction {
  (x: TensorLike): Tensor;
  readonly op: MapOp<undefined>;
}

/**
 * A public function of two arrays that broadcasts and promotes as JAX does, with its record. Comparisons give bool.
 *
 * @throws ShapeError when the shapes do not broadcast, DtypeError for a dtype that the function does not take.
 */
export interface BinaryFunction {
  (x: TensorLike, y: TensorLike): Tensor;
  readonly op: MapOp<undefined>;
}

export interface UnarySpec {
  readonly name: string;
  readonly wgsl: WgslByDType;
  /** "float": other dtypes become float32 first, as in JAX. "number": bool becomes int32. "any": as it is, or refused. */
  readonly takes: "float" | "number" | "any";
  /** The result's dtype, if it is not the operand's. */
  readonly result?: DType;
  /** Dtypes whose elements the function leaves as they are: floor of whole numbers. */
  readonly keeps?: (dtype: DType) => boolean;
  /** dy/dx as a tensor, from x and y; the product with the cotangent is the factory's business. */
  readonly derivative: ((x: Tensor, y: Tensor) => Tensor) | "nondifferentiable";
}

/** A map of one operand: shape, gradient and the public function follow from the record. */
export function unary(spec: UnarySpec): UnaryFunction {
  const { name, derivative } = spec;
  const op: MapOp<undefined> = {
    kind: "map",
    name,
    infer: ([x]) => resultOf(spec, x),
    wgsl: (args, context, _attrs, [dtype]) => expression(spec, args, context, dtype),
    vjp:
      derivative === "nondifferentiable"
        ? derivative
        : ({ inputs: [x], output }, ct) => (x === undefined ? [] : [mul(ct, derivative(x, output))]),
  };
  const run = (x: TensorLike): Tensor => {
    const tensor = asTensor(x, name);
    return spec.keeps?.(tensor.dtype) === true ? tensor : bind(op, [admit(spec.takes, tensor)], undefined);
  };
  return Object.assign(run, { op });
}

/** Whether a cotangent is wanted for the operand is known to the caller: rules are only called where it is. */
export type Partial1 = (ct: Tensor, x: Tensor, y: Tensor, out: Tensor) => Tensor;

export interface BinarySpec {
  readonly name: string;
  readonly wgsl: WgslByDType;
  readonly takes: "float" | "number" | "any";
  readonly result?: DType;
  /** The cotangents of x and of y. */
  readonly partials: readonly [Partial1, Partial1] | "nondifferentiable";
}

/** A map of two operands, promoted to one dtype and broadcast to one shape before the op sees them. */
export function binary(spec: BinarySpec): BinaryFunction {
  const { name, partials } = spec;
  const op: MapOp<undefined> = {
    kind: "map",
    name,
    infer: ([x]) => resultOf(spec, x),
    wgsl: (args, context, _attrs, [dtype]) => expression(spec, args, context, dtype),
    vjp:
      partials === "nondifferentiable"
        ? partials
        : ({ inputs: [x, y], output, needs }, ct) =>
            x === undefined || y === undefined
              ? []
              : partials.map((partial, k) => (needs[k] ? partial(ct, x, y, output) : undefined)),
  };
  return Object.assign(
    (x: TensorLike, y: TensorLike) => {
      const [left, right] = together(name, [asTensor(x, name), asTensor(y, name)], spec.takes);
      return bind(op, [left, right], undefined);
    },
    { op },
  );
}

/** Operands of one dtype and one shape, as JAX's promotion and NumPy's broadcasting make them. */
export function together(
  name: string,
  [x, y]: readonly [Tensor, Tensor],
  takes: "float" | "number" | "any",
): [Tensor, Tensor] {
  if (x.dtype === y.dtype && x.weak === y.weak && (takes === "any" || isFloat(x.dtype)) && sameShape(x.shape, y.shape))
    return [x, y];
  const common = promote([x, y]);
  const dtype =
    takes === "float" && !isFloat(common.dtype)
      ? "float32"
      : takes === "number" && common.dtype === "bool"
        ? "int32"
        : common.dtype;
  const shape = broadcastShapes(name, x.shape, y.shape);
  const fit = (one: Tensor): Tensor => broadcastTo(convert(one, dtype, common.weak), shape);
  return [fit(x), fit(y)];
}

function admit(takes: "float" | "number" | "any", x: Tensor): Tensor {
  if (takes === "float" && !isFloat(x.dtype)) return convert(x, "float32", x.weak);
  if (takes === "number" && x.dtype === "bool") return convert(x, "int32", x.weak);
  return x;
}

function resultOf(
  spec: { readonly name: string; readonly result?: DType; readonly wgsl: WgslByDType },
  x: Aval | undefined,
): Aval {
  if (x === undefined) throw new DtypeError(`${spec.name}: needs an operand`);
  if (typeof spec.wgsl !== "function") pick(spec.name, spec.wgsl, computedDType(x.dtype));
  return { shape: x.shape, dtype: spec.result ?? x.dtype, weak: spec.result === undefined && x.weak };
}

function expression(
  { name, wgsl }: { readonly name: string; readonly wgsl: WgslByDType },
  args: readonly string[],
  context: MapContext,
  dtype: ComputedDType | undefined,
): string {
  const [x = "", y = ""] = args;
  if (typeof wgsl === "function") return wgsl((fn) => context.use(fn), x, y);
  return `${context.use(pick(name, wgsl, dtype))}(${args.join(", ")})`;
}

function pick(
  name: string,
  wgsl: Exclude<WgslByDType, WgslExpression>,
  dtype: ComputedDType | undefined,
): WgslFunction {
  if (isFunction(wgsl)) return wgsl;
  const found = dtype === undefined ? undefined : wgsl[dtype];
  if (found !== undefined) return found;
  throw new DtypeError(
    `${name}: does not take ${dtype ?? "nothing"}; it takes ${Object.keys(wgsl).join(", ")}; convert with astype()`,
  );
}

function isFunction(wgsl: Exclude<WgslByDType, WgslExpression>): wgsl is WgslFunction {
  return "source" in wgsl;
}
