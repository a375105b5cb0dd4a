// Copied by init.spec.ts beside a bundle of the package, in a folder where nothing is installed.
import * as jnx from "./jnx.mjs";

const loaded = process.report.getReport().sharedObjects.filter((file) => /dawn|vulkan/i.test(file));
console.log(`loaded: ${loaded.join()}`);
try {
  const { kind, description } = await jnx.init(process.argv[2] === undefined ? {} : { device: process.argv[2] });
  const result = await jnx.jnp.arange(3).mul(2).add(3).data();
  console.log(`${kind} ${description}: ${[...result].join()}`);
} catch (error) {
  console.log(error.name);
  console.log(error.message);
}
