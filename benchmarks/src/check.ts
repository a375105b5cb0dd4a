/** Results held against float64 before anything is timed. */
import type { Checked } from "./protocol.ts";
import { movementError, normalError, relativeError } from "./reference/errors.ts";
import type { Outcome } from "./results.ts";
import type { ColdTask, OpTask, Task, TrainTask } from "./tasks/index.ts";

/** How far off results are; `failed` is set when that is too far. */
export type Check = (checked: Checked) => Outcome;

/** The check of a task; computing what is right takes a while, so make it once. */
export function checkOf(task: Task): Check {
  switch (task.kind) {
    case "op":
      return opCheck(task);
    case "train":
      return trainCheck(task);
    case "cold":
      return coldCheck(task);
  }
}

function opCheck(task: OpTask): Check {
  const { reference, tolerance } = task;
  if (reference === "normal") {
    return ({ outputs }) => {
      const error = normalError(outputs[0] ?? [], (task.bytes ?? 0) / 4);
      if (error <= tolerance) return { error };
      return { error, failed: `not normally distributed: off by ${error.toFixed(1)} times what chance explains` };
    };
  }
  const want = reference(task.inputs());
  return ({ outputs }) => {
    const error = relativeError(outputs[0] ?? [], want);
    if (error <= tolerance) return { error };
    return { error, failed: `wrong result: off by ${error.toExponential(1)} (allowed ${tolerance})` };
  };
}

function trainCheck(task: TrainTask): Check {
  const want = task.reference(task.inputs(), 3);
  return ({ outputs, losses }) => {
    const errors = want.losses.map((loss, i) => Math.abs((losses[i] ?? NaN) - loss) / Math.abs(loss));
    const error = errors.some(Number.isNaN) ? Infinity : Math.max(...errors);
    const movement = movementError(outputs, want);
    const outcome = { error, movementError: movement };
    if (error <= task.tolerance && movement <= 0.02) return outcome;
    const failed = `wrong step: losses off by ${error.toExponential(1)}, parameters by ${movement.toExponential(1)} of their movement`;
    return { ...outcome, failed };
  };
}

function coldCheck({ first, second }: ColdTask): Check {
  const checks = [opCheck(first), opCheck(second)];
  return ({ outputs }) => {
    const outcomes = checks.map((check, i) => check({ outputs: outputs.slice(i, i + 1), losses: [] }));
    const bad = outcomes.find(({ failed }) => failed !== undefined);
    return bad ?? { error: Math.max(...outcomes.map(({ error = Infinity }) => error)) };
  };
}
