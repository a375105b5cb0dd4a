import { counters, type Counters } from "@jnx/tensor";

/** What `body` costs the device. */
export async function cost(body: () => Promise<unknown>): Promise<Counters> {
  const before = counters();
  await body();
  const after = counters();
  const keys = Object.keys(after) as (keyof Counters)[]; // an object of exactly these
  return Object.fromEntries(keys.map((key) => [key, after[key] - before[key]])) as unknown as Counters; // the same keys
}
