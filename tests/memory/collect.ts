import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
// What the flag puts into new contexts.
const gc = runInNewContext("gc") as () => void;

/** Collects what other tests dropped, finalizers included: exact counts of live bytes start from here. */
export async function collect(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    gc();
    await setTimeout(5);
  }
}
