/** Run by init.spec.ts in a process of its own: uses the device, leaves work behind, and has to end by itself. */
import { initDevice } from "@jnx/testing";
import { executor } from "@jnx/tensor";
import { mixLaunch, numbers, upload } from "../kit.ts";

const info = await initDevice();
const x = upload(executor(), Uint32Array.of(4));
const y = upload(executor(), Uint32Array.of(1));
executor().run(mixLaunch(x, y, 1, 2));
console.log(`${info.adapter}: ${(await numbers(executor(), y, 1)).join()}`);
// Neither awaited nor flushed.
for (let i = 0; i < 1000; i++) executor().run(mixLaunch(x, y, 1, 2));
void executor().read(y, 4);
