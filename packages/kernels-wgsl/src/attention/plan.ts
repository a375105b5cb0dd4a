import { op_exp, op_log } from "../elementwise/exponential-functions.wgsl.gen.ts";
import type { Kernel } from "../kernel.ts";
import { ceilDiv, foldGrid } from "../launch.ts";
import type { PlanLimits, Stage } from "../stage.ts";
import { backward } from "./backward.wgsl.gen.ts";
import { forward } from "./forward.wgsl.gen.ts";

/** A stage with the op's operands that its group 0 binds, in binding order. */
export interface AttentionStage extends Stage {
  readonly operands: readonly number[];
}

/** Where elements lie: element (b, head, line, i) at base + b * batch + head * head + line * line + i, in scalars. */
export interface AttentionOperand {
  readonly base: number;
  readonly batch: number;
  readonly head: number;
  readonly line: number;
}

/** Where the bias or mask of (b, n, t, s) lies; strides of 0 broadcast. */
export interface AttentionExtra {
  /** Which operand of the op it is. */
  readonly operand: number;
  readonly base: number;
  readonly batch: number;
  readonly head: number;
  readonly row: number;
  readonly column: number;
}

/** What both directions share. */
export interface AttentionSpec {
  readonly batch: number;
  /** Query heads, and those of keys and values. */
  readonly heads: number;
  readonly keyHeads: number;
  /** Queries and keys as they lie, multiples of four, and those of them that are real. */
  readonly rows: number;
  readonly columns: number;
  readonly queries: number;
  readonly keys: number;
  /** Features of a head, a multiple of four up to MAX_DEPTH. */
  readonly depth: number;
  readonly scale: number;
  /** A query at t looks at keys from t - left to t + right. */
  readonly left: number;
  readonly right: number;
  readonly bias?: AttentionExtra;
  readonly mask?: AttentionExtra;
}

export interface AttentionForwardSpec extends AttentionSpec {
  /** q's lines are queries, k's are features, v's are keys: operands 0, 1 and 2. */
  readonly q: AttentionOperand;
  readonly k: AttentionOperand;
  readonly v: AttentionOperand;
  /** Whether the logarithm of each query's sum of weights follows the result. */
  readonly saves: boolean;
}

/** Whose gradient is asked for. */
export type AttentionRole = "query" | "key" | "value";

export interface AttentionBackwardSpec extends AttentionSpec {
  readonly role: AttentionRole;
  /** Lines of a and a2 are rows, those of b and b2 features, those of c columns: operands 0 to 4; 5 holds the sums. */
  readonly a: AttentionOperand;
  readonly b: AttentionOperand;
  readonly a2: AttentionOperand;
  readonly b2: AttentionOperand;
  readonly c: AttentionOperand;
}

/** The deepest head a workgroup has lanes for. */
export const MAX_DEPTH = 256;
/** Features of the result that an invocation computes, and keys of the scores. */
const LANE = 8;
/** Queries that an invocation works on. */
const QUERIES = 4;
const GROUP = 64;
/** Farther than any array is long, and still to be added to a place in it. */
const FAR = 2 ** 30;

/**
 * The one dispatch of softmax(q kᵀ scale + bias) v: [batch, rows, heads, depth], and with `saves` the logarithms of the sums
 * of weights behind it, [batch, heads, rows]. None for an empty result.
 *
 * @throws Error when the depth is not a multiple of 4 up to MAX_DEPTH, or there are no keys.
 */
