import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import type { AttentionAttrs, GradientAttrs } from "./attention-op.ts";
import { convert } from "./convert.ts";
import { broadcastedIota } from "./create.ts";
import { add, exp, isnan, less, lessEqual, logicalAnd, logicalNot, mul, neg, sub, where } from "./elementwise.ts";
import { sliceAlong, stack } from "./join.ts";
import { matmul } from "./matmul.ts";
import { reshape, swapaxes, transpose } from "./movement.ts";
import { pad } from "./pad.ts";
import { sum } from "./reduce.ts";

/**
 * Rules for the gradients of attention's gradients, and for a bias's: here the weights are whole tables, [batch, keyHeads,
 * group, rows, columns], for they are differentiated again or asked for as they are.
 */

/** What scores become where a query may not look: finite, so that a query that sees nothing averages all values. */
export const HIDDEN = -0.7 * 3.4028234663852886e38;

/** [batch, columns, heads, depth] as [batch, heads, depth, columns], and back. */
export const turned = (x: Tensor): Tensor => transpose(x, [0, 2, 3, 1]);
export const turnedBack = (x: Tensor): Tensor => transpose(x, [0, 3, 1, 2]);

const across = (x: Tensor): Tensor => swapaxes(x, -1, -2);

interface Heads {
  readonly keyHeads: number;
  readonly group: number;
}

/** [batch, rows, heads, depth] → [batch, keyHeads, group, rows, depth]; with a group of one for keys. */
function grouped(x: Tensor, { keyHeads }: Heads): Tensor {
  const [batch = 0, rows = 0, heads = 0, depth = 0] = x.shape;
  return transpose(reshape(x, [batch, rows, keyHeads, heads / keyHeads, depth]), [0, 2, 3, 1, 4]);
}

/** The way back, to `like`; summed over the group for keys. */
function ungrouped(x: Tensor, like: Tensor, { keyHeads }: Heads): Tensor {
  const isKey = at(like.shape, 2) === keyHeads;
  const flat = transpose(isKey ? sum(x, { axis: 2, keepdims: true }) : x, [0, 3, 1, 2, 4]);
  return convert(reshape(flat, like.shape), like.dtype);
}

/** [batch | 1, heads | 1, …] → [batch | 1, keyHeads | 1, group | 1, …]. */
function perHead(x: Tensor, { keyHeads, group }: Heads): Tensor {
  const [batch = 0, heads = 0, rows = 0, columns = 0] = x.shape;
  return reshape(x, heads === 1 ? [batch, 1, 1, rows, columns] : [batch, keyHeads, group, rows, columns]);
}

/** A bias or mask with zeros up to the padded rows and columns. */
function filled(x: Tensor, rows: number, columns: number): Tensor {
  const more = (axis: number, extent: number): readonly [number, number, number] => {
    const own = at(x.shape, axis);
    return [0, own === 1 ? 0 : extent - own, 0];
  };
  return pad(x, 0, [[0, 0, 0], [0, 0, 0], more(2, rows), more(3, columns)]);
}

interface Sums {
  readonly q: Tensor;
  readonly k: Tensor;
  /** [2, batch, heads, rows]: logarithms of the sums of weights, and δ. */
  readonly stats: Tensor;
  readonly bias: Tensor | undefined;
  readonly mask: Tensor | undefined;
}

interface Tables {
  readonly heads: Heads;
  readonly q: Tensor;
  readonly k: Tensor;
  readonly delta: Tensor;
  /** The weights. */
  readonly p: Tensor;
  /** Where a query looks, and where its weights depend on what it sees. */
  readonly seen: Tensor;
  readonly free: Tensor;
}

function tablesOf(one: Sums, attrs: AttentionAttrs): Tables {
  const keyHeads = at(one.k.shape, 2);
  const heads = { keyHeads, group: at(one.q.shape, 2) / keyHeads };
  const [q, k] = [grouped(one.q, heads), grouped(one.k, heads)];
  const [rows, columns] = [at(one.q.shape, 1), at(one.k.shape, 1)];
  const sums = (row: number): Tensor => perHead(transpose(sliceAlong(one.stats, 0, row, row + 1), [1, 2, 3, 0]), heads);
  const [lse, delta] = [sums(0), sums(1)];
  const [t, s] = [broadcastedIota("int32", [rows, columns], 0), broadcastedIota("int32", [rows, columns], 1)];
  let seen = logicalAnd(lessEqual(sub(t, attrs.left), s), lessEqual(s, add(t, attrs.right)));
  seen = logicalAnd(seen, less(s, attrs.keys));
  if (one.mask !== undefined) seen = logicalAnd(seen, perHead(filled(one.mask, rows, columns), heads));
  let score = mul(matmul(q, across(k)), attrs.scale);
  if (one.bias !== undefined) {
    const bias = perHead(filled(one.bias, rows, columns), heads);
    seen = logicalAnd(seen, logicalNot(isnan(bias)));
    score = add(score, bias);
  }
  const blind = lessEqual(lse, HIDDEN);
  const free = logicalAnd(seen, logicalNot(blind));
  // Where nothing is seen, all keys weigh the same, whatever the scores.
  const even = where(logicalAnd(blind, less(s, attrs.keys)), 1 / attrs.keys, 0);
  const p = where(free, exp(sub(where(free, score, 0), where(blind, 0, lse))), even);
  return { heads, q, k, delta, p, seen, free };
}

