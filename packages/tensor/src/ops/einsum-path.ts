import { ArgumentError } from "../errors.ts";

/** How einsum finds its order of products. */
export type Optimize = "auto" | "optimal" | "greedy" | boolean;

/** For each step, the places of the operands it takes; its product goes to the end of the list. */
export type Path = readonly (readonly number[])[];

/** Up to so many operands all orders are tried: 2,700 pairs to weigh for six. */
const EXHAUSTIVE = 5;

interface Search {
  readonly output: ReadonlySet<string>;
  readonly extents: ReadonlyMap<string, number>;
}

type Labels = ReadonlySet<string>;

/**
 * The order of products that takes the fewest multiplications: all orders for few operands, else always the pair whose
 * product is smallest beside what it replaces. Source: opt_einsum, which jnp.einsum calls.
 *
 * @throws ArgumentError for an unknown way to optimize.
 */
export function contractionPath(
  inputs: readonly (readonly string[])[],
  output: readonly string[],
  extents: ReadonlyMap<string, number>,
  optimize: Optimize = "auto",
): Path {
  if (!["auto", "optimal", "greedy", true, false].includes(optimize))
    throw new ArgumentError(
      `einsum: unknown optimize ${JSON.stringify(optimize)}; expected "auto", "optimal", "greedy", true or false`,
    );
  const terms = inputs.map((labels) => new Set(labels));
  if (terms.length === 1) return [[0]];
  if (optimize === false) return inSequence(terms.length);
  const search: Search = { output: new Set(output), extents };
  const exhaustive = optimize === "optimal" || (optimize !== "greedy" && terms.length <= EXHAUSTIVE);
  return exhaustive ? cheapest(terms, search, Infinity).path : greedy(terms, search);
}

/** The first two, then that product with the third, and so on. */
function inSequence(count: number): Path {
  return Array.from({ length: count - 1 }, (_, k) => (k === 0 ? [0, 1] : [0, count - 1 - k]));
}

function size(labels: Iterable<string>, { extents }: Search): number {
  let product = 1;
  for (const label of labels) product *= extents.get(label) ?? 1;
  return product;
}

/** What is left of two terms when they are multiplied, with the other terms still to come; and the work of it. */
function join(a: Labels, b: Labels, others: readonly Labels[], search: Search): { labels: Labels; cost: number } {
  const all = new Set([...a, ...b]);
  const labels = new Set([...all].filter((label) => search.output.has(label) || others.some((one) => one.has(label))));
  return { labels, cost: size(all, search) };
}

interface Pair {
  readonly step: readonly number[];
  readonly a: Labels;
  readonly b: Labels;
  readonly others: readonly Labels[];
}

/** Every pair of places, with the terms that remain beside it. */
function pairs(terms: readonly Labels[]): Pair[] {
  return terms.flatMap((a, i) =>
    terms.slice(i + 1).map((b, k) => {
      const others = terms.filter((one) => one !== a && one !== b);
      return { step: [i, i + 1 + k], a, b, others };
    }),
  );
}

function cheapest(terms: readonly Labels[], search: Search, limit: number): { path: Path; cost: number } {
  if (terms.length === 1) return { path: [], cost: 0 };
  let best: { path: Path; cost: number } = { path: inSequence(terms.length), cost: Infinity };
  for (const { step, a, b, others } of pairs(terms)) {
    const { labels, cost } = join(a, b, others, search);
    const bound = Math.min(limit, best.cost);
    if (cost >= bound) continue;
    const rest = cheapest([...others, labels], search, bound - cost);
    if (cost + rest.cost < best.cost) best = { path: [step, ...rest.path], cost: cost + rest.cost };
  }
  return best;
}

function greedy(inputs: readonly Labels[], search: Search): Path {
  let terms = [...inputs];
  const path: (readonly number[])[] = [];
  while (terms.length > 1) {
    let best: (Pick<Pair, "step" | "others"> & { labels: Labels; rank: readonly [number, number] }) | undefined;
    for (const { step, a, b, others } of pairs(terms)) {
      const { labels, cost } = join(a, b, others, search);
      const rank = [size(labels, search) - size(a, search) - size(b, search), cost] as const;
      const better =
        best === undefined || rank[0] < best.rank[0] || (rank[0] === best.rank[0] && rank[1] < best.rank[1]);
      if (better) best = { step, labels, others, rank };
    }
    if (best === undefined) break;
    path.push(best.step);
    terms = [...best.others, best.labels];
  }
  return path;
}
