/** jnx: every task under jax.jit, but for the eager ones; training also through nnx, as an engine of its own. */
import type { Tensor } from "jnx";
import { input, type OpTask, type TrainTask } from "../../tasks/index.ts";
import { bundle } from "../bundle.ts";
import { entry, float32, need, type Engine, type EngineModule, type Job } from "../engine.ts";
import { importJnx, upload, type Jnx } from "./engine.ts";
import { kernelOperations } from "./kernels.ts";
import { operations } from "./ops.ts";
import { openStateful } from "./stateful.ts";
import { openTraining, type Training } from "./training.ts";

async function prepare(): Promise<void> {
  const contents = `export * from "jnx";
import { executor } from "@jnx/tensor";
export { nap } from "../packages/jnx/src/device/nap.ts";
export const settled = () => executor().settled();`;
  await bundle("jnx", { contents, external: ["webgpu", "@sparticuz/chromium"], conditions: ["@jnx/source"] });
}

async function openOp(jnx: Jnx, task: OpTask): Promise<Job> {
  const { f, args } = entry({ ...operations(jnx), ...kernelOperations(jnx) }, task, "jnx");
  const inputs = task.inputs();
  const operands = args.map((name) => upload(jnx, input(inputs, name)));
  await jnx.settled();
  let last: Tensor | undefined;
  const job: Job = {
    step() {
      last = f(...operands);
    },
    wait: jnx.settled,
    async read() {
      return float32(await last?.data(), "jnx");
    },
  };
  if (!("explain" in f)) return job;
  // What jit gives has it; the table's type is that of any function.
  const { explain } = f as ReturnType<typeof jnx.jax.jit<typeof f>>;
  return { ...job, bytesMoved: () => explain(...operands).bytesMoved };
}

async function openTrain(jnx: Jnx, task: TrainTask, open: OpenTraining): Promise<Job> {
  const training = open(jnx, task);
  let loss: Tensor | undefined;
  await jnx.settled();
  return {
    step() {
      loss = training.step();
    },
    wait: jnx.settled,
    async read() {
      return float32(await loss?.data(), "jnx");
    },
    async params() {
      const out: Float32Array[] = [];
      for (const name of task.params)
        out.push(float32(await need(training.param(name), `parameter ${name}`).data(), "jnx"));
      return out;
    },
    ...(training.bytesMoved && { bytesMoved: training.bytesMoved }),
  };
}

type OpenTraining = (jnx: Jnx, task: TrainTask) => Training;

function engine(training: OpenTraining): EngineModule {
  return {
    prepare,
    async load(backend): Promise<Engine> {
      const jnx = await importJnx();
      return {
        version: "workspace",
        async start(tuning) {
          // "webgpu" is navigator.gpu where there is one, and there the harness has put the run's adapter.
          const info = await jnx.init({ device: backend, ...(tuning !== undefined && { tuning }) });
          return `${info.adapter} / ${info.description}`;
        },
        open: (task) => (task.kind === "op" ? openOp(jnx, task) : openTrain(jnx, task, training)),
      };
    },
  };
}

export const functional = engine(openTraining);
export const stateful = engine(openStateful);
