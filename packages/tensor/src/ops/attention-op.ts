import {
  planAttention,
  planAttentionGradient,
  type AttentionExtra,
  type AttentionOperand,
  type AttentionRole,
  type AttentionSpec,
} from "@jnx/kernels-wgsl";
import { bindCall, type CallOp } from "../call.ts";
import { bind } from "../dispatch.ts";
import type { KernelOp, KernelOperand } from "../op.ts";
import { sizeOf, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at, isContiguous, type View } from "../view.ts";
import { biasGradient, gradientRule, turned, turnedBack } from "./attention-tables.ts";
import { batchSize } from "./batching.ts";
import { convert } from "./convert.ts";
import { mul, sub, where } from "./elementwise.ts";
import { concatenate, stack } from "./join.ts";
import { broadcastTo, laxSlice, reshape, transpose } from "./movement.ts";
import { sum } from "./reduce.ts";

/**
 * Attention by tiles. Operands, padded to multiples of four queries and keys: q [batch, rows, heads, depth], kt
 * [batch, keyHeads, depth, columns], v [batch, columns, keyHeads, depth], then bias (float32) and mask (bool), which broadcast
 * to [batch, heads, rows, columns] by axes of extent 1.
 */
export interface AttentionAttrs {
  /** Queries and keys that are real. */
  readonly queries: number;
  readonly keys: number;
  readonly scale: number;
  readonly left: number;
  readonly right: number;
  readonly bias: boolean;
  readonly mask: boolean;
}

interface ForwardAttrs extends AttentionAttrs {
  /** Whether the result is one array of float32: y, then the logarithm of each query's sum, [batch, heads, rows]. */
  readonly saves: boolean;
}

export interface GradientAttrs extends AttentionAttrs {
  readonly role: AttentionRole;
}

/** A view's strides; an axis of one element has none. */
function stridesOf({ shape, strides }: View): number[] {
  return shape.map((extent, axis) => (extent === 1 ? 0 : at(strides, axis)));
}

/** Lines that a kernel reads in scalars, or in aligned vec4s. */
function isWalkable(view: View, width: 1 | 4): boolean {
  const strides = stridesOf(view);
  const last = strides.pop() ?? 1;
  return (
    (last === 1 || at(view.shape, view.shape.length - 1) === 1) &&
    strides.every((stride) => stride >= 0 && stride % width === 0) &&
    view.offset % width === 0
  );
}

/** [batch, lines, heads, …] or, turned, [batch, heads, lines, …]. */
function operandOf({ view }: KernelOperand, isTurned: boolean): AttentionOperand {
  const [batch = 0, second = 0, third = 0] = stridesOf(view);
  const [line, head] = isTurned ? [third, second] : [second, third];
  return { base: view.offset, batch, line, head };
}

function extraOf(operands: readonly KernelOperand[], operand: number): AttentionExtra {
  const { view } = at(operands, operand);
  const [batch = 0, head = 0, row = 0, column = 0] = stridesOf(view);
  return { operand, base: view.offset, batch, head, row, column };
}

/** Bias and mask among the operands, which follow the op's first `from`. */
function extrasOf(
  operands: readonly KernelOperand[],
  from: number,
  { bias, mask }: AttentionAttrs,
): Pick<AttentionSpec, "bias" | "mask"> {
  return {
    ...(bias && { bias: extraOf(operands, from) }),
    ...(mask && { mask: extraOf(operands, from + (bias ? 1 : 0)) }),
  };
}

