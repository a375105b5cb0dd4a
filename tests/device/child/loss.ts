/** Run by init.spec.ts in a process of its own: init() after a loss gives a new device that works. */
import { initDevice } from "@jnx/testing";
import { executor, memory } from "@jnx/tensor";
import { mixLaunch, numbers, rejection, upload } from "../kit.ts";

for (let round = 0; round < 3; round++) {
  await initDevice();
  const x = upload(executor(), Uint32Array.of(round));
  const y = upload(executor(), Uint32Array.of(1));
  executor().run(mixLaunch(x, y, 1, 2));
  console.log((await numbers(executor(), y, 1)).join());
  const pending = rejection(executor().read(y, 4));
  executor().destroy();
  console.log((await pending).name, memory().live);
}
