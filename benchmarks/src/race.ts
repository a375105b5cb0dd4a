/** Engines in the middle of a task: the first call, the check, the turns, the counts. */
import type { Check } from "./check.ts";
import { mapCounts } from "./counts.ts";
import type { EngineProcess } from "./harness.ts";
import type { ColdTimes } from "./protocol.ts";
import type { EngineInfo, Outcome } from "./results.ts";
import { summarize } from "./stats.ts";
import type { Task } from "./tasks/index.ts";

export interface Contender {
  readonly name: string;
  readonly process: EngineProcess;
  outcome: Outcome;
  readonly times: number[];
}

/** Rounds go on past the least number while they are this short in sum, up to `mostRounds`. */
const roundsMs = 4000;
const mostRounds = 25;

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Calls `work` for each contender still in the race; one that fails is out. An abort ends the race. */
export async function each(
  contenders: readonly Contender[],
  signal: AbortSignal,
  work: (c: Contender) => Promise<void>,
): Promise<void> {
  for (const contender of contenders) {
    signal.throwIfAborted();
    if (contender.outcome.failed !== undefined) continue;
    try {
      await work(contender);
    } catch (error) {
      signal.throwIfAborted();
      contender.outcome = { ...contender.outcome, failed: message(error) };
      await contender.process.close();
    }
  }
}

/** Starts the engine, makes the first call and checks the result. */
export async function prepare(
  contender: Contender,
  task: Task,
  check: Check,
  started: (info: EngineInfo, device: string) => void,
): Promise<void> {
  const { name, process } = contender;
  const { device, version, importMs, initMs } = await process.call("start", { engine: name });
  started({ name, version, importMs, initMs }, device);
  await process.call("open", { task: task.id });
  const first = await process.call("first", {});
  contender.outcome = { first };
  contender.outcome = { first, ...check(await process.call("check", {})) };
}

/** Times the contenders in turns: A B A B, each so many `executions` in a row. */
export async function time(
  contenders: readonly Contender[],
  least: number,
  executions: number,
  signal: AbortSignal,
  tick: (share: number) => void,
): Promise<void> {
  const begin = performance.now();
  for (let round = 0; round < mostRounds; round++) {
    const spent = performance.now() - begin;
    if (round >= least && spent > roundsMs * contenders.length * 0.5) break;
    await each(contenders, signal, async (contender) => {
      const { ms } = await contender.process.call("time", { executions });
      contender.times.push(...ms);
    });
    tick(Math.min(1, (round + 1) / least));
  }
  for (const contender of contenders) {
    if (contender.outcome.failed !== undefined || contender.times.length === 0) continue;
    contender.outcome = { ...contender.outcome, times: contender.times, summary: summarize(contender.times) };
  }
}

/**
 * Counts of one execution. For training the difference of 8 and 4 steps, so that the wait at the end drops out;
 * the peak is then that of 8 steps in flight. Bytes alive are those after executions that were each waited for.
 */
export async function count({ process, outcome }: Contender, task: Task): Promise<Outcome> {
  const { counts, bytes, bytesMoved, gpuMs } = await process.call("count", { steps: 1 });
  const alive = {
    ...outcome,
    bytesAlive: bytes.alive,
    ...(bytesMoved !== undefined && { bytesMoved }),
    ...(gpuMs !== undefined && { gpuMs }),
  };
  if (task.kind === "op") return { ...alive, counts, bytesPeak: bytes.peak };
  const few = await process.call("count", { steps: 4 });
  const more = await process.call("count", { steps: 8 });
  return { ...alive, counts: mapCounts(more.counts, few.counts, (e, f) => (e - f) / 4), bytesPeak: more.bytes.peak };
}

/** What a start took in the median, part by part; its time is that to the first result. */
export function coldOutcome(outcome: Outcome, starts: readonly ColdTimes[]): Outcome {
  const times = starts.map(({ importMs, initMs, firstMs }) => importMs + initMs + firstMs);
  const middle = (part: keyof ColdTimes): number => summarize(starts.map((start) => start[part])).median;
  const cold: ColdTimes = {
    importMs: middle("importMs"),
    initMs: middle("initMs"),
    firstMs: middle("firstMs"),
    otherMs: middle("otherMs"),
    againMs: middle("againMs"),
  };
  return { ...outcome, times, summary: summarize(times), cold };
}