export function planAttention(spec: AttentionForwardSpec, limits: PlanLimits): readonly AttentionStage[] {
  const { batch, heads, keyHeads, rows, columns, depth, q, k, v, bias, mask } = spec;
  const count = batch * heads;
  if (count * rows * depth === 0) return [];
  check(spec);
  const [gx, gy] = groupShape(depth);
  const tiles = ceilDiv(rows, QUERIES * gy);
  return [
    {
      kernel: bound(forward, 4, [...(bias ? ["bias"] : []), ...(mask ? ["mask"] : [])]),
      consts: [
        ...shared(gx, gy),
        "fn logs(x: vec4f) -> vec4f { return op_log(x); }",
        ...extras(4, bias && "bias", mask && "mask"),
      ].join("\n"),
      functions: [op_exp, op_log],
      params: {
        ...{ count, heads, group: heads / keyHeads, rows, tiles, depth, four: 4, pieces: spec.saves ? 9 : 8 },
        ...{ lastKeys: columns / 4 - 1, saved: (count * rows * depth) / 4, none: -Infinity, ...reach(spec) },
        ...{ qBase: q.base, qBatch: q.batch, qHead: q.head, qRow: q.line },
        ...{ kBase: k.base / 4, kBatch: k.batch / 4, kHead: k.head / 4, kStep: k.line / 4 },
        ...{ vBase: v.base / 4, vBatch: v.batch / 4, vHead: v.head / 4, vRow: v.line / 4 },
        ...extraParams("bias", bias),
        ...extraParams("mask", mask),
      },
      grid: foldGrid(tiles * count, limits.maxComputeWorkgroupsPerDimension),
      ...{ storeWidth: 4, reads: "operands", writes: "results", workspaceElements: 0 },
      operands: [0, 1, 2, ...[bias, mask].flatMap((extra) => (extra === undefined ? [] : [extra.operand]))],
    },
  ];
}

/**
 * The one dispatch of a gradient: the queries', [batch, rows, heads, depth], or the keys' or values', [batch, columns, keyHeads,
 * depth]. Bias and mask cannot both be given: a bias may hold NaN where nothing is to be seen.
 *
 * @throws Error when the depth is not a multiple of 4 up to MAX_DEPTH, or both bias and mask are given.
 */
export function planAttentionGradient(spec: AttentionBackwardSpec, limits: PlanLimits): readonly AttentionStage[] {
  const { batch, heads, keyHeads, depth, role, a, b, a2, b2, c, bias, mask } = spec;
  const swapped = role !== "query";
  const [rows, columns] = swapped ? [spec.columns, spec.rows] : [spec.rows, spec.columns];
  const [rowHeads, columnHeads] = swapped ? [keyHeads, heads] : [heads, keyHeads];
  const count = batch * rowHeads;
  if (count * rows * depth === 0) return [];
  check(spec);
  if (bias && mask) throw new Error("attention: a gradient takes bias or mask, not both");
  const extra = bias ?? mask;
  const [gx, gy] = groupShape(depth);
  const tiles = ceilDiv(rows, QUERIES * gy);
  return [
    {
      kernel: bound(backward, 7, extra === undefined ? [] : ["extra"]),
      consts: [...shared(gx, gy), ...extras(7, bias && "extra", mask && "extra", true)].join("\n"),
      functions: [op_exp],
      params: {
        ...{ count, rowHeads, columnHeads, heads, group: heads / keyHeads, rows, columns, tiles, depth },
        ...{ depth2: role === "value" ? 0 : depth, swapped: swapped ? 1 : 0, four: 4, pieces: 8, ...reach(spec) },
        ...{ sums: (batch * heads * spec.rows) / 4, headSums: spec.rows / 4 },
        ...{ aBase: a.base, aBatch: a.batch, aHead: a.head, aRow: a.line },
        ...{ bBase: b.base / 4, bBatch: b.batch / 4, bHead: b.head / 4, bStep: b.line / 4 },
        ...{ a2Base: a2.base, a2Batch: a2.batch, a2Head: a2.head, a2Row: a2.line },
        ...{ b2Base: b2.base / 4, b2Batch: b2.batch / 4, b2Head: b2.head / 4, b2Step: b2.line / 4 },
        ...{ cBase: c.base / 4, cBatch: c.batch / 4, cHead: c.head / 4, cRow: c.line / 4 },
        ...extraParams("extra", extra),
      },
      grid: foldGrid(tiles * count, limits.maxComputeWorkgroupsPerDimension),
      ...{ storeWidth: 4, reads: "operands", writes: "results", workspaceElements: 0 },
      operands: [0, 1, 2, 3, 4, 5, ...(extra === undefined ? [] : [extra.operand])],
    },
  ];
}

function check({ depth, rows, columns, keys }: AttentionSpec): void {
  if (depth % 4 !== 0 || depth > MAX_DEPTH || rows % 4 !== 0 || columns % 4 !== 0 || keys === 0)
    throw new Error(
      `attention: takes multiples of four queries, keys and features (up to ${MAX_DEPTH}), got ${rows}, ${columns} (${keys} of them real) and ${depth}`,
    );
}

