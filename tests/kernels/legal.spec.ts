import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { link, type Kernel, type WgslFunction } from "@jnx/kernels-wgsl";
import { makeAdapter } from "@jnx/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { splitSections } from "../../scripts/lib/wgsl-source.ts";

// Every .wgsl file as it stands, after the libraries that it names, by a compiler that checks types: `pnpm gen` only parses.

const SOURCES = path.resolve(import.meta.dirname, "../../packages/kernels-wgsl/src");
const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".wgsl"))
  .sort();
let device: GPUDevice | undefined;

beforeAll(async () => {
  device = await (await makeAdapter()).requestDevice();
});
afterAll(() => device?.destroy());

/** The file's text as `link` puts it together: of a library all functions, of a kernel the default block. */
async function whole(name: string): Promise<string> {
  const made: Readonly<Record<string, Kernel | WgslFunction>> = await import(path.join(SOURCES, `${name}.gen.ts`));
  const parts = Object.values(made);
  const functions = parts.filter((part) => "source" in part);
  const kernel = parts.find((part) => "workgroupSize" in part);
  const { head, block } = splitSections(readFileSync(path.join(SOURCES, name), "utf8"));
  return link(kernel ?? { name, head, block, body: "", bindings: [], workgroupSize: [1, 1, 1] }, { functions }).code;
}

test.each(files)("%s", async (name) => {
  const code = await whole(name);
  const module = device?.createShaderModule({ code });
  const { messages } = (await module?.getCompilationInfo()) ?? {};
  expect(messages?.map(({ lineNum, message }) => `${code.split("\n")[lineNum - 1] ?? ""}: ${message}`)).toEqual([]);
});
