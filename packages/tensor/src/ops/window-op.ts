import { planWindowChoice, planWindowReduce, type Triple, type WindowSpec } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { widthOf } from "../lower/space.ts";
import type { KernelOp, KernelOperand } from "../op.ts";
import { sizeOf, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at, isIdentity } from "../view.ts";
import { broadcastTo } from "./movement.ts";
import { dilated, positions, type PadPair } from "./padding.ts";

/** A window over every axis; where it is 1 with stride 1 and no padding the axis is left alone. */
export interface WindowAttrs {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly padding: readonly PadPair[];
  readonly baseDilation: readonly number[];
  readonly windowDilation: readonly number[];
}

export type WindowCombine = "sum" | "max" | "min";

export function windowShape(shape: Shape, attrs: WindowAttrs): Shape {
  return shape.map((extent, k) => {
    const [low, high] = at(attrs.padding, k);
    const room = dilated(extent, at(attrs.baseDilation, k)) + low + high;
    return positions(room, dilated(at(attrs.window, k), at(attrs.windowDilation, k)), at(attrs.strides, k));
  });
}

/** The axes that windows move over. */
export function activeAxes(attrs: WindowAttrs): readonly number[] {
  return attrs.window.flatMap((extent, k) => {
    const still = [extent, at(attrs.strides, k), at(attrs.baseDilation, k)].every((n) => n === 1);
    return still && at(attrs.padding, k).every((n) => n === 0) ? [] : [k];
  });
}

/** How many neighbouring axes one kernel walks. */
export const MOST_AXES = 3;

type Pick3 = (values: readonly number[], missing: number) => Triple;

/** Three axes that hold the active ones; all before them is outer, all after them inner. */
function axesOf(attrs: WindowAttrs): { readonly begin: number; readonly end: number; readonly pick: Pick3 } {
  const active = activeAxes(attrs);
  const end = (active.at(-1) ?? attrs.window.length - 1) + 1;
  const begin = Math.min(active[0] ?? end, end);
  const pick: Pick3 = (values, missing) => {
    const some = values.slice(begin, end);
    return [some.at(-3) ?? missing, some.at(-2) ?? missing, some.at(-1) ?? missing];
  };
  return { begin, end, pick };
}

function specOf(shape: Shape, dtype: WindowSpec["dtype"], attrs: WindowAttrs, readable: boolean): WindowSpec {
  const { begin, end, pick } = axesOf(attrs);
  const inner = sizeOf(shape.slice(end));
  return {
    dtype,
    outer: sizeOf(shape.slice(0, begin)),
    inner,
    extent: pick(shape, 1),
    out: pick(windowShape(shape, attrs), 1),
    window: pick(attrs.window, 1),
    strides: pick(attrs.strides, 1),
    low: pick(
      attrs.padding.map(([low]) => low),
      0,
    ),
    windowDilation: pick(attrs.windowDilation, 1),
    vector: readable && inner % 4 === 0,
  };
}

function numeric({ aval }: KernelOperand): WindowSpec["dtype"] {
  return aval.dtype === "bool" ? "int32" : aval.dtype;
}

/** The windows of a batch: another axis in front, which they leave alone. */
function batched(attrs: WindowAttrs): WindowAttrs {
  return {
    window: [1, ...attrs.window],
    strides: [1, ...attrs.strides],
    padding: [[0, 0], ...attrs.padding],
    baseDilation: [1, ...attrs.baseDilation],
    windowDilation: [1, ...attrs.windowDilation],
  };
}

function reduceOp(combine: WindowCombine): KernelOp<WindowAttrs> {
  return {
    kind: "kernel",
    name: `reduce_window_${combine}`,
    infer: ([x], attrs) => ({
      shape: windowShape(x?.shape ?? [], attrs),
      dtype: x?.dtype ?? "float32",
      weak: x?.weak ?? false,
    }),
    // The operand is read through a hook, which walks any view.
    accepts: () => true,
    plan: ([x], attrs, limits) => {
      if (x === undefined) return [];
      const { shape, dtype } = x.aval;
      const wide = widthOf(shape, [{ kind: "load", slot: 0, dtype, view: x.view }]) === 4;
      const baseDilation = axesOf(attrs).pick(attrs.baseDilation, 1);
      const spec = { ...specOf(shape, numeric(x), attrs, wide), combine, baseDilation };
      return planWindowReduce(spec, limits).map((stage) => ({ ...stage, operands: [], loads: 0 }));
    },
    vjp: ({ inputs: [x], attrs }, ct) => {
      if (x === undefined) return [];
      if (combine === "sum") return [sumCotangent(x.shape, ct, attrs)];
      return [bind(choiceOp("scatter", combine), [x, ct], attrs)];
    },
    jvp: ({ inputs: [x], attrs }, [dx]) => {
      if (x === undefined || dx === undefined) return undefined;
      return combine === "sum" ? reduceOver("sum", dx, attrs) : bind(choiceOp("gather", combine), [x, dx], attrs);
    },
    batch: ([x], _batched, attrs) => {
      if (x === undefined) throw new Error(`jnx internal error: reduce_window_${combine} takes an operand`);
      return reduceOver(combine, x, batched(attrs));
    },
  };
}

