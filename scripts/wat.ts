/** `npx -y pnpm@12 wat kernel.wgsl`: what the CPU's compiler makes of a kernel, as text. `--fma`, `--shared` and `--clamp` are its options. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { compile, disassemble } from "../packages/wgsl-wasm/src/compiler/index.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { fma: { type: "boolean" }, shared: { type: "boolean" }, clamp: { type: "boolean" } },
});
const [file] = positionals;
if (file === undefined) throw new Error("wat: no file given; pnpm wat packages/kernels-wgsl/src/matmul/tile.wgsl");
const { fma = false, shared = false, clamp = false } = values;
const kernel = compile(readFileSync(file, "utf8"), { relaxedSimd: fma, sharedMemory: shared, clampIndices: clamp });
console.log(disassemble(kernel.bytes));
