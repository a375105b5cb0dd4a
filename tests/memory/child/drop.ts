/** Prints the most bytes alive while 2,000 results of 1 MiB are made and dropped. */
import { adapterName } from "@jnx/testing";
import { init, jax, jnp, memory } from "jnx";

await init({ device: adapterName() });
const x = jnp.ones([1024, 256]).add(jnp.array([0.5]));
await jax.blockUntilReady(x);
const before = memory().live;
let most = 0;
for (let n = 0; n < 2000; n++) {
  x.add(n);
  if (n % 16 === 0) await jax.blockUntilReady(x);
  most = Math.max(most, memory().live - before);
}
console.log(most);
