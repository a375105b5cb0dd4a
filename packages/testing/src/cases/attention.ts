import * as t from "@jnx/tensor";
import * as r from "../reference.ts";
import { shapedRow, type Operand, type ShapedRow } from "./rows.ts";

const HIDDEN = -0.7 * 3.4028234663852886e38;

interface Case extends Omit<t.AttentionOptions, "bias" | "mask" | "querySeqLengths" | "keyValueSeqLengths"> {
  readonly label: string;
  /** Batch, queries, keys, query heads, key heads, depth. */
  readonly sizes: readonly [number, number, number, number, number, number];
  readonly bias?: readonly number[];
  readonly mask?: readonly number[];
  readonly queryLengths?: readonly number[];
  readonly keyLengths?: readonly number[];
}

const cases: readonly Case[] = [
  { label: "one head", sizes: [1, 3, 4, 1, 1, 5] },
  { label: "heads, scale", sizes: [2, 4, 3, 3, 3, 4], scale: 0.3 },
  { label: "causal", sizes: [1, 5, 5, 2, 2, 4], isCausal: true },
  { label: "causal, more keys than queries", sizes: [1, 3, 5, 1, 1, 2], isCausal: true },
  { label: "grouped queries", sizes: [1, 3, 4, 6, 2, 3] },
  { label: "one key head, bias for each head", sizes: [2, 3, 4, 4, 1, 3], bias: [4, 3, 4] },
  { label: "bias for all heads, grouped", sizes: [2, 3, 4, 4, 2, 3], bias: [2, 1, 3, 4] },
  { label: "mask, some rows empty", sizes: [2, 3, 4, 2, 2, 3], mask: [2, 1, 3, 4] },
  { label: "mask for each head, grouped", sizes: [1, 3, 4, 4, 2, 3], mask: [1, 4, 1, 4] },
  { label: "local window", sizes: [1, 6, 6, 1, 1, 2], localWindowSize: [2, 1] },
  { label: "lengths", sizes: [2, 4, 5, 2, 2, 3], queryLengths: [4, 2], keyLengths: [3, 5] },
];

interface Inputs {
  readonly q: r.HostArray;
  readonly k: r.HostArray;
  readonly v: r.HostArray;
  readonly extra: r.HostArray | undefined;
}

function allowed(
  one: Case,
  mask: r.HostArray | undefined,
  [b, n, i, j]: readonly [number, number, number, number],
): boolean {
  const window = one.localWindowSize;
  const [left, right] =
    window === undefined ? [Infinity, Infinity] : typeof window === "number" ? [window, window] : window;
  return (
    (mask === undefined || r.get(mask, [b, n, i, j]) !== 0) &&
    (one.isCausal !== true || j <= i) &&
    j >= i - left &&
    j <= i + right &&
    i < (one.queryLengths?.[b] ?? Infinity) &&
    j < (one.keyLengths?.[b] ?? Infinity)
  );
}

function oracle(one: Case, { q, k, v, extra }: Inputs): r.HostArray {
  const [batch, queries, keys, heads, keyHeads, depth] = one.sizes;
  const scale = one.scale ?? 1 / Math.sqrt(depth);
  const keyAt = (b: number, j: number, head: number): number => ((b * keys + j) * keyHeads + head) * depth;
  // Once for all of a row's depth.
  const rows = [batch, queries, heads];
  const softmax = r
    .build(rows, () => 0)
    .data.map((_, flat) => {
      const [b = 0, i = 0, n = 0] = r.coordinates(rows, flat);
      const own = Math.floor((n * keyHeads) / heads);
      const scores = Array.from({ length: keys }, (_, j) => {
        let score = 0;
        const [from, to] = [((b * queries + i) * heads + n) * depth, keyAt(b, j, own)];
        for (let c = 0; c < depth; c++) score += (q.data[from + c] ?? NaN) * (k.data[to + c] ?? NaN);
        const bias = one.bias !== undefined && extra !== undefined ? r.get(extra, [b, n, i, j]) : 0;
        return allowed(one, one.mask === undefined ? undefined : extra, [b, n, i, j]) ? score * scale + bias : HIDDEN;
      });
      const top = r.largest(scores);
      const weights = scores.map((score) => Math.exp(score - top));
      const total = r.sum(weights);
      return weights.map((weight) => weight / total);
    });
  return r.build([...rows, depth], ([b = 0, i = 0, n = 0, d = 0]) => {
    if (i >= (one.queryLengths?.[b] ?? Infinity)) return 0;
    const own = Math.floor((n * keyHeads) / heads);
    const weights = softmax[(b * queries + i) * heads + n] ?? [];
    return r.sum(weights.map((weight, j) => weight * (v.data[keyAt(b, j, own) + d] ?? NaN)));
  });
}