/** A bias's gradient: the scores', summed over the axes that it lacks. */
export function biasGradient(
  one: Sums & { readonly v: Tensor; readonly dy: Tensor; readonly bias: Tensor },
  attrs: AttentionAttrs,
): Tensor {
  const { heads, p, delta, free } = tablesOf(one, attrs);
  const pairs = matmul(grouped(one.dy, heads), across(grouped(one.v, heads)));
  return toBias(where(free, mul(p, sub(pairs, delta)), 0), one.bias, attrs);
}

/** [batch, keyHeads, group, rows, columns] summed to a bias's shape. */
function toBias(table: Tensor, bias: Tensor, { queries, keys }: AttentionAttrs): Tensor {
  const [batch = 0, keyHeads = 0, group = 0, rows = 0, columns = 0] = table.shape;
  const real = sliceAlong(
    sliceAlong(reshape(table, [batch, keyHeads * group, rows, columns]), 2, 0, queries),
    3,
    0,
    keys,
  );
  const axis = real.shape.flatMap((extent, k) => (bias.shape[k] === 1 && extent !== 1 ? [k] : []));
  return axis.length === 0 ? real : sum(real, { axis, keepdims: true });
}

/**
 * The reverse rule of one gradient, y = w c, in its operands a, bt, a2, b2t, c, sums and δ, and bias. For the values w = p; for
 * queries and keys w = scale · p · (dy vᵀ − δ) where something is seen, and p = e^(score − lse).
 */
export function gradientRule(
  inputs: readonly Tensor[],
  attrs: GradientAttrs,
  ct: Tensor,
  needs: readonly boolean[],
): (Tensor | undefined)[] {
  const [a, b, a2, b2, c, stats] = inputs;
  if (!a || !b || !a2 || !b2 || !c || !stats) return [];
  const byQuery = attrs.role === "query";
  const [first, second] = [turnedBack(b), turnedBack(b2)];
  const [q, k] = byQuery ? [a, first] : [first, a];
  const [dy, v] = byQuery ? [a2, second] : [second, a2];
  const extra = inputs[6];
  const one = { q, k, stats, bias: attrs.bias ? extra : undefined, mask: attrs.mask ? extra : undefined };
  const tables = tablesOf(one, attrs);
  const { heads, p, seen, free, delta } = tables;
  const [g, other] = [grouped(ct, heads), grouped(c, heads)];
  const dWeights = byQuery ? matmul(g, across(other)) : matmul(other, across(g));
  const isValue = attrs.role === "value";
  const gap = isValue ? undefined : sub(matmul(grouped(dy, heads), across(grouped(v, heads))), delta);
  const weights = gap === undefined ? p : where(seen, mul(mul(p, gap), attrs.scale), 0);
  const dGap = gap === undefined ? undefined : where(seen, mul(mul(dWeights, p), attrs.scale), 0);
  const dP = gap === undefined ? dWeights : where(seen, mul(mul(dWeights, gap), attrs.scale), 0);
  const dScore = where(free, mul(dP, p), 0);
  const back = (table: Tensor | undefined, by: Tensor, like: Tensor): Tensor | undefined =>
    table && ungrouped(matmul(table, by), like, heads);
  const dq = back(mul(dScore, attrs.scale), tables.k, q);
  const dk = back(mul(across(dScore), attrs.scale), tables.q, k);
  const dDy = back(dGap, grouped(v, heads), dy);
  const dV = back(dGap && across(dGap), grouped(dy, heads), v);
  const [dA, dB, dA2, dB2] = byQuery ? [dq, dk, dDy, dV] : [dk, dq, dV, dDy];
  return [
    dA,
    dB && turned(dB),
    dA2,
    dB2 && turned(dB2),
    back(byQuery ? across(weights) : weights, g, c),
    stack([rowSums(dScore, stats), dGap === undefined ? mul(rowSums(dScore, stats), 0) : rowSums(dGap, stats)]),
    ...(extra === undefined ? [] : [attrs.bias && needs[6] === true ? toBias(dScore, extra, attrs) : undefined]),
  ];
}

/** −Σ over the columns, [batch, heads, rows]. */
function rowSums(table: Tensor, stats: Tensor): Tensor {
  const [, batch = 0, heads = 0, rows = 0] = stats.shape;
  return neg(reshape(sum(table, { axis: -1 }), [batch, heads, rows]));
}