const forwardOp: KernelOp<ForwardAttrs> = {
  kind: "kernel",
  name: "attention",
  infer: ([q], { saves }) => {
    const shape = q?.shape ?? [];
    const [batch = 0, rows = 0, heads = 0] = shape;
    return saves
      ? { shape: [sizeOf(shape) + batch * heads * rows], dtype: "float32", weak: false }
      : { shape, dtype: q?.dtype ?? "float32", weak: false };
  },
  accepts: (view, operand) =>
    operand < 3 ? isWalkable(view, operand === 0 ? 1 : 4) : !view.strides.some((s) => s < 0),
  plan: (operands, attrs, limits) => {
    const [q, kt, v] = [at(operands, 0), at(operands, 1), at(operands, 2)];
    const [batch = 0, rows = 0, heads = 0, depth = 0] = q.aval.shape;
    const [, columns = 0, keyHeads = 0] = v.aval.shape;
    const { saves, queries, keys, scale, left, right } = attrs;
    const sizes = { batch, heads, keyHeads, rows, columns, queries, keys, depth, scale, left, right, saves };
    const lies = { q: operandOf(q, false), k: operandOf(kt, true), v: operandOf(v, false) };
    return planAttention({ ...sizes, ...lies, ...extrasOf(operands, 3, attrs) }, limits);
  },
  vjp: ({ inputs, output, attrs, needs }, ct) => {
    const packed = attrs.saves ? output : bind(forwardOp, inputs, { ...attrs, saves: true });
    if (!attrs.saves) return gradients(inputs, packed, ct, undefined, attrs, needs);
    const q = at(inputs, 0);
    return gradients(inputs, packed, resultOf(ct, q.shape), sumsOf(ct, q.shape), attrs, needs);
  },
  batch: (inputs, batched, attrs) => {
    const size = batchSize(inputs, batched);
    const joined = joinBatch(inputs, batched, size);
    const result = bind(forwardOp, joined, attrs);
    const { shape } = at(joined, 0);
    const apart = (x: Tensor): Tensor => reshape(x, [size, x.size / size]);
    if (!attrs.saves) return split(result, size);
    return concatenate([apart(resultOf(result, shape)), apart(sumsOf(result, shape))], { axis: 1 });
  },
};

/** y of what `saves` packs, [batch, rows, heads, depth] = shape. */
function resultOf(packed: Tensor, shape: Shape): Tensor {
  return reshape(laxSlice(packed, [0], [sizeOf(shape)]), shape);
}

/** The sums' logarithms, [batch, heads, rows]. */
function sumsOf(packed: Tensor, shape: Shape): Tensor {
  const [batch = 0, rows = 0, heads = 0] = shape;
  return reshape(laxSlice(packed, [sizeOf(shape)], [packed.size]), [batch, heads, rows]);
}

/**
 * The cotangents of the forward op's operands, from those of y and of the sums. The weights are computed again tile by tile; a
 * bias, whose gradient is as large as they are, gets them in one piece.
 */
function gradients(
  inputs: readonly Tensor[],
  packed: Tensor,
  dy: Tensor,
  dSums: Tensor | undefined,
  attrs: AttentionAttrs,
  needs: readonly boolean[],
): (Tensor | undefined)[] {
  const [q, kt, v] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
  const { shape } = q;
  const along = transpose(sum(mul(dy, resultOf(packed, shape)), { axis: -1 }), [0, 2, 1]);
  const stats = stack([sumsOf(packed, shape), dSums === undefined ? along : sub(along, dSums)]);
  const [bias, mask] = [attrs.bias ? inputs[3] : undefined, attrs.mask ? inputs.at(-1) : undefined];
  // A gradient's kernel binds as many arrays as WebGPU promises: a bias says itself where nothing is to be seen.
  const extra = bias && mask ? where(mask, bias, NaN) : (bias ?? mask);
  const own = { ...attrs, mask: attrs.mask && !attrs.bias };
  const gradient = (role: AttentionRole, operands: readonly Tensor[]): Tensor =>
    bind(gradientOp, [...operands, stats, ...(extra === undefined ? [] : [extra])], { ...own, role });
  const k = turnedBack(kt);
  const [qt, dyt] = [turned(q), turned(dy)];
  return [
    needs[0] === true ? gradient("query", [q, kt, dy, turned(v), k]) : undefined,
    needs[1] === true ? turned(gradient("key", [k, qt, v, dyt, q])) : undefined,
    needs[2] === true ? gradient("value", [k, qt, k, qt, dy]) : undefined,
    ...(bias ? [needs[3] === true ? biasGradient({ q, k, v, dy, stats, bias, mask }, attrs) : undefined] : []),
    ...(mask ? [undefined] : []),
  ];
}

