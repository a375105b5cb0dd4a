// Copied by init.spec.ts beside a bundle of the package, in a folder where nothing is installed.
import * as jnx from "./jnx.mjs";

const loaded = process.report.getReport().sharedObjects.filter((file) => /dawn|vulkan/i.test(file));
console.log(`loaded: ${loaded.join()}`);
try {
  await jnx.init(process.argv[2] === undefined ? {} : { device: process.argv[2] });
} catch (error) {
  console.log(error.name);
  console.log(error.message);
}