/** As many lanes as a head has eights of features, and as many queries as fill the group. */
function groupShape(depth: number): readonly [number, number] {
  const gx = ceilDiv(depth, LANE);
  return [gx, Math.max(1, Math.floor(GROUP / gx))];
}

/**
 * How far queries look. Tiles out of reach may be left out only if every query sees something: one that does not averages
 * all values, and a bias of minus infinity may blind one, too.
 */
function reach(spec: AttentionSpec): Readonly<Record<string, number>> {
  const { queries, keys, scale, bias, mask } = spec;
  const [left, right] = [Math.min(spec.left, FAR), Math.min(spec.right, FAR)];
  const narrow = left < queries - 1 || right < keys - 1;
  const skip = narrow && !bias && !mask && queries - 1 - left < keys;
  return { queries, keys, scale, left, right, skip: skip ? 1 : 0 };
}

function extraParams(name: string, extra: AttentionExtra | undefined): Readonly<Record<string, number>> {
  const { base = 0, batch = 0, head = 0, row = 0, column = 0 } = extra ?? {};
  return {
    [`${name}Base`]: base,
    [`${name}Batch`]: batch,
    [`${name}Head`]: head,
    [`${name}Row`]: row,
    [`${name}Column`]: column,
  };
}

/** The kernel with operands that its hooks read, bound after its own. */
function bound(kernel: Kernel, from: number, names: readonly string[]): Kernel {
  if (names.length === 0) return kernel;
  const more = names.map((name, k) => ({ group: 0, binding: from + k, name, access: "read" }) as const);
  const own = kernel.bindings.filter(({ group }) => group === 0);
  return { ...kernel, bindings: [...own, ...more, ...kernel.bindings.filter(({ group }) => group === 1)] };
}

function shared(gx: number, gy: number): readonly string[] {
  return [
    `const GX = ${gx}u;\nconst GY = ${gy}u;\nalias V = vec4f;`,
    "fn exps(x: vec4f) -> vec4f { return op_exp(x); }",
  ];
}

/** The hooks that read bias and mask. With `marked`, NaN in a bias stands where a query may not look. */
function extras(from: number, bias: string | undefined, mask: string | undefined, marked = false): readonly string[] {
  const lines: string[] = [];
  const args = "b: u32, n: u32, t: vec4u, s: vec4u";
  const declare = (name: string, type: string): void => {
    lines.push(
      `@group(0) @binding(${from + lines.filter((line) => line.startsWith("@")).length}) var<storage, read> ${name}: array<${type}>;`,
      `fn at_${name}(${args}) -> vec4u {`,
      `  let row = min(t, vec4u(p.queries - 1u)) * p.${name}Row + min(s, vec4u(p.keys - 1u)) * p.${name}Column;`,
      `  return row + (p.${name}Base + b * p.${name}Batch + n * p.${name}Head);`,
      "}",
    );
  };
  if (bias !== undefined) {
    declare(bias, "f32");
    lines.push(
      `fn bias_at(at: vec4u) -> vec4f { return vec4f(${bias}[at.x], ${bias}[at.y], ${bias}[at.z], ${bias}[at.w]); }`,
    );
  }
  lines.push(
    `fn biased(x: vec4f, ${args}) -> vec4f { return ${bias === undefined ? "x" : `x + bias_at(at_${bias}(b, n, t, s))`}; }`,
  );
  if (mask !== undefined) {
    declare(mask, "u32");
    lines.push(
      `fn shown(${args}) -> vec4<bool> {`,
      `  let at = at_${mask}(b, n, t, s);`,
      `  return vec4u(${mask}[at.x], ${mask}[at.y], ${mask}[at.z], ${mask}[at.w]) != vec4u(0u);`,
      "}",
    );
  } else if (bias !== undefined && marked)
    lines.push(
      `fn shown(${args}) -> vec4<bool> {`,
      `  return (bitcast<vec4u>(bias_at(at_${bias}(b, n, t, s))) & vec4u(0x7fffffffu)) <= vec4u(0x7f800000u);`,
      "}",
    );
  else lines.push(`fn shown(${args}) -> vec4<bool> { return vec4<bool>(true); }`);
  return lines;
}
