/** What a call costs the thread that makes it: tracing is done, the device is idle and its own work is not counted. */
import { init, jax, jnp, nnx, type Tensor } from "jnx";

export type OverheadDevice = "swiftshader" | "lavapipe" | "wasm";

/** Microseconds of a call, over many calls. */
export interface CallCost {
  readonly name: string;
  readonly min: number;
  readonly median: number;
  readonly calls: number;
}

const VARIABLES = 100;
const WARM_CALLS = 50;
const CALLS = 400;

/** A model of many Variables, none of which costs the device much. */
class Many extends nnx.Module {
  readonly weights: nnx.Param[];
  constructor() {
    super();
    this.weights = nnx.data(Array.from({ length: VARIABLES }, () => new nnx.Param(jnp.ones([8, 8]))));
  }
}

type Call = () => unknown;

/** Each call alone, the device idle before it. The calls take turns, so that the machine's drift hits all alike. */
async function measure(calls: Readonly<Record<string, Call>>, settle: () => Promise<void>): Promise<CallCost[]> {
  const times = new Map<string, number[]>(Object.keys(calls).map((name) => [name, []]));
  for (let round = 0; round < WARM_CALLS + CALLS; round++) {
    for (const [name, call] of Object.entries(calls)) {
      const begin = performance.now();
      call();
      const spent = 1000 * (performance.now() - begin);
      await settle();
      if (round >= WARM_CALLS) times.get(name)?.push(spent);
    }
  }
  return [...times].map(([name, all]) => {
    all.sort((a, b) => a - b);
    return { name, min: all[0] ?? NaN, median: all[Math.floor(all.length / 2)] ?? NaN, calls: all.length };
  });
}

/** A step over a tree of arrays, the same step over a model's Variables, and an eager layer. */
export async function measureOverhead(adapter: OverheadDevice): Promise<readonly CallCost[]> {
  await init({ device: adapter });
  const shrink = (w: Tensor): Tensor => jnp.multiply(w, 0.999);
  const step = jax.jit((ws: Tensor[]) => ws.map(shrink), { donateArgnums: 0 });
  let arrays = Array.from({ length: VARIABLES }, () => jnp.ones([8, 8]));
  const model = new Many();
  const train = nnx.jit((m: Many) => {
    for (const weight of m.weights) weight.value = shrink(weight.value);
  });
  const linear = new nnx.Linear(64, 64, { rngs: new nnx.Rngs(0) });
  const x = jnp.ones([1, 64]);
  let last: Tensor = x;
  const calls = {
    [`jax.jit, ${VARIABLES} arrays`]: () => (arrays = step(arrays)),
    [`nnx.jit, ${VARIABLES} Variables`]: () => train(model),
    "eager nnx.Linear(64, 64)": () => (last = linear.call(x)),
  };
  // Reads are in order with all that was queued before them.
  return measure(calls, async () => void (await last.data()));
}
