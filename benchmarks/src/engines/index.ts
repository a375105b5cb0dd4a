/** The engines by name. */
import type { Backend } from "../adapter.ts";
import type { Task } from "../tasks/index.ts";
import type { EngineModule } from "./engine.ts";

const modules: Readonly<Record<string, () => Promise<EngineModule>>> = {
  jnx: async () => (await import("./jnx/index.ts")).functional,
  "jnx-nnx": async () => (await import("./jnx/index.ts")).stateful,
  bare: async () => (await import("./bare/index.ts")).bare,
  encoded: async () => (await import("./bare/index.ts")).encoded,
  jaxjs: () => import("./jaxjs/index.ts"),
  tfjs: () => import("./tfjs/index.ts"),
};

export const engineNames: readonly string[] = Object.keys(modules);

/** What the engines are, for the terminal's help and the reports. */
export const engineTitles: Readonly<Record<string, string>> = {
  jnx: "jnx",
  "jnx-nnx": "jnx, nnx API",
  bare: "jnx's commands by bare WebGPU calls",
  encoded: "jnx's commands, encoded beforehand",
  jaxjs: "jax-js",
  tfjs: "tfjs",
};

/**
 * Whether the engine can do the task as it is described: tfjs has no jit, nnx differs from jnx in training only, and commands given
 * again train nothing, as a step's state has moved on.
 */
export function supports(engine: string, task: Task): boolean {
  // Kernels have ids with a slash.
  if (task.id.includes("/")) return engine === "jnx";
  if (engine === "tfjs") return task.id !== "T3";
  if (engine === "bare" || engine === "encoded") return task.kind === "op";
  return engine !== "jnx-nnx" || task.kind === "train";
}

/** Does once, before a run, what engines need: bundling. */
export async function prepareEngines(names: readonly string[], backend: Backend): Promise<void> {
  for (const name of names) await (await findEngine(name)).prepare?.(backend);
}

/** Imports our side of an engine; the engine itself is imported by `load()`. */
export async function findEngine(name: string): Promise<EngineModule> {
  const module = modules[name];
  if (module === undefined) {
    throw new Error(`engines: no engine "${name}"; there are ${engineNames.join(", ")}`);
  }
  return module();
}
