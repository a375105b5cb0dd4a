import { bindCall, type CallOp } from "../call.ts";
import type { KernelOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { composite } from "./composite.ts";
import { eye, zeros } from "./create.ts";
import { add, isnan, logicalAnd, mul, sub, where } from "./elementwise.ts";
import { below, lower, solveTriangle, takeRows, transposed, upper, type LuFactors } from "./factorize.ts";
import { takeAlongAxis } from "./indexing.ts";
import { concatenate, sliceAlong } from "./join.ts";
import { sizeOfLast } from "./matrices.ts";
import { matmul } from "./matmul.ts";
import { broadcastTo, expandDims, laxSlice } from "./movement.ts";
import { pad } from "./pad.ts";

/**
 * Factorizations of large matrices out of those of small ones and products, which do almost all of the work: a kernel that
 * gives a matrix one workgroup needs seconds for a thousand rows, and systems take the device from whoever holds it so long.
 */

const rowsOf = (x: Tensor): number => at(x.shape, x.ndim - 2);

/** Rows `top` to `bottom` and columns `left` to `right` of the last two axes. */
function part(x: Tensor, top: number, bottom: number, left: number, right: number): Tensor {
  const lead = x.shape.slice(0, -2);
  const none = lead.map(() => 0);
  return laxSlice(x, [...none, top, left], [...lead, bottom, right]);
}

/** A matrix of matrices as one. */
function assembled(rows: readonly (readonly Tensor[])[]): Tensor {
  const wide = rows.map((row) => concatenate(row, { axis: -1 }));
  return concatenate(wide, { axis: -2 });
}

/** Where n is cut in two: at a multiple of `leaf`, in the middle or soon after. */
function half(n: number, leaf: number): number {
  return Math.ceil(n / 2 / leaf) * leaf;
}

/** The result of `op`, whose rules hold, made of other ops. */
export function composed<A>(
  op: KernelOp<A>,
  operands: readonly Tensor[],
  attrs: A,
  body: (operands: readonly Tensor[]) => Tensor,
): Tensor {
  const { name, vjp, jvp, batch } = op;
  const call: CallOp = {
    name,
    run: (inputs) => [composite(name, () => body(inputs))],
    batch: (inputs, batched) => {
      const all = batch(inputs, batched, attrs);
      return ["unbatched" in all ? all.unbatched : all];
    },
    ...(jvp && {
      jvp: (inputs, tangents) => {
        const output = at(bindCall(call, inputs), 0);
        return { outputs: [output], tangents: [jvp({ inputs, output, attrs }, tangents)] };
      },
    }),
    ...(vjp !== "nondifferentiable" && {
      vjp: (inputs, needs) => {
        const output = at(bindCall(call, inputs), 0);
        const pull = ([ct]: readonly (Tensor | undefined)[]): readonly (Tensor | undefined)[] =>
          ct === undefined ? [] : vjp({ inputs, output, attrs, needs }, ct);
        return { outputs: [output], residuals: [...inputs, output], pull };
      },
    }),
  };
  return at(bindCall(call, operands), 0);
}

/** How a small one is done. */
interface Small<Result, Operands extends readonly Tensor[] = readonly [Tensor]> {
  /** The most columns that it takes. */
  readonly leaf: number;
  run(...operands: Operands): Result;
}

/** x with a x = b for a triangular a: what is known of x goes to the other side. */
export function solvedByHalves(
  a: Tensor,
  b: Tensor,
  isUpper: boolean,
  small: Small<Tensor, readonly [a: Tensor, b: Tensor]>,
): Tensor {
  const n = sizeOfLast(a);
  if (n <= small.leaf) return small.run(a, b);
  const [k, m] = [half(n, small.leaf), sizeOfLast(b)];
  const solve = (from: number, to: number, right: Tensor): Tensor =>
    solvedByHalves(part(a, from, to, from, to), right, isUpper, small);
  const [top, bottom] = [part(b, 0, k, 0, m), part(b, k, n, 0, m)];
  if (isUpper) {
    const last = solve(k, n, bottom);
    return concatenate([solve(0, k, sub(top, matmul(part(a, 0, k, k, n), last))), last], { axis: -2 });
  }
  const first = solve(0, k, top);
  return concatenate([first, solve(k, n, sub(bottom, matmul(part(a, k, n, 0, k), first)))], { axis: -2 });
}

/** The lower triangular factor of a, NaN in all of its triangle unless a is positive definite. */
export function choleskyByHalves(a: Tensor, small: Small<Tensor>): Tensor {
  const factor = (x: Tensor): Tensor => {
    const n = sizeOfLast(x);
    if (n <= small.leaf) return small.run(x);
    const k = half(n, small.leaf);
    const first = factor(part(x, 0, k, 0, k));
    const side = transposed(solveTriangle(first, transposed(part(x, k, n, 0, k)), { upper: false, unit: false }));
    const last = factor(sub(part(x, k, n, k, n), matmul(side, transposed(side))));
    return assembled([
      [first, zeros([...x.shape.slice(0, -2), k, n - k])],
      [side, last],
    ]);
  };
  const [n, l] = [sizeOfLast(a), factor(a)];
  // A block that is not positive definite makes all blocks after it NaN.
  const failed = isnan(part(l, n - 1, n, n - 1, n));
  return where(logicalAnd(failed, below(n, n, 0)), Number.NaN, l);
}

/** LU with partial pivoting of matrices that have no more columns than rows. */
export function luByHalves(a: Tensor, small: Small<LuFactors>): LuFactors {
  const [m, n] = [rowsOf(a), sizeOfLast(a)];
  if (n <= small.leaf) return small.run(a);
  const k = half(n, small.leaf);
  const left = luByHalves(part(a, 0, m, 0, k), small);
  const [head, tail] = [part(left.factors, 0, k, 0, k), part(left.factors, k, m, 0, k)];
  const side = takeRows(part(a, 0, m, k, n), left.permutation);
  const u = solveTriangle(head, part(side, 0, k, 0, n - k), { upper: false, unit: true });
  const rest = luByHalves(sub(part(side, k, m, 0, n - k), matmul(tail, u)), small);
  const axis = left.permutation.ndim - 1;
  const [done, open] = [sliceAlong(left.permutation, axis, 0, k), sliceAlong(left.permutation, axis, k, m)];
  return {
    factors: assembled([
      [head, u],
      [takeRows(tail, rest.permutation), rest.factors],
    ]),
    permutation: concatenate([done, takeAlongAxis(open, rest.permutation, axis)], { axis: -1 }),
  };
}

/** Householder reflections of a panel: R on and above the diagonal, the vectors below it; and their factors tau. */
export interface Reflections {
  readonly packed: Tensor;
  readonly tau: Tensor;
}

/** The product of reflections 1 − tau v vᵀ: 1 − V T Vᵀ with V's columns the vectors and T⁻¹ = diag(1 / tau) + triu(VᵀV, 1). */
class Panel {
  private readonly v: Tensor;
  private readonly gram: Tensor;
  private readonly tau: Tensor;

  constructor({ packed, tau }: Reflections) {
    this.v = add(lower(packed, -1), eye(rowsOf(packed), sizeOfLast(packed)));
    this.gram = matmul(transposed(this.v), this.v);
    this.tau = expandDims(tau, -1);
  }

  /** The product applied to x. */
  times(x: Tensor): Tensor {
    const system = mul(this.gram, transposed(this.tau));
    const along = solveTriangle(system, matmul(transposed(this.v), x), { upper: true, unit: true });
    return sub(x, matmul(this.v, mul(this.tau, along)));
  }

  /** The transposed product applied to x. */
  transposedTimes(x: Tensor): Tensor {
    const along = mul(this.tau, matmul(transposed(this.v), x));
    const system = mul(this.gram, this.tau);
    return sub(x, matmul(this.v, solveTriangle(system, along, { upper: false, unit: true })));
  }
}

/** Q above R, each in as many columns as the wider has; Q of `rank` columns. */
export function qrByPanels(a: Tensor, rank: number, small: Small<Reflections>): Tensor {
  const [lead, m, n] = [a.shape.slice(0, -2), rowsOf(a), sizeOfLast(a)];
  const [steps, wide] = [Math.min(m, n), Math.max(rank, n)];
  const panels: { readonly from: number; readonly panel: Panel }[] = [];
  const rows: Tensor[] = [];
  let rest = a;
  for (let from = 0; from < steps; from += small.leaf) {
    const [height, width, right] = [m - from, Math.min(small.leaf, steps - from), n - from];
    const reflections = small.run(part(rest, 0, height, 0, width));
    const panel = new Panel(reflections);
    panels.push({ from, panel });
    const row = [zeros([...lead, width, from]), upper(part(reflections.packed, 0, width, 0, width))];
    if (right > width) {
      const side = panel.transposedTimes(part(rest, 0, height, width, right));
      row.push(part(side, 0, width, 0, right - width));
      rest = part(side, width, height, 0, right - width);
    }
    rows.push(concatenate(row, { axis: -1 }));
  }
  const r = concatenate(rows, { axis: -2 });
  let q: Tensor | undefined;
  for (const { from, panel } of panels.reverse()) {
    q = panel.times(q === undefined ? eye(m - from, rank - from) : widened(q, small.leaf));
  }
  // There is at least one panel.
  const whole = q === undefined ? [r] : [padded(q, m, wide), padded(r, rank, wide)];
  return concatenate(whole, { axis: -2 });
}

/** x with zeros below and to the right. */
function padded(x: Tensor, rows: number, columns: number): Tensor {
  const room = x.shape.slice(0, -2).map(() => [0, 0, 0] as const);
  return pad(x, 0, [...room, [0, rows - rowsOf(x), 0], [0, columns - sizeOfLast(x), 0]]);
}

/** x below and to the right of an identity of `by` rows. */
function widened(x: Tensor, by: number): Tensor {
  const lead = x.shape.slice(0, -2);
  return assembled([
    [broadcastTo(eye(by), [...lead, by, by]), zeros([...lead, by, sizeOfLast(x)])],
    [zeros([...lead, rowsOf(x), by]), x],
  ]);
}
