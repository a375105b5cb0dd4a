/** The tasks that all engines can do, T1 to T15, and the kernels of jnx. */
import { kernels } from "./kernels.ts";
import { otherOps, plainOps } from "./ops.ts";
import type { Task } from "./task.ts";
import { trainTasks } from "./training.ts";

export { input, type ColdTask, type Input, type Inputs, type OpTask, type Task, type TrainTask } from "./task.ts";

export { kernels };
export const tasks: readonly Task[] = [...plainOps, ...trainTasks, ...otherOps];
const everything: readonly Task[] = [...tasks, ...kernels];

/** The task or kernel of that name; throws with the names there are. */
export function findTask(id: string): Task {
  const task = everything.find((candidate) => candidate.id === id);
  if (task === undefined) {
    throw new Error(`tasks: no task "${id}"; there are ${everything.map((t) => t.id).join(", ")}`);
  }
  return task;
}

/**
 * Tasks and kernels by pattern: an id ("T7"), the part of one before a dot or slash ("T1", "reduce"), a part of a title
 * ("softmax"), or a glob of ids ("T1*"); all of them without one. Throws when nothing fits.
 */
export function matching(pattern: string | undefined): readonly Task[] {
  if (pattern === undefined) return everything;
  const wanted = pattern.toLowerCase();
  const fits = ({ id, title }: Task): boolean => {
    const name = id.toLowerCase();
    if (wanted.includes("*")) return globOf(wanted).test(name);
    if (name === wanted || name.startsWith(`${wanted}.`) || name.startsWith(`${wanted}/`)) return true;
    return wanted.length > 3 && title.toLowerCase().includes(wanted);
  };
  const found = everything.filter(fits);
  if (found.length === 0) throw new Error(`tasks: nothing fits "${pattern}"; the command list shows what there is`);
  return found;
}

function globOf(pattern: string): RegExp {
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}
