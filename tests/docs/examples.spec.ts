import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import * as autodiff from "@jnx/autodiff";
import * as compile from "@jnx/compile";
import * as kernels from "@jnx/kernels-wgsl";
import * as nnx from "@jnx/nnx";
import * as optax from "@jnx/optax";
import * as tensor from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import * as jnx from "jnx";
import { docExamples, runExample, type Example } from "./examples.ts";

useDevice();

const root = fileURLToPath(new URL("../../", import.meta.url));
const everywhere = { ...jnx, optax, nnx };
const limits = { maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupsPerDimension: 65535, maxComputeWorkgroupStorageSize: 16384 };
const scopes = {
  "kernels-wgsl": { ...kernels, limits },
  tensor: { ...everywhere, ...tensor, ...tensor.random },
  autodiff: { ...everywhere, ...tensor, ...autodiff },
  compile: { ...everywhere, ...tensor, ...autodiff, ...compile },
  optax: { ...everywhere, ...tensor, ...autodiff, ...optax },
  nnx: { ...everywhere, ...tensor, ...nnx },
  jnx: everywhere,
};

async function holds(example: Example, scope: Readonly<Record<string, unknown>>): Promise<void> {
  for (const { expression, value, expected } of await runExample(example.code, scope)) {
    const shown = value instanceof tensor.Tensor ? await value.toArray() : value;
    expect(rounded(shown), expression).toEqual(rounded(expected));
  }
}

/** Numbers to five digits, so that an example need not print all of a float32. */
function rounded(value: unknown): unknown {
  if (typeof value === "number") return Number(value.toPrecision(5));
  if (ArrayBuffer.isView(value)) return rounded(Array.from(value as unknown as ArrayLike<number>)); // typed arrays only
  return Array.isArray(value) ? value.map(rounded) : value;
}

describe.each(Object.entries(scopes))("the examples of %s run", (name, scope) => {
  const examples = docExamples(join(root, "packages", name, "src"));
  test.each(examples.map((example) => [example.title, example] as const))("%s", async (_title, example) => {
    await holds(example, scope);
  });
});
