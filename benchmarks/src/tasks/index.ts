/** The tasks that all engines can do, T1 to T15. */
import { otherOps, plainOps } from "./ops.ts";
import type { Task } from "./task.ts";
import { trainTasks } from "./training.ts";

export { input, type ColdTask, type Input, type Inputs, type OpTask, type Task, type TrainTask } from "./task.ts";

export const tasks: readonly Task[] = [...plainOps, ...trainTasks, ...otherOps];

/** The task of that name; throws with the names there are. */
export function findTask(id: string): Task {
  const task = tasks.find((candidate) => candidate.id === id);
  if (task === undefined) {
    throw new Error(`tasks: no task "${id}"; there are ${tasks.map((t) => t.id).join(", ")}`);
  }
  return task;
}