const marks = (count: number): number[] => Array.from({ length: count }, (_, i) => (i % 12 < 4 || i % 3 === 0 ? 0 : 1));

type Attend = typeof t.dotProductAttention;

function row(one: Case, attend: Attend): ShapedRow {
  const [batch, queries, keys, heads, keyHeads, depth] = one.sizes;
  const operands: Operand[] = [
    { shape: [batch, queries, heads, depth] },
    { shape: [batch, keys, keyHeads, depth] },
    { shape: [batch, keys, keyHeads, depth] },
  ];
  if (one.bias !== undefined) operands.push({ shape: one.bias });
  if (one.mask !== undefined) operands.push({ shape: one.mask, dtype: "bool", values: marks(r.count(one.mask)) });
  const { scale, isCausal, localWindowSize, queryLengths, keyLengths } = one;
  const run = (q: t.Tensor, k: t.Tensor, v: t.Tensor, extra?: t.Tensor): t.Tensor =>
    attend(q, k, v, {
      ...(scale !== undefined && { scale }),
      ...(isCausal !== undefined && { isCausal }),
      ...(localWindowSize !== undefined && { localWindowSize }),
      ...(one.bias !== undefined && extra !== undefined && { bias: extra }),
      ...(one.mask !== undefined && extra !== undefined && { mask: extra }),
      ...(queryLengths !== undefined && { querySeqLengths: t.array(queryLengths, { dtype: "int32" }) }),
      ...(keyLengths !== undefined && { keyValueSeqLengths: t.array(keyLengths, { dtype: "int32" }) }),
    });
  return shapedRow(
    "dotProductAttention",
    one.label,
    operands,
    run,
    (q, k, v, extra) => oracle(one, { q, k, v, extra }),
    {
      tolerance: { ulp: 16, abs: 2e-6 },
      differentiable: true,
    },
  );
}

const withoutBatch = shapedRow(
  "dotProductAttention",
  "without a batch",
  [
    [3, 2, 4],
    [5, 2, 4],
    [5, 2, 4],
  ],
  (q, k, v) => t.dotProductAttention(q, k, v),
  (q, k, v) => {
    const lead = (x: r.HostArray): r.HostArray => ({ ...x, shape: [1, ...x.shape] });
    const one: Case = { label: "", sizes: [1, 3, 5, 2, 2, 4] };
    return { ...oracle(one, { q: lead(q), k: lead(k), v: lead(v), extra: undefined }), shape: [3, 2, 4] };
  },
  { tolerance: { ulp: 16, abs: 2e-6 } },
);

const residual = shapedRow(
  "dotProductAttentionWithResidual",
  "the residual",
  [
    [1, 3, 2, 4],
    [1, 5, 2, 4],
  ],
  (q, k) => t.dotProductAttentionWithResidual(q, k, k)[1],
  (q, k) =>
    r.build([1, 3, 2], ([, i = 0, n = 0]) =>
      r.logsumexp(
        [0, 1, 2, 3, 4].map((j) => r.sum([0, 1, 2, 3].map((c) => r.get(q, [0, i, n, c]) * r.get(k, [0, j, n, c]))) / 2),
      ),
    ),
  { tolerance: { ulp: 8, abs: 2e-6 } },
);

/** Enough scores of a head that none are stored. */
const many: Case = { label: "many scores, causal", sizes: [1, 516, 513, 1, 1, 4], isCausal: true };

export const attention: readonly ShapedRow[] = [
  ...cases.map((one) => row(one, t.dotProductAttention)),
  { ...row(many, t.dotProductAttention), differentiable: false },
  withoutBatch,
  residual,
];

/** The rows again for another way to compute the same, with depths that are multiples of `fours`. */
export function attentionRows(attend: Attend, fours: number): readonly ShapedRow[] {
  return cases.map((one) => {
    const [batch, queries, keys, heads, keyHeads, depth] = one.sizes;
    return row({ ...one, sizes: [batch, queries, keys, heads, keyHeads, Math.ceil(depth / fours) * fours] }, attend);
  });
}
