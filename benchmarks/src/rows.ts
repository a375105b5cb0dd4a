/** Results as flat rows, one for each task and engine: what CSV files, charts and the command `run` show. */
import type { Outcome, Results, TaskResult } from "./results.ts";
import type { Roofline } from "./roofline.ts";

export interface Row {
  readonly task: string;
  readonly title: string;
  readonly engine: string;
  readonly minMs?: number;
  readonly medianMs?: number;
  /** Distance of the quartiles over the median. */
  readonly spread?: number;
  /** At the minimum. */
  readonly rate?: number;
  readonly rateUnit?: "GFLOP/s" | "GB/s" | "µs each";
  /** The rate over what the adapter can do at most, 0 to 1. */
  readonly roofline?: number;
  readonly gpuMs?: number;
  readonly dispatches?: number;
  readonly submits?: number;
  /** Bytes that kernels read and write where the engine tells, else the storage that dispatches had bound. */
  readonly bytesMoved?: number;
  readonly pipelines?: number;
  readonly firstMs?: number;
  readonly bytesPeak?: number;
  readonly error?: number;
  readonly failed?: string;
}

export const rowFields = [
  ...(["task", "title", "engine", "minMs", "medianMs", "spread", "rate", "rateUnit", "roofline", "gpuMs"] as const),
  ...(["dispatches", "submits", "bytesMoved", "pipelines", "firstMs", "bytesPeak", "error", "failed"] as const),
] satisfies readonly (keyof Row)[];

/** The best of a run's start and end: what the adapter could do when nothing disturbed it. */
export function best({ start, end = start }: Results["roofline"]): Roofline {
  return {
    gflops: Math.max(start.gflops, end.gflops),
    kernelGBs: Math.max(start.kernelGBs, end.kernelGBs),
    copyGBs: Math.max(start.copyGBs, end.copyGBs),
  };
}

type Rate = Pick<Row, "rate" | "rateUnit" | "roofline">;

/** Work per time at the minimum, and its share of the roofline: of multiply-adds, or of the faster of both kinds of copies. */
export function rateOf({ flops, bytes, operations }: TaskResult, minMs: number, peak: Roofline): Rate {
  if (operations !== undefined) return { rate: (minMs * 1000) / operations, rateUnit: "µs each" };
  if (flops !== undefined) {
    const rate = flops / minMs / 1e6;
    return { rate, rateUnit: "GFLOP/s", roofline: rate / peak.gflops };
  }
  if (bytes === undefined) return {};
  const rate = bytes / minMs / 1e6;
  return { rate, rateUnit: "GB/s", roofline: rate / Math.max(peak.kernelGBs, peak.copyGBs) };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the fields that are undefined. */
function defined<T extends object>(value: T): Defined<T> {
  // What is left are fields of T.
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}

function rowOf(task: TaskResult, engine: string, outcome: Outcome, peak: Roofline): Row {
  const { summary, counts, first } = outcome;
  return {
    ...{ task: task.id, title: task.title, engine },
    ...(summary && rateOf(task, summary.min, peak)),
    ...defined({
      minMs: summary?.min,
      medianMs: summary?.median,
      spread: summary?.spread,
      gpuMs: outcome.gpuMs,
      dispatches: counts?.dispatches,
      submits: counts?.submits,
      bytesMoved: outcome.bytesMoved ?? counts?.bytesBound,
      pipelines: counts === undefined ? undefined : first?.pipelines,
      firstMs: first?.ms,
      bytesPeak: outcome.bytesPeak,
      error: outcome.error,
      failed: outcome.failed,
    }),
  };
}

/** All rows of a run, task by task. */
export function rowsOf(results: Results): readonly Row[] {
  const peak = best(results.roofline);
  return results.tasks.flatMap((task) =>
    Object.entries(task.outcomes).map(([engine, outcome]) => rowOf(task, engine, outcome, peak)),
  );
}

/** RFC 4180: fields with commas, quotes or line ends are quoted, quotes doubled. */
export function csv(results: Results): string {
  const cell = (value: string | number | undefined): string => {
    const text = String(value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rowsOf(results).map((row) => rowFields.map((name) => cell(row[name])).join(","));
  return `${[rowFields.join(","), ...lines].join("\r\n")}\r\n`;
}