/** A windowed sum of the cotangent, dilated by the strides: the transpose of the sum over x. */
function sumCotangent(shape: Shape, ct: Tensor, attrs: WindowAttrs): Tensor {
  const padding = shape.map((extent, k): PadPair => {
    const window = dilated(at(attrs.window, k), at(attrs.windowDilation, k));
    const before = window - at(attrs.padding, k)[0] - 1;
    const x = dilated(extent, at(attrs.baseDilation, k));
    return [before, x + window - 1 - dilated(at(ct.shape, k), at(attrs.strides, k)) - before];
  });
  return reduceOver("sum", ct, { ...attrs, padding, strides: attrs.baseDilation, baseDilation: attrs.strides });
}

/**
 * Which element each window of x chose, as a linear map: "gather" takes g of x's shape to its chosen elements, "scatter"
 * is its transpose. Neither depends on x smoothly.
 */
function makeChoiceOp(form: "gather" | "scatter", arg: "max" | "min"): KernelOp<WindowAttrs> {
  const back = form === "gather" ? "scatter" : "gather";
  return {
    kind: "kernel",
    name: `select_and_${form}_${arg}`,
    infer: ([x, other], attrs) => ({
      shape: form === "gather" ? windowShape(x?.shape ?? [], attrs) : (x?.shape ?? []),
      dtype: other?.dtype ?? "float32",
      weak: false,
    }),
    accepts: (view) => isIdentity(view),
    plan: ([x], attrs, limits) => {
      if (x === undefined) return [];
      const spec = { ...specOf(x.aval.shape, numeric(x), attrs, true), arg, form };
      return planWindowChoice(spec, limits).map((stage) => ({ ...stage, operands: [0, 1] }));
    },
    vjp: ({ inputs: [x], attrs, needs }, ct) => [
      undefined,
      x !== undefined && needs[1] === true ? bind(choiceOp(back, arg), [x, ct], attrs) : undefined,
    ],
    jvp: ({ inputs: [x], attrs }, [, d]) => (x && d ? bind(choiceOp(form, arg), [x, d], attrs) : undefined),
    batch: ([x, other], [xBatched, otherBatched], attrs) => {
      if (x === undefined || other === undefined)
        throw new Error(`jnx internal error: select_and_${form} takes two operands`);
      const examples = at(xBatched === true ? x.shape : other.shape, 0);
      const all = [
        xBatched === true ? x : spread(x, examples),
        otherBatched === true ? other : spread(other, examples),
      ];
      return bind(choiceOp(form, arg), all, batched(attrs));
    },
  };
}

function spread(x: Tensor, examples: number): Tensor {
  return broadcastTo(x, [examples, ...x.shape]);
}

const REDUCE = /* @__PURE__ */ (() => ({ sum: reduceOp("sum"), max: reduceOp("max"), min: reduceOp("min") }))();
const CHOICE = /* @__PURE__ */ (() => ({
  gather: { max: makeChoiceOp("gather", "max"), min: makeChoiceOp("gather", "min") },
  scatter: { max: makeChoiceOp("scatter", "max"), min: makeChoiceOp("scatter", "min") },
}))();

function choiceOp(form: "gather" | "scatter", arg: "max" | "min"): KernelOp<WindowAttrs> {
  return CHOICE[form][arg];
}

/** A windowed reduction over at most MOST_AXES neighbouring axes. */
export function reduceOver(combine: WindowCombine, x: Tensor, attrs: WindowAttrs): Tensor {
  return bind(REDUCE[combine], [x], attrs);
}
