import { planMatmul, type MatmulOperand, type Stage } from "@jnx/kernels-wgsl";
import { bind, runsOpByOp } from "../dispatch.ts";
import { evaluateThen } from "../eager.ts";
import { ShapeError } from "../errors.ts";
import type { ComputedAval, KernelOp } from "../op.ts";
import { checkOptions } from "../options.ts";
import { broadcastShapes, shapeText, sizeOf, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at, contiguousView, type View } from "../view.ts";
import { DOT_OPTIONS, dotDTypes, type DotOptions } from "./contraction.ts";
import { convert } from "./convert.ts";
import { asTensor, type TensorLike } from "./create.ts";
import { add } from "./elementwise.ts";
import { broadcastTo, reshape, swapaxes } from "./movement.ts";

/** How a matrix operand lies, if a kernel can walk it: one of its last two axes must be contiguous, none reversed. */
function operandOf(view: View): MatmulOperand | undefined {
  const { shape, strides, offset } = view;
  const rank = shape.length;
  const [rows, cols] = [at(shape, rank - 2), at(shape, rank - 1)];
  const [down, across] = [at(strides, rank - 2), at(strides, rank - 1)];
  if (strides.some((stride) => stride < 0)) return undefined;
  const batchStrides = strides.slice(0, -2);
  if (across === 1 || cols === 1) return { trans: false, rowStride: rows === 1 ? cols : down, batchStrides, offset };
  if (down === 1 || rows === 1) return { trans: true, rowStride: across, batchStrides, offset };
  return undefined;
}

const matmulOp: KernelOp<undefined> = {
  kind: "kernel",
  name: "matmul",
  infer: ([a, b]) => ({
    shape: a && b ? [...a.shape.slice(0, -1), at(b.shape, b.shape.length - 1)] : [],
    dtype: a?.dtype ?? "float32",
    weak: false,
  }),
  accepts: (view) => operandOf(view) !== undefined,
  plan: ([a, b], _attrs, limits) => {
    if (a === undefined || b === undefined) return [];
    const rank = a.aval.shape.length;
    const spec = {
      m: at(a.aval.shape, rank - 2),
      k: at(a.aval.shape, rank - 1),
      n: at(b.aval.shape, rank - 1),
      batch: a.aval.shape.slice(0, -2),
      a: operandOf(a.view) ?? contiguousOperand(a.aval.shape),
      b: operandOf(b.view) ?? contiguousOperand(b.aval.shape),
      dtype: numeric(a.aval),
    };
    const usual = (stage: Stage): readonly number[] => (stage.reads === "operands" ? [0, 1] : []);
    return planMatmul(spec, limits).map((stage) => ({ ...stage, operands: stage.operands ?? usual(stage) }));
  },
  flops: ([a, b]) => (a && b ? 2 * sizeOf(a.shape) * at(b.shape, b.shape.length - 1) : 0),
  vjp: ({ inputs: [a, b], needs }, ct) =>
    a === undefined || b === undefined
      ? []
      : [
          needs[0] ? multiply(ct, swapaxes(b, -1, -2)) : undefined,
          needs[1] ? multiply(swapaxes(a, -1, -2), ct) : undefined,
        ],
  jvp: ({ inputs: [a, b] }, [da, db]) => {
    const left = da && b && multiply(da, b);
    const right = a && db && multiply(a, db);
    return left && right ? add(left, right) : (left ?? right);
  },
  // Leading axes align from the right, so that the operand without the batch needs nothing.
  batch: ([a, b]) => {
    if (a === undefined || b === undefined) throw new ShapeError("matmul: needs two operands");
    return b.ndim === 2 ? stacked(a, b) : batched(a, b);
  },
};

function contiguousOperand(shape: Shape): MatmulOperand {
  return (
    operandOf(contiguousView(shape)) ?? {
      trans: false,
      rowStride: at(shape, shape.length - 1),
      batchStrides: [],
      offset: 0,
    }
  );
}

function numeric({ dtype }: ComputedAval): "float32" | "int32" | "uint32" {
  return dtype === "bool" ? "int32" : dtype;
}

/** Options of `matmul`. */
export type MatmulOptions = DotOptions;

/** Both operands of equal rank ≥ 2 and equal batch axes. */
function multiply(a: Tensor, b: Tensor): Tensor {
  return bind(matmulOp, [a, b], undefined);
}

/**
 * The matrix product over the last two axes: [..., m, k] × [..., k, n] → [..., m, n]. One-dimensional operands are
 * rows on the left and columns on the right, and lose that axis in the result; batch axes broadcast. Transposed and
 * broadcast operands are read as they lie. Sums are float32; of bools, any. Source: jnp.matmul.
 *
 * @throws ShapeError when the inner dimensions differ or an operand is a scalar, ArgumentError for an unknown precision.
 * @example
 * await matmul(array([[1, 2], [3, 4]]), array([1, 1])).toArray(); // [3, 7]
 */
