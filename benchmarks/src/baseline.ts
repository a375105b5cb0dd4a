/** Puts an earlier run's engines beside a new run: counts are exact, times are scaled by the roofline and stay a rough guide. */
import type { Outcome, Results, TaskResult } from "./results.ts";
import { best } from "./rows.ts";

/** What marks an engine of an earlier run. */
export const baselineMark = " (baseline)";

/** How many times as fast the adapter was in the baseline's run, by what bounds the task. */
function speedup(task: TaskResult, baseline: Results, results: Results): number {
  const [then, now] = [best(baseline.roofline), best(results.roofline)];
  return task.flops === undefined ? then.kernelGBs / now.kernelGBs : then.gflops / now.gflops;
}

function scaled(outcome: Outcome, factor: number): Outcome {
  const { summary, first } = outcome;
  return {
    ...outcome,
    ...(first && { first: { ...first, ms: first.ms * factor } }),
    ...(summary && { summary: { ...summary, min: summary.min * factor, median: summary.median * factor } }),
  };
}

/** The results with the baseline's engines added to the tasks that both have; throws when the adapters differ. */
export function withBaseline(results: Results, baseline: Results): Results {
  if (results.device !== baseline.device) {
    throw new Error(`baseline: it is of "${baseline.device}", the run of "${results.device}"; take the same adapter's`);
  }
  const tasks = results.tasks.map((task) => {
    const earlier = baseline.tasks.find(({ id }) => id === task.id);
    const factor = speedup(task, baseline, results);
    const added = Object.entries(earlier?.outcomes ?? {}).map(([name, outcome]) => [
      `${name}${baselineMark}`,
      scaled(outcome, factor),
    ]);
    return { ...task, outcomes: { ...task.outcomes, ...Object.fromEntries(added) } };
  });
  return { ...results, tasks };
}
