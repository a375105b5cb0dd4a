/** Every hand-written kernel, for tests that look at all of them. */
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { link, type Kernel, type LinkedKernel, type WgslFunction } from "@jnx/kernels-wgsl";

const SOURCES = path.join(import.meta.dirname, "../../packages/kernels-wgsl/src");

/** Names and files. */
export const KERNELS: readonly (readonly [name: string, file: string])[] = readdirSync(SOURCES)
  .map((folder) => path.join(SOURCES, folder))
  .filter((folder) => statSync(folder).isDirectory())
  .flatMap((folder) => readdirSync(folder).map((file) => path.join(folder, file)))
  .filter((file) => file.endsWith(".wgsl") && !file.endsWith("functions.wgsl"))
  .map((file) => [path.basename(file), file]);

/** As it stands, with the functions that it uses. */
export async function linked(file: string): Promise<LinkedKernel> {
  const made: Readonly<Record<string, Kernel | WgslFunction>> = await import(`${file}.gen.ts`);
  const kernel = Object.values(made).find((part) => "workgroupSize" in part);
  if (kernel === undefined) throw new Error(`${file} holds no kernel`);
  return link(kernel);
}

export async function linkedText(file: string): Promise<string> {
  return (await linked(file)).code;
}
