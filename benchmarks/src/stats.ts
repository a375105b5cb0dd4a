/** Minimum, median, spread, and the rule for calling one engine faster than another. */

export interface Summary {
  readonly min: number;
  readonly median: number;
  /** Distance of the quartiles over the median: 0 is steady, 1 is noise. */
  readonly spread: number;
  readonly repetitions: number;
}

/** The value below which the share `q` of the sorted sample lies, interpolated. */
function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** Summarises times in ms. Throws when there are none. */
export function summarize(times: readonly number[]): Summary {
  if (times.length === 0) throw new Error("summarize: received no times; time at least one repetition");
  const sorted = [...times].sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  return {
    min: quantile(sorted, 0),
    median,
    spread: (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / median,
    repetitions: times.length,
  };
}

export interface Verdict {
  /** How many times as long the other takes: by the minimum, by the median. */
  readonly byMin: number;
  readonly byMedian: number;
  readonly word: "faster" | "slower" | "about even";
}

/** Ratios below this are drift of the machine, not a difference between engines. */
const notable = 1.15;

/** Compares `ours` with `other`: faster or slower only where minimum and median agree, the smaller ratio at least 1.15. */
export function compare(ours: Summary, other: Summary): Verdict {
  const byMin = other.min / ours.min;
  const byMedian = other.median / ours.median;
  if (Math.min(byMin, byMedian) >= notable) return { byMin, byMedian, word: "faster" };
  if (Math.max(byMin, byMedian) <= 1 / notable) return { byMin, byMedian, word: "slower" };
  return { byMin, byMedian, word: "about even" };
}
