/**
 * Run by init.spec.ts in a process of its own: a compiled training step over fifty devices, each lost while a step is under
 * way, gives what it gives on one. Prints both losses, live bytes after each loss, and how much the process grew.
 */
import { grad } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import { initDevice } from "@jnx/testing";
import * as t from "@jnx/tensor";
import { rejection } from "../kit.ts";

const CYCLES = 50;
const x = Float32Array.of(0.5, -1, 2);
const step = jit((w: t.Tensor, at: t.Tensor) => {
  const loss = (v: t.Tensor): t.Tensor => t.mean(t.square(t.sub(t.mul(v, at), 1)));
  return [t.sub(w, t.mul(grad(loss)(w), 0.1)), loss(w)] as const;
});

/** Steps from `weights`; every device is lost in the middle of a step that is then taken again on the next. */
async function train(losing: boolean): Promise<number> {
  let weights = Float32Array.of(1, 1, 1);
  let loss = 0;
  let settled = 0;
  for (let k = 0; k < CYCLES; k++) {
    await initDevice();
    const [w, value] = step(t.array(weights), t.array(x));
    weights = Float32Array.from(await w.data());
    loss = await value.item();
    if (!losing) continue;
    const [next] = step(t.array(weights), t.array(x));
    const pending = rejection(next.data());
    t.executor().destroy();
    const { name } = await pending;
    if (name !== "DeviceLostError" || t.memory().live !== 0) throw new Error(`${name}, ${t.memory().live} bytes live`);
    if (k === 9) settled = process.memoryUsage().rss;
  }
  if (losing) console.log(`grew ${Math.round((process.memoryUsage().rss - settled) / 2 ** 20)} MiB in 40 devices`);
  return loss;
}

const lost = await train(true);
console.log(lost === (await train(false)) && lost < 0.3, lost);
