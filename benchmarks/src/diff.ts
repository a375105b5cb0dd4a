/** A run against an earlier one of the same adapter: times scaled by the roofline, counts as they are. */
import { baselineMark, withBaseline } from "./baseline.ts";
import type { Results } from "./results.ts";
import { compare } from "./stats.ts";

export interface Difference {
  readonly task: string;
  readonly engine: string;
  /** How many times as long the baseline took, at the minimum and in the median. */
  readonly byMin?: number;
  readonly byMedian?: number;
  readonly word: "faster" | "slower" | "about even" | "no times";
  /** What changed in the counts of one execution, as "dispatches 24 -> 22". */
  readonly counts: readonly string[];
  /** Slower, or more dispatches or pipelines. */
  readonly worse: boolean;
}

const counted = ["dispatches", "submits"] as const;

/** Every task and engine that both runs have; throws when the adapters differ. */
export function differences(results: Results, baseline: Results): readonly Difference[] {
  return withBaseline(results, baseline).tasks.flatMap(({ id, outcomes }) =>
    Object.entries(outcomes).flatMap(([engine, now]) => {
      const then = outcomes[`${engine}${baselineMark}`];
      if (then === undefined) return [];
      const verdict = now.summary && then.summary && compare(now.summary, then.summary);
      const pairs = [
        ...counted.map((name) => [name, then.counts?.[name], now.counts?.[name]] as const),
        ["pipelines", then.first?.pipelines, now.first?.pipelines] as const,
      ];
      const changed = pairs.filter(([, a, b]) => a !== undefined && b !== undefined && a !== b);
      const more = changed.some(([, a = 0, b = 0]) => b > a);
      return [
        {
          ...{ task: id, engine, word: verdict?.word ?? "no times" },
          ...(verdict && { byMin: verdict.byMin, byMedian: verdict.byMedian }),
          counts: changed.map(([name, a, b]) => `${name} ${a} -> ${b}`),
          worse: verdict?.word === "slower" || more || (now.failed !== undefined && then.failed === undefined),
        },
      ];
    }),
  );
}
