/** Finds how kernels should cut their work on an adapter: each choice in a process of its own, checked, timed in turns. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TuningFile } from "jnx";
import type { AdapterName } from "./adapter.ts";
import { checkOf } from "./check.ts";
import { EngineProcess } from "./harness.ts";
import { summarize, type Summary } from "./stats.ts";
import { findTask } from "./tasks/index.ts";

type Tuning = TuningFile["adapters"][string];

interface Family {
  readonly name: keyof Tuning;
  readonly groups: readonly number[];
  readonly tasks: readonly string[];
}

/** The first group of each is what plans take by themselves on a software adapter. */
export const families: readonly Family[] = [
  { name: "matmul", groups: [32, 16, 64, 128], tasks: ["T1.256", "T1.512", "matmul/nt-512"] },
  { name: "reduce", groups: [64, 16, 32, 128], tasks: ["reduce/rows", "reduce/columns", "T6"] },
  { name: "conv", groups: [32, 16, 64, 128], tasks: ["conv/3x3"] },
];

/** A choice replaces the plans' own only where it is faster by more than the machine drifts. */
const worthIt = 1.1;

export interface Choice {
  readonly family: string;
  /** Undefined for what plans do by themselves. */
  readonly group: number | undefined;
  /** The geometric mean over the tasks of how many times as fast it is as the plans' own choice. */
  readonly speedup: number;
}

export interface Tuned {
  readonly key: string;
  readonly tuning: Tuning;
  readonly choices: readonly Choice[];
}

export interface TuneOptions {
  readonly adapter: AdapterName;
  readonly repetitions: number;
  readonly signal: AbortSignal;
  progress(done: number, label: string): void;
}

interface Candidate {
  readonly group: number | undefined;
  readonly process: EngineProcess;
}

/** The best choice, if it beats the plans' own (group undefined) clearly. */
export function choose(choices: readonly Choice[]): number | undefined {
  const best = choices.reduce((a, b) => (b.speedup > a.speedup ? b : a));
  return best.speedup >= worthIt ? best.group : undefined;
}

/** How many times as fast, task by task, in the geometric mean: the smaller of minimum's and median's ratios. */
export function speedupOf(own: readonly Summary[], tried: readonly Summary[]): number {
  const ratios = own.map((mine, i) => {
    const other = tried[i];
    return other === undefined ? NaN : Math.min(mine.min / other.min, mine.median / other.median);
  });
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

/**
 * Tries a family's choices; the best must beat the plans' own again, against it alone in fresh processes: the same choice in
 * another process differs by up to a fifth where memory and cores are shared.
 */
async function tryFamily(family: Family, options: TuneOptions, tell: (share: number) => void): Promise<Tuned> {
  const { key, choices } = await measure(family, family.groups, options, (share) => tell(0.7 * share));
  const best = choose(choices);
  if (best === undefined) return { key, choices, tuning: {} };
  const again = await measure(family, [best], options, (share) => tell(0.7 + 0.3 * share));
  const group = choose(again.choices);
  return { key, choices, tuning: group === undefined ? {} : { [family.name]: { group } } };
}

/** The plans' own choice and others in turns; gives the adapter's key, too. */
async function measure(
  family: Family,
  groups: readonly number[],
  options: TuneOptions,
  tell: (share: number) => void,
): Promise<Pick<Tuned, "key" | "choices">> {
  const { adapter, repetitions, signal } = options;
  const candidates: Candidate[] = [];
  const summaries = new Map<number | undefined, Summary[]>();
  let key = "";
  try {
    for (const group of [undefined, ...groups]) {
      signal.throwIfAborted();
      const process = new EngineProcess(adapter);
      candidates.push({ group, process });
      key = await begin(process, key, family, group);
      summaries.set(group, []);
    }
    for (const [index, id] of family.tasks.entries()) {
      const times = await timeTask(id, candidates, repetitions, signal);
      for (const [group, one] of times) summaries.get(group)?.push(summarize(one));
      tell((index + 1) / family.tasks.length);
    }
  } finally {
    for (const { process } of candidates) await process.close();
  }
  const own = summaries.get(undefined) ?? [];
  const choices = [...summaries].map(([group, tried]) => ({
    family: family.name,
    group,
    speedup: speedupOf(own, tried),
  }));
  return { key, choices };
}

/** Starts jnx, first without a tuning, then, knowing the adapter's key, with one. */
async function begin(process: EngineProcess, key: string, family: Family, group: number | undefined): Promise<string> {
  const adapters = { [key]: { [family.name]: { group } } };
  const tuning = group === undefined ? false : ({ format: "jnx-tuning-1", adapters } as const);
  const { tuningKey } = await process.call("start", { engine: "jnx", tuning });
  if (tuningKey === undefined) throw new Error("tune: the engine does not say on which adapter it is");
  return tuningKey;
}

async function timeTask(
  id: string,
  candidates: readonly Candidate[],
  repetitions: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<number | undefined, number[]>> {
  const check = checkOf(findTask(id));
  const times = new Map<number | undefined, number[]>();
  for (const { group, process } of candidates) {
    signal.throwIfAborted();
    await process.call("open", { task: id });
    await process.call("first", {});
    const { failed } = check(await process.call("check", {}));
    if (failed !== undefined) throw new Error(`tune: ${id} in workgroups of ${group ?? "the plan's size"}: ${failed}`);
    times.set(group, []);
  }
  for (let round = 0; round < repetitions; round++) {
    for (const { group, process } of candidates) {
      signal.throwIfAborted();
      times.get(group)?.push(...(await process.call("time", { executions: 1 })).ms);
    }
  }
  return times;
}

/** Tries every family. */
export async function tune(options: TuneOptions): Promise<Tuned> {
  let tuned: Tuned = { key: "", tuning: {}, choices: [] };
  for (const [index, family] of families.entries()) {
    const tell = (share: number): void => options.progress((index + share) / families.length, family.name);
    tell(0);
    const { key, tuning, choices } = await tryFamily(family, options, tell);
    tuned = { key, tuning: { ...tuned.tuning, ...tuning }, choices: [...tuned.choices, ...choices] };
  }
  return tuned;
}

/** The file with this adapter's entry replaced; other adapters' entries stay. Throws when the file is none of ours. */
export function writeTuning(file: string, { key, tuning }: Pick<Tuned, "key" | "tuning">): void {
  const adapters = { ...readTuning(file), [key]: tuning };
  const content: TuningFile = { format: "jnx-tuning-1", adapters };
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(`${file}.part`, `${JSON.stringify(content, null, 2)}\n`);
  renameSync(`${file}.part`, file);
}

function readTuning(file: string): TuningFile["adapters"] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return {};
  }
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null || Reflect.get(parsed, "format") !== "jnx-tuning-1")
    throw new Error(`tune: ${file} is no tuning file of format jnx-tuning-1; name another with --out, or remove it`);
  // The format stands for the shape.
  return (parsed as TuningFile).adapters;
}
