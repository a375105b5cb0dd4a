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
const limits = {
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeWorkgroupStorageSize: 16384,
};
/** What the examples of a package may name without importing it. Copied once: modules under test have a getter for each name. */
const scopes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "kernels-wgsl": { ...kernels, limits },
  tensor: { ...everywhere, ...tensor },
  autodiff: { ...everywhere, ...tensor, ...autodiff },
  compile: { ...everywhere, ...tensor, ...autodiff, ...compile },
  optax: { ...everywhere, ...tensor, ...autodiff, ...optax },
  nnx: { ...everywhere, ...tensor, ...nnx },
  jnx: everywhere,
};

class MLP extends nnx.Module {
  readonly hidden: nnx.Linear;
  readonly dropout: nnx.Dropout;
  readonly out: nnx.Linear;
  constructor({ rngs }: nnx.RngsOptions) {
    super();
    this.hidden = new nnx.Linear(2, 4, { rngs });
    this.dropout = new nnx.Dropout(0.1, { rngs });
    this.out = new nnx.Linear(4, 1, { rngs });
  }
  call(x: tensor.Tensor): tensor.Tensor {
    return this.out.call(this.dropout.call(nnx.relu(this.hidden.call(x))));
  }
}

/** What stands around an example of nnx in a program: a class, a model of it, its optimizer, a loss and a batch. */
function training(): Readonly<Record<string, unknown>> {
  const model = new MLP({ rngs: new nnx.Rngs(0) });
  const optimizer = new nnx.Optimizer(model, optax.adam(1e-3), { wrt: nnx.Param });
  const lossFn = (net: MLP, x: tensor.Tensor, y: tensor.Tensor): tensor.Tensor =>
    tensor.mean(tensor.square(tensor.sub(net.call(x), y)));
  return { MLP, model, optimizer, lossFn, x: tensor.ones([3, 2]), y: tensor.zeros([3, 1]) };
}

async function holds(example: Example, scope: Readonly<Record<string, unknown>>): Promise<void> {
  for (const { expression, value, expected } of await runExample(example.code, scope)) {
    expect(await shown(value), expression).toEqual(await shown(expected));
  }
}

/** A value as a comment would show it: arrays read, numbers to five digits, so that it need not print all of a float32. */
async function shown(value: unknown): Promise<unknown> {
  if (typeof value === "number") return Number(value.toPrecision(5));
  if (value instanceof tensor.Tensor) return shown(await value.toArray());
  if (value instanceof nnx.Variable) return shown(value.value);
  if (ArrayBuffer.isView(value)) return shown(Array.from(value as Uint8Array)); // typed arrays are all alike here
  if (Array.isArray(value)) return Promise.all(value.map(shown));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(async ([key, child]) => [key, await shown(child)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

describe.each(Object.entries(scopes))("the examples of %s run", (name, scope) => {
  const examples = docExamples(join(root, "packages", name, "src"));
  test.each(examples.map((example) => [example.title, example] as const))("%s", async (_title, example) => {
    await holds(example, name === "nnx" ? { ...scope, ...training() } : scope);
  });
});

const records = {
  tensor: { ...tensor, ...tensor.random, ...tensor.linalg, ...tensor.tree },
  autodiff,
  compile,
  optax,
  nnx: { ...nnx, ...nnx.initializers },
};

test.each(Object.entries(records))("every function of %s has an example", (name, exported) => {
  const shownSomewhere = new Set(
    Object.keys(records).flatMap((one) => docExamples(join(root, "packages", one, "src")).map(({ of }) => of)),
  );
  const functions = Object.entries(exported).filter(
    ([, value]) => typeof value === "function" && !isErrorOrKind(value),
  );
  const missing = functions
    .filter(([key, value]) => !shownSomewhere.has(key) && !shownSomewhere.has(value.name))
    .map(([key]) => key);
  // It needs a GPUDevice of one's own.
  expect(
    missing.filter((key) => key !== "webgpuExecutor"),
    name,
  ).toEqual([]);
});

/** Errors and kinds of Variables are told apart by name; there is nothing to show. */
function isErrorOrKind(value: { readonly prototype?: unknown }): boolean {
  return value.prototype instanceof Error || value.prototype instanceof nnx.Variable;
}