/** One gradient; operands a, b, a2, b2, c as the kernel has them, the sums and deltas [2, batch, heads, rows], bias or mask. */
const gradientOp: KernelOp<GradientAttrs> = {
  kind: "kernel",
  name: "attention_gradient",
  infer: ([a]) => ({ shape: a?.shape ?? [], dtype: a?.dtype ?? "float32", weak: false }),
  accepts: (view, operand) => {
    if (operand === 5) return isContiguous(view) && view.offset % 4 === 0;
    if (operand > 5) return !view.strides.some((stride) => stride < 0);
    return isWalkable(view, operand === 0 || operand === 2 ? 1 : 4);
  },
  plan: (operands, attrs, limits) => {
    const [a, bt, a2, b2t, c] = operands;
    if (!a || !bt || !a2 || !b2t || !c) return [];
    const { role, queries, keys, scale, left, right } = attrs;
    const [q, k] = role === "query" ? [a, c] : [c, a];
    const [batch = 0, rows = 0, heads = 0, depth = 0] = q.aval.shape;
    const [, columns = 0, keyHeads = 0] = k.aval.shape;
    const sizes = { role, batch, heads, keyHeads, rows, columns, queries, keys, depth, scale, left, right };
    const lies = { a: operandOf(a, false), b: operandOf(bt, true), c: operandOf(c, false) };
    const second = { a2: operandOf(a2, false), b2: operandOf(b2t, true) };
    return planAttentionGradient({ ...sizes, ...lies, ...second, ...extrasOf(operands, 6, attrs) }, limits);
  },
  vjp: ({ inputs, attrs, needs }, ct) => gradientRule(inputs, attrs, ct, needs),
  batch: (inputs, batched, attrs) => {
    const size = batchSize(inputs, batched);
    const stats = joinSums(at(inputs, 5), batched[5] === true, size);
    const apart = (_: unknown, k: number): boolean => k !== 5;
    const joined = joinBatch(inputs.filter(apart), batched.filter(apart), size, 5);
    return split(bind(gradientOp, [...joined.slice(0, 5), stats, ...joined.slice(5)], attrs), size);
  },
};

/** The examples of a vmap beside those of the batch, in operands with the batch in front; what has but one may stay. */
function joinBatch(inputs: readonly Tensor[], batched: readonly boolean[], size: number, fixed = 3): Tensor[] {
  const own = at(at(inputs, 0).shape, batched[0] === true ? 1 : 0);
  return inputs.map((x, k) => {
    const [first = 1, ...rest] = batched[k] === true ? x.shape.slice(1) : x.shape;
    if (batched[k] !== true && first === 1 && k >= fixed) return x;
    const spread = batched[k] === true ? x : broadcastTo(x, [size, ...x.shape]);
    return reshape(broadcastTo(spread, [size, own, ...rest]), [size * own, ...rest]);
  });
}

/** Sums and deltas have the batch behind. */
function joinSums(stats: Tensor, isBatched: boolean, size: number): Tensor {
  const spread = isBatched ? stats : broadcastTo(stats, [size, ...stats.shape]);
  const [, , batch = 0, heads = 0, rows = 0] = spread.shape;
  return reshape(transpose(spread, [1, 0, 2, 3, 4]), [2, size * batch, heads, rows]);
}

function split(x: Tensor, size: number): Tensor {
  const [all = 0, ...rest] = x.shape;
  return reshape(x, [size, all / size, ...rest]);
}

/** softmax(q kᵀ scale + bias) v by tiles. What is needed for the way back is kept only where a tape asks. */
export function tiledAttention(inputs: readonly Tensor[], attrs: AttentionAttrs): Tensor {
  const call: CallOp = {
    name: "dotProductAttention",
    run: (operands) => [bind(forwardOp, operands, { ...attrs, saves: false })],
    vjp: (operands, needs) => {
      const packed = bind(forwardOp, operands, { ...attrs, saves: true });
      const q = at(operands, 0);
      return {
        outputs: [convert(resultOf(packed, q.shape), q.dtype)],
        residuals: [...operands, packed],
        pull: ([dy]) => (dy === undefined ? [] : gradients(operands, packed, dy, undefined, attrs, needs)),
      };
    },
  };
  return at(bindCall(call, inputs), 0);
}

/** The same, and the logarithms of the sums of weights, [batch, heads, rows] in float32. */
export function tiledAttentionWithSums(inputs: readonly Tensor[], attrs: AttentionAttrs): readonly [Tensor, Tensor] {
  const packed = bind(forwardOp, inputs, { ...attrs, saves: true });
  const { shape, dtype } = at(inputs, 0);
  return [convert(resultOf(packed, shape), dtype), sumsOf(packed, shape)];
}