export function matmul(x: TensorLike, y: TensorLike, options: MatmulOptions = {}): Tensor {
  checkOptions("matmul", options, DOT_OPTIONS);
  const [left, right] = [asTensor(x, "matmul"), asTensor(y, "matmul")];
  if (left.ndim === 0 || right.ndim === 0)
    throw new ShapeError(
      `matmul: takes arrays of one axis or more, received ${shapeText(left.shape)} x ${shapeText(right.shape)}; use mul for scalars`,
    );
  const { compute: dtype, result: common } = dotDTypes("matmul", [left, right], options);
  const a = convert(left.ndim === 1 ? reshape(left, [1, left.size]) : left, dtype);
  const b = convert(right.ndim === 1 ? reshape(right, [right.size, 1]) : right, dtype);
  const [k, other] = [at(a.shape, a.ndim - 1), at(b.shape, b.ndim - 2)];
  if (k !== other)
    throw new ShapeError(
      `matmul: inner dimensions differ, ${shapeText(left.shape)} x ${shapeText(right.shape)} (${k} against ${other})`,
    );
  const result = b.ndim === 2 ? stacked(a, b) : batched(a, b);
  const drop = [...(left.ndim === 1 ? [result.ndim - 2] : []), ...(right.ndim === 1 ? [result.ndim - 1] : [])];
  return convert(
    reshape(
      result,
      result.shape.filter((_, axis) => !drop.includes(axis)),
    ),
    common,
  );
}

/**
 * x · matrix + row, each row of the product with it: x [..., m, k], matrix [k, n], row [n]. What nobody traces is one launch
 * instead of two.
 */
export function matmulAdd(x: Tensor, matrix: Tensor, row: Tensor): Tensor {
  const stored = ({ payload, dtype }: Tensor): boolean => payload.kind === "device" && dtype === "float32";
  const fits = x.ndim >= 2 && matrix.ndim === 2 && row.ndim === 1 && row.dtype === "float32";
  if (runsOpByOp() || !fits || ![x, matrix].every(stored) || row.payload.kind === "symbolic")
    return add(matmul(x, matrix), row);
  const [k, n, size] = [at(x.shape, x.ndim - 1), at(matrix.shape, 1), sizeOf(x.shape)];
  if (k !== matrix.shape[0] || row.size !== n || size * n === 0) return add(matmul(x, matrix), row);
  const rows = x.ndim === 2 ? x : reshape(x, [size / k, k]);
  const sum = evaluateThen(matmulOp, [rows, matrix], undefined, add.op, broadcastTo(row, [at(rows.shape, 0), n]));
  return x.ndim === 2 ? sum : reshape(sum, [...x.shape.slice(0, -1), n]);
}

/** A plain matrix on the right: all batches of the left are rows of one product. */
function stacked(a: Tensor, b: Tensor): Tensor {
  if (a.ndim === 2) return multiply(a, b);
  const rows = reshape(a, [sizeOf(a.shape.slice(0, -1)), at(a.shape, a.ndim - 1)]);
  return reshape(multiply(rows, b), [...a.shape.slice(0, -1), at(b.shape, 1)]);
}

function batched(a: Tensor, b: Tensor): Tensor {
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const spread = (x: Tensor): Tensor => broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
  if (batch.length <= MAX_BATCH_AXES) return multiply(spread(a), spread(b));
  const joined = joinedBatch(batch, a, b);
  const join = (x: Tensor): Tensor => reshape(spread(x), [...joined, ...x.shape.slice(-2)]);
  const product = multiply(join(a), join(b));
  return reshape(product, [...batch, ...product.shape.slice(-2)]);
}

/** Batch axes a kernel can walk, whatever their strides. */
const MAX_BATCH_AXES = 3;

/**
 * Batch axes joined to three at most: neighbours that both operands have, or that the same one broadcasts, cost nothing
 * to join; beyond that the outermost are joined, and the operand that broadcasts one of them is copied.
 */
function joinedBatch(batch: Shape, a: Tensor, b: Tensor): number[] {
  const groups: { extent: number; kind: string }[] = [];
  batch.forEach((extent, axis) => {
    if (extent === 1) return;
    const has = ({ shape }: Tensor): boolean => shape[axis - batch.length - 2 + shape.length] === extent;
    const kind = `${has(a)} ${has(b)}`;
    const last = groups.at(-1);
    if (last?.kind === kind) last.extent *= extent;
    else groups.push({ extent, kind });
  });
  const extents = groups.map((group) => group.extent);
  while (extents.length > MAX_BATCH_AXES) extents.splice(0, 2, at(extents, 0) * at(extents, 1));
  return extents;
}
