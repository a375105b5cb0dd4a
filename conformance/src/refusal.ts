/** A kernel of a user's own that is right, and of which Chrome 147's compiler makes no pipeline: what jnx says then. */
import { executor } from "@jnx/tensor";
import { init } from "jnx";

// That compiler loses `any` of a scalar behind &&; the module is valid and the pipeline is not.
const kernel = {
  name: "countdown",
  code: `@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1)
fn main() {
  for (var k = 0u; k < 8u && any(y[0] > 0u); k += 1u) {
    y[0] -= 1u;
  }
}
`,
  bindings: [{ group: 0, binding: 0, name: "y", access: "read_write" }],
} as const;

/** The error of the kernel's launch; undefined if it ran. */
export async function refusal(): Promise<string | undefined> {
  await init({ device: "webgpu" });
  const device = executor();
  const y = device.allocate(4, "countdown");
  device.run({ label: "countdown", kernel, buffers: [y], uniforms: [], grid: [1, 1, 1] });
  try {
    await device.settled();
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    device.release(y);
  }
}

(globalThis as { jnxRefusal?: typeof refusal }).jnxRefusal = refusal; // for whoever drives the page
