import { planScatter } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import { ArgumentError } from "../errors.ts";
import type { KernelOp } from "../op.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at, isIdentity } from "../view.ts";
import { only, spreadBatch } from "./batching.ts";
import { convert } from "./convert.ts";
import { broadcastedIota, literal } from "./create.ts";
import { add, div, equal, greaterEqual, less, logicalAnd, mul, where } from "./elementwise.ts";
import { gatherRows } from "./indexing.ts";
import { reshape } from "./movement.ts";

/** How an update meets what is there. */
export type ScatterCombine = "add" | "set" | "mul" | "max" | "min";

interface ScatterAttrs {
  readonly combine: ScatterCombine;
  /** The caller says that no row is named twice. */
  readonly unique: boolean;
}

/**
 * base [rows, …inner] with updates [k, …inner] merged into the rows that index [k] (int32) names, in ascending k; an
 * index outside [0, rows) is dropped. Fixed order, no atomics: results repeat bit for bit.
 */
const scatterOp: KernelOp<ScatterAttrs> = {
  kind: "kernel",
  name: "scatter",
  workspaceDType: "uint32",
  infer: ([, , base]) => ({ shape: base?.shape ?? [], dtype: base?.dtype ?? "float32", weak: base?.weak ?? false }),
  accepts: isIdentity,
  plan: ([updates, , base], { combine }, limits) => {
    if (updates === undefined || base === undefined) return [];
    const { shape, dtype } = base.aval;
    const inner = sizeOf(shape.slice(1));
    const size = { outer: 1, rows: at(shape, 0), take: at(updates.aval.shape, 0), inner, vector: inner % 4 === 0 };
    const rule = { along: false, mode: "fill", fromEnd: false, indexDType: "int32", base: true } as const;
    return planScatter({ ...size, ...rule, dtype, combine }, limits);
  },
  vjp: ({ inputs: [updates, index, base], output, attrs, needs }, ct) => {
    const [u, i, x] = [only("scatter", updates), only("scatter", index), only("scatter", base)];
    const pull = pulls[attrs.combine]({ updates: u, index: i, base: x, output, unique: attrs.unique }, ct);
    return [needs[0] === true ? pull.updates() : undefined, undefined, needs[2] === true ? pull.base() : undefined];
  },
  batch: (inputs, batched, attrs) => {
    const [updates, index, base] = spreadBatch(inputs, batched).map((one) => only("scatter", one));
    if (updates === undefined || index === undefined || base === undefined)
      throw new Error("jnx internal error: scatter needs three operands");
    // The examples' rows one after the other, each index moved to its example's.
    const [count = 1, rows = 1, ...inner] = base.shape;
    const inside = logicalAnd(greaterEqual(index, 0), less(index, rows));
    const own = where(inside, add(index, mul(broadcastedIota("int32", [count, 1], 0), rows)), count * rows);
    const merged = bind(
      scatterOp,
      [reshape(updates, [-1, ...inner]), reshape(own, [-1]), reshape(base, [count * rows, ...inner])],
      attrs,
    );
    return reshape(merged, base.shape);
  },
};

interface Parts {
  readonly updates: Tensor;
  readonly index: Tensor;
  readonly base: Tensor;
  readonly output: Tensor;
  readonly unique: boolean;
}

type Pull = (parts: Parts, ct: Tensor) => { updates(): Tensor; base(): Tensor };

/** Equal extremes share the cotangent, as JAX has it. */
const extreme: Pull = ({ updates, index, base, output }, ct) => {
  const kept = convert(equal(base, output), ct.dtype);
  const won = convert(equal(updates, gatherRows(output, index)), ct.dtype);
  const each = (): Tensor => div(ct, scatter("add", kept, index, won));
  return { updates: () => mul(won, gatherRows(each(), index)), base: () => mul(kept, each()) };
};

const pulls: Record<ScatterCombine, Pull> = {
  add: ({ index }, ct) => ({ updates: () => gatherRows(ct, index), base: () => ct }),
  set: ({ updates, index, base, unique }, ct) => ({
    updates: () => {
      const taken = gatherRows(ct, index);
      return unique ? taken : where(lastOf(updates, index, base), taken, 0);
    },
    base: () => scatter("set", ct, index, literal(0, updates.shape, ct.dtype), true),
  }),
  mul: ({ updates, index, base, unique }, ct) => ({
    updates: () => {
      if (!unique)
        throw new ArgumentError(
          "at().mul: the factors have a gradient only where no element is named twice; say so with { uniqueIndices: true }",
        );
      return mul(gatherRows(ct, index), gatherRows(base, index));
    },
    base: () => mul(ct, scatter("mul", literal(1, base.shape, base.dtype), index, updates, unique)),
  }),
  max: extreme,
  min: extreme,
};

/** Which updates are the last of their row: the others are overwritten. */
function lastOf(updates: Tensor, index: Tensor, base: Tensor): Tensor {
  const place = broadcastedIota("int32", [at(index.shape, 0)], 0);
  const last = scatter("set", literal(-1, [at(base.shape, 0)], "int32"), index, place);
  return reshape(equal(gatherRows(last, index), place), [-1, ...updates.shape.slice(1).map(() => 1)]);
}

/** base with updates merged into rows; shapes are the caller's to check. */
export function scatter(combine: ScatterCombine, base: Tensor, index: Tensor, updates: Tensor, unique = false): Tensor {
  if (updates.size === 0 || base.size === 0) return base;
  return bind(scatterOp, [updates, index, base], { combine, unique });
}
