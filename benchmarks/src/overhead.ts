/** What a call costs the thread that makes it: tracing is done, the device is idle and its own work is not counted. */
import { init, jax, jnp, nnx, type Tensor } from "jnx";
import { isObject, wrapAround, type Around } from "./wrap.ts";

export type OverheadDevice = "swiftshader" | "lavapipe" | "wasm";

/** Microseconds of the thread that calls. */
export interface Times {
  readonly min: number;
  readonly median: number;
}

/** What one kind of call costs. What the device does is never waited for within a time. */
export interface CallCost {
  readonly name: string;
  /** A call by itself, the device idle before it. */
  readonly alone: Times;
  /** One of many in a row: calls that only queue share the cost of submitting what they queued. */
  readonly inARow: Times;
  /** What of the latter is spent within WebGPU's own methods; undefined where there is no WebGPU. */
  readonly webgpu: Times | undefined;
  readonly calls: number;
}

const VARIABLES = 100;
const WARM_ROUNDS = 20;
const ROUNDS = 150;
/** Calls in a row: an eager call queues, and 128 dispatches are submitted together. */
const ROW = 128;
/** Jitted calls submit by themselves. */
const JIT_ROW = 8;

/** A model of many Variables, none of which costs the device much. */
class Many extends nnx.Module {
  readonly weights: nnx.Param[];
  constructor() {
    super();
    this.weights = nnx.data(Array.from({ length: VARIABLES }, () => new nnx.Param(jnp.ones([8, 8]))));
  }
}

/** A call to be measured, and how many of it make a row. */
interface Measured {
  readonly name: string;
  readonly row: number;
  call(): unknown;
}

/** Microseconds that `calls` calls take each. */
function timeOf({ call }: Measured, calls: number): number {
  const begin = performance.now();
  for (let k = 0; k < calls; k++) call();
  return (1000 * (performance.now() - begin)) / calls;
}

/** The kinds of calls take turns, so that the machine's drift hits all alike; `settle` waits for the device, untimed. */
async function rounds(
  all: readonly Measured[],
  time: (measured: Measured) => number,
  settle: () => Promise<void>,
): Promise<number[][]> {
  const times: number[][] = all.map(() => []);
  for (let round = 0; round < WARM_ROUNDS + ROUNDS; round++) {
    for (const [k, measured] of all.entries()) {
      const spent = time(measured);
      await settle();
      if (round >= WARM_ROUNDS) times[k]?.push(spent);
    }
  }
  return times;
}

function summary(times: readonly number[]): Times {
  const sorted = [...times].sort((a, b) => a - b);
  return { min: sorted[0] ?? NaN, median: sorted[Math.floor(sorted.length / 2)] ?? NaN };
}

/** Microseconds spent within WebGPU's methods from now on; they are wrapped, which costs a little itself. */
function clockWebGPU(classes: object): () => number {
  let spent = 0;
  const timed: Around = (_self, args, call) => {
    const begin = performance.now();
    const result = call(args);
    spent += performance.now() - begin;
    return result;
  };
  for (const name of ["GPUDevice", "GPUQueue", "GPUCommandEncoder", "GPUComputePassEncoder", "GPUBuffer"]) {
    const constructor: unknown = Reflect.get(classes, name);
    const prototype: unknown = typeof constructor === "function" ? constructor.prototype : undefined;
    if (!isObject(prototype)) continue;
    for (const method of Object.getOwnPropertyNames(prototype)) {
      const own = Object.getOwnPropertyDescriptor(prototype, method);
      if (method !== "constructor" && typeof own?.value === "function") wrapAround(classes, name, method, timed);
    }
  }
  return () => 1000 * spent;
}

/** A step over a tree of arrays, the same step over a model's Variables, an eager layer and an eager op. */
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
  const x = jnp.array(new Float32Array(64), { shape: [1, 64] });
  const c = jnp.array(new Float32Array(64).fill(1), { shape: [8, 8] });
  let sum = c;
  const all: readonly Measured[] = [
    { name: `jax.jit, ${VARIABLES} arrays`, row: JIT_ROW, call: () => (arrays = step(arrays)) },
    { name: `nnx.jit, ${VARIABLES} Variables`, row: JIT_ROW, call: () => train(model) },
    { name: "eager nnx.Linear(64, 64)", row: ROW, call: () => linear.call(x) },
    { name: "eager x + c, 8x8", row: ROW, call: () => (sum = jnp.add(sum, c)) },
  ];
  // A read is in order with all that was queued before it.
  const settle = async (): Promise<void> => void (await jnp.add(c, c).data());
  const alone = await rounds(all, (measured) => timeOf(measured, 1), settle);
  const inARow = await rounds(all, (measured) => timeOf(measured, measured.row), settle);
  const webgpu = adapter === "wasm" ? undefined : await webgpuShare(all, settle);
  return all.map(({ name, row }, k) => ({
    name,
    alone: summary(alone[k] ?? []),
    inARow: summary(inARow[k] ?? []),
    webgpu: webgpu && summary(webgpu[k] ?? []),
    calls: ROUNDS * row,
  }));
}

async function webgpuShare(all: readonly Measured[], settle: () => Promise<void>): Promise<number[][]> {
  const { globals } = await import("webgpu");
  const clock = clockWebGPU(globals);
  const spent = (measured: Measured): number => {
    const before = clock();
    timeOf(measured, measured.row);
    return (clock() - before) / measured.row;
  };
  return rounds(all, spent, settle);
}
