/** What the CPU can do at most, all cores, by the same two kernels as on a GPU: WebAssembly SIMD is the machine here. */
import type { Binding, LinkedKernel } from "@jnx/kernels-wgsl";
import { wasmExecutor } from "@jnx/wgsl-wasm";
import {
  aluFlops,
  aluGroups,
  aluSource,
  copyBytes,
  copyGroups,
  copySource,
  roundTrip,
  type Roofline,
} from "./roofline.ts";

function storage(binding: number, name: string, access: Binding["access"]): Binding {
  return { group: 0, binding, name, access };
}

/**
 * Chains to choose the best of: a core has several additions and multiplications in flight, each some cycles long, so that few
 * chains wait for themselves (all the more where an addition follows a multiplication), and registers for no more than 13.
 */
const chainCounts = [8, 10, 12, 13];

/** Measures this process's cores. */
export async function measureCpu(): Promise<Roofline> {
  const executor = wasmExecutor();
  const [x, y] = [executor.allocate(copyBytes, "roofline"), executor.allocate(copyBytes, "roofline")];
  const seconds = async (work: () => void): Promise<number> => {
    let best = Infinity;
    for (let repetition = 0; repetition < 12; repetition++) {
      await executor.settled();
      const begin = performance.now();
      work();
      await executor.settled();
      // The first calls compile, and V8 optimises a while longer.
      if (repetition > 3) best = Math.min(best, (performance.now() - begin) / 1000);
    }
    return best;
  };
  const run = (kernel: LinkedKernel, buffers: readonly (typeof x)[], groups: number) => (): void =>
    executor.run({ label: kernel.name, kernel, buffers, uniforms: [], grid: [groups, 1, 1] });
  const copy = {
    name: "copy",
    code: copySource,
    bindings: [storage(0, "x", "read"), storage(1, "y", "read_write")],
  };
  executor.write(x, new Uint8Array(copyBytes));
  let flops = 0;
  for (const chains of chainCounts) {
    const alu = { name: `alu${chains}`, code: aluSource(chains), bindings: [storage(0, "y", "read_write")] };
    flops = Math.max(flops, aluFlops(chains) / (await seconds(run(alu, [y], aluGroups))));
  }
  const copySeconds = await seconds(run(copy, [x, y], copyGroups));
  const small = run(copy, [x, y], 1);
  const roundTripUs = await roundTrip(async () => {
    small();
    await executor.settled();
  });
  const blockSeconds = await seconds(() => executor.copy(x, y, copyBytes));
  executor.destroy();
  return {
    gflops: flops / 1e9,
    kernelGBs: (2 * copyBytes) / copySeconds / 1e9,
    copyGBs: (2 * copyBytes) / blockSeconds / 1e9,
    roundTripUs,
  };
}
