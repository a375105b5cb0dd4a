/**
 * How often the compiler's functions and their loops run while training steps of 1, 2 and 3 times so many layers are
 * captured and planned, as JSON. Counted by the engine, which keeps count only where it does not optimize (--no-opt).
 */
import { grad } from "@jnx/autodiff";
import { Capture, planGraph } from "@jnx/compile/internal";
import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import { MINIMUM_LIMITS } from "../../../packages/testing/src/limits.ts";
import { Session, type Profiler } from "node:inspector";

/** Some of what is alike is looked at within bounds; past these lengths the bounds are reached. */
const LENGTHS = { matmuls: 200, softmaxes: 240, recurrence: 60, maps: 220, turns: 40 };

const normal = (x: Tensor): Tensor => t.div(t.exp(x), t.sum(t.exp(x), { axis: -1, keepdims: true }));

const steps: Record<keyof typeof LENGTHS, (x: Tensor, w: Tensor, first: Tensor) => Tensor> = {
  matmuls: (x, w) => t.tanh(t.matmul(x, w)),
  softmaxes: (x, w) => t.add(x, t.matmul(normal(x), w)),
  recurrence: (x, w, first) => {
    const gates = t.matmul(x, t.concatenate([w, w], { axis: 1 }));
    const [keep, put] = t.split(gates, 2, { axis: 1 }) as [Tensor, Tensor]; // two as asked
    return t.add(t.mul(t.sigmoid(keep), x), t.mul(t.tanh(put), first));
  },
  maps: (x) => t.add(t.mul(x, t.sin(x)), 1),
  turns: (x, w) => t.reshape(t.transpose(t.add(t.reshape(t.transpose(x), x.shape), t.matmul(x, w))), x.shape),
};

function compile(name: keyof typeof LENGTHS, length: number): void {
  const loss = (w: Tensor, first: Tensor): Tensor => {
    let x = first;
    for (let k = 0; k < length; k++) x = steps[name](x, w, first);
    return t.mean(x);
  };
  const level = new Capture("chain");
  const graph = level.run(() => {
    const inputs = [level.input(0, t.zeros([8, 8])), level.input(1, t.zeros([4, 8]))] as const;
    return level.finish(grad(loss, { argnums: [0, 1] })(...inputs));
  });
  planGraph(graph, new Set(), MINIMUM_LIMITS);
}

const session = new Session();
session.connect();

/** The session answers at once. */
function ask<T>(method: string, params: object = {}): T {
  let answer: unknown;
  session.post(method, params, (error, result) => {
    if (error !== null) throw error;
    answer = result;
  });
  return answer as T; // what the protocol says the method answers
}

function count(body: () => void): number {
  ask("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  body();
  const { result } = ask<Profiler.TakePreciseCoverageReturnType>("Profiler.takePreciseCoverage");
  ask("Profiler.stopPreciseCoverage");
  return result
    .filter(({ url }) => /packages\/(compile|autodiff|tensor)\//.test(url))
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
    .reduce((sum, range) => sum + range.count, 0);
}

ask("Profiler.enable");
const names = Object.keys(LENGTHS) as (keyof typeof LENGTHS)[]; // an object of exactly these
const counts = names.map((name) => {
  compile(name, 2);
  return [name, [1, 2, 3].map((times) => count(() => compile(name, times * LENGTHS[name])))];
});
console.log(JSON.stringify(Object.fromEntries(counts)));
