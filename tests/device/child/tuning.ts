/** Run by tuning.spec.ts in a process of its own: which tunings init takes, and what it says to others. */
import { executor } from "@jnx/tensor";
import { init, jnp, type InitOptions } from "jnx";

/** The folded answer of one attempt, on a line. */
async function attempt(label: string, tuning?: InitOptions["tuning"]): Promise<void> {
  try {
    await init({ device: "swiftshader", ...(tuning !== undefined && { tuning }) });
    const sum = await jnp.sum(jnp.matmul(jnp.ones([100, 90]), jnp.ones([90, 100]))).item();
    console.log(`${label}: ${sum} with ${JSON.stringify(executor().limits.tuning ?? "no tuning")}`);
    executor().destroy();
  } catch (error) {
    console.log(`${label}: ${error instanceof Error ? `${error.name} ${error.message}` : String(error)}`);
  }
}

if (process.env["JNX_TUNING"] !== undefined) await attempt("file");
else {
  const { adapter, description } = await init({ device: "swiftshader" });
  executor().destroy();
  const key = `${adapter} / ${description}`;
  const format = "jnx-tuning-1";
  await attempt("ours", { format, adapters: { [key]: { matmul: { group: 64, small: 0 }, reduce: { group: 32 } } } });
  await attempt("another's", { format, adapters: { another: { matmul: { group: 64 } } } });
  await attempt("none", false);
  await attempt("wrong", { format, adapters: { [key]: { matmul: { group: 48 } } } });
}
