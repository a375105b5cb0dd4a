import { planArgReduce } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { ShapeError } from "../errors.ts";
import { widthOf } from "../lower/space.ts";
import type { KernelOp } from "../op.ts";
import { normalizeAxis, reducedShape, shapeText, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { reshape } from "./movement.ts";
import { checkOptions } from "../options.ts";

export const ARG_OPTIONS = { axis: true, keepdims: "flag" } as const;

interface ArgAttrs {
  readonly axis: number;
}

function argOp(arg: "max" | "min"): KernelOp<ArgAttrs> {
  const op: KernelOp<ArgAttrs> = {
    kind: "kernel",
    name: `arg${arg}`,
    workspaceDType: "uint32",
    infer: ([x], { axis }) => ({ shape: x ? reducedShape(x.shape, [axis], false) : [], dtype: "int32", weak: false }),
    accepts: () => true,
    plan: ([x], { axis }, limits) => {
      if (x === undefined) return [];
      const { shape, dtype } = x.aval;
      const inner = sizeOf(shape.slice(axis + 1));
      const vector =
        widthOf(shape, [{ kind: "load", slot: 0, dtype, view: x.view }]) === 4 &&
        (inner === 1 ? at(shape, axis) : inner) % 4 === 0;
      const spec = { arg, dtype, outer: sizeOf(shape.slice(0, axis)), reduce: at(shape, axis), inner, vector };
      return planArgReduce(spec, limits).map((stage) =>
        stage.reads === "operands" ? { ...stage, operands: [], loads: 0 } : { ...stage, operands: [] },
      );
    },
    vjp: "nondifferentiable",
    batch: (inputs, _batched, { axis }) => bind(op, inputs, { axis: axis + 1 }),
  };
  return op;
}

const argmaxOp = /* @__PURE__ */ argOp("max");
const argminOp = /* @__PURE__ */ argOp("min");

export interface ArgOptions {
  /** The axis to search; without it, x is flattened first. */
  readonly axis?: number | null;
  readonly keepdims?: boolean;
}

function choose(op: KernelOp<ArgAttrs>, x: TensorLike, options: ArgOptions): Tensor {
  const source = asTensor(x, op.name);
  const along = options.axis ?? undefined;
  const tensor = along === undefined ? reshape(source, [-1]) : source;
  const axis = normalizeAxis(op.name, along ?? 0, tensor.ndim);
  if (at(tensor.shape, axis) === 0)
    throw new ShapeError(`${op.name}: nothing to choose from along axis ${axis} of ${shapeText(source.shape)}`);
  const chosen = bind(op, [tensor], { axis });
  if (options.keepdims !== true) return chosen;
  return reshape(chosen, along === undefined ? source.shape.map(() => 1) : reducedShape(tensor.shape, [axis], true));
}

/**
 * The index of the largest element, int32; the first of equals, NaN before all. Source: jnp.argmax.
 *
 * @throws ShapeError when there is nothing to choose from, or the axis is out of range.
 * @example await argmax(array([[1, 5, 5], [2, 0, 1]]), { axis: 1 }).toArray(); // [1, 0]
 */
export function argmax(x: TensorLike, options: ArgOptions = {}): Tensor {
  checkOptions("argmax", options, ARG_OPTIONS);
  return choose(argmaxOp, x, options);
}

/**
 * The index of the smallest element, int32; the first of equals, NaN before all. Source: jnp.argmin.
 *
 * @throws ShapeError when there is nothing to choose from, or the axis is out of range.
 * @example await argmin(array([[1, 5, 5], [2, 0, 1]]), { axis: 1 }).toArray(); // [0, 1]
 */
export function argmin(x: TensorLike, options: ArgOptions = {}): Tensor {
  checkOptions("argmin", options, ARG_OPTIONS);
  return choose(argminOp, x, options);
}
