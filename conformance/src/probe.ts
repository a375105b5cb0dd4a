/** A short program on the CPU device, for any host: what it computed, bit for bit, and with how many threads. */
import { executor } from "@jnx/tensor";
import { init, jax, jnp, nn, random } from "jnx";

/** What a host made of the program. */
export interface Probe {
  /** The adapter's description: threads, fused multiply-add. */
  readonly device: string;
  /** A hash of the bits of every result, by name. */
  readonly results: Readonly<Record<string, string>>;
  /** Portions of work that threads other than the calling one took. */
  readonly shared: number;
  /** The first element of a result by `itemSync`, or the message of its refusal. */
  readonly sync: number | string;
}

const SIZE = 384;

/** FNV-1a over the bytes, as hexadecimal. */
function hash(data: ArrayBufferView): string {
  let state = 0x811c9dc5;
  for (const byte of new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    state = Math.imul(state ^ byte, 0x01000193);
  return (state >>> 0).toString(16);
}

function sync(x: { itemSync(): number }): number | string {
  try {
    return x.itemSync();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Fused multiply-add is left out: its last bits differ from engine to engine. */
export async function probe(): Promise<Probe> {
  const { description } = await init({ device: "wasm", wasm: { relaxedSimd: false } });
  const x = random.normal(random.key(1), [SIZE, SIZE]);
  const [loss, gradient] = jax.valueAndGrad((w: typeof x) => jnp.mean(jnp.square(nn.softmax(jnp.matmul(x, w)))))(x);
  const named = { bits: x, product: jnp.matmul(x, x), sorted: jnp.sort(x), loss, gradient };
  const results: Record<string, string> = {};
  for (const [name, tensor] of Object.entries(named)) results[name] = hash(await tensor.data());
  // Workers take a moment to start; products until one has taken part, or it is clear that none will.
  const { sharedPortions } = executor() as { sharedPortions?: number };
  let shared = sharedPortions ?? 0;
  for (const until = performance.now() + 5000; shared === 0 && performance.now() < until;) {
    await jnp.matmul(x, x).data();
    shared = (executor() as { sharedPortions?: number }).sharedPortions ?? 0;
    if (!description.includes("threads")) break;
  }
  return { device: description, results, shared, sync: sync(jnp.sum(jnp.array([1, 2]))) };
}

// Pages and workers ask for it; programs print it.
const host = globalThis as { document?: unknown; jnxProbe?: typeof probe; WorkerGlobalScope?: unknown };
host.jnxProbe = probe;
if (host.document === undefined && host.WorkerGlobalScope === undefined) console.log(JSON.stringify(await probe()));
