import { grad } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
import { allChecks } from "@jnx/conformance/suite";
import { adapterName, limitedExecutor, makeAdapter, useDevice } from "@jnx/testing";
import * as t from "@jnx/tensor";
import type { Executor, Limits, Tensor } from "@jnx/tensor";
import { webgpuExecutor } from "@jnx/tensor/internal";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ON_CPU = adapterName() === "wasm";
/** Bindings of 1 MiB, and grids that fold from 47 groups on. */
const TIGHT: Partial<Limits> = { maxStorageBufferBindingSize: 2 ** 20, maxComputeWorkgroupsPerDimension: 46 };

useDevice();

/** Runs on the executor that `make` gives; it is destroyed unless it is a view of the shared one. */
function useExecutor(make: (shared: Executor) => Executor | Promise<Executor>, destroys = false): void {
  let shared: Executor | undefined;
  let own: Executor | undefined;
  beforeAll(async () => {
    shared = t.executor();
    own = await make(shared);
    t.setExecutor(own);
  });
  afterAll(() => {
    t.setExecutor(shared);
    if (destroys) own?.destroy();
  });
}

/** What fails of the op table: "label, dtype, kind: message". */
async function failuresOf(checks: ReturnType<typeof allChecks>): Promise<string[]> {
  const failed: string[] = [];
  for (const { label, dtype, kind, run } of checks) {
    try {
      await run();
      await t.executor().settled();
    } catch (error) {
      failed.push(`${label}, ${dtype}, ${kind}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed;
}

/** More arrays than a kernel binds: [k, k + 1, 7 − k]. */
const many = (): Tensor[] => Array.from({ length: 20 }, (_, k) => t.array([k, k + 1, 7 - k]));
const picks = (): Tensor => t.array([1, 5, 13]);

/** Functions of any number of arrays, on twenty, and what they give. */
const wide: readonly (readonly [string, (...arrays: Tensor[]) => Tensor, readonly number[]])[] = [
  ["concatenate", (...xs) => t.concatenate(xs), Array.from({ length: 20 }, (_, k) => [k, k + 1, 7 - k]).flat()],
  ["stack", (...xs) => t.sum(t.stack(xs, { axis: 1 }), { axis: 1 }), [190, 210, -50]],
  ["lexsort", (...xs) => t.lexsort(xs), [2, 0, 1]],
  ["sort of twenty operands by twelve", (...xs) => t.laxSort(xs, { numKeys: 12 })[15] ?? picks(), [15, 16, -8]],
  ["selectN", (...xs) => t.selectN(picks(), ...xs), [1, 6, -6]],
  ["choose", (...xs) => t.choose(picks(), xs), [1, 6, -6]],
  [
    "select",
    (...xs) =>
      t.select(
        xs.map((x) => t.greater(x, 16)),
        xs,
      ),
    [17, 17, 0],
  ],
  ["einsum", (...xs) => t.einsum(`${xs.map(() => "i").join()}->`, ...xs.map((x) => t.sub(x, x))), [0]],
  ["meshgrid", (...xs) => t.meshgrid(...xs.slice(0, 8).map((x) => t.laxSlice(x, [0], [1])))[7] ?? picks(), [7]],
  ["broadcastArrays", (...xs) => t.broadcastArrays(...xs)[19] ?? picks(), [19, 20, -12]],
  ["a sum of all", (...xs) => xs.reduce((a, b) => t.add(a, b)), [190, 210, -50]],
  [
    "a gradient through concatenate",
    (...xs) =>
      grad((...ys: Tensor[]) => t.sum(t.square(t.concatenate(ys))), { argnums: 19 })(
        ...xs.map((x) => t.astype(x, "float32")),
      ),
    [38, 40, -24],
  ],
];

function testWide(): void {
  test.each(wide)("twenty arrays: %s", async (_name, f, want) => {
    expect(Array.from(await f(...many()).data())).toEqual(want);
    expect(Array.from(await jit(f)(...many()).data())).toEqual(want);
  });
}

describe("WebGPU's least limits, told by an executor that holds the engine to them", () => {
  useExecutor((shared) => limitedExecutor(shared, TIGHT));
  testWide();

  // On a GPU it is `pnpm conformance --least`: each of its pipelines is one that no other test has.
  test.runIf(ON_CPU)("the whole op table", { timeout: 120_000 }, async () => {
    const failed = await failuresOf(allChecks());
    const refused = failed.filter((text) => text.includes("maxStorageBufferBindingSize of 1048576"));
    expect(failed.filter((text) => !refused.includes(text))).toEqual([]);
    // The table has few arrays of over 1 MiB: 70,000 rows of four, vectors of 300,000, scores of attention.
    expect(refused.length).toBeGreaterThan(1);
    expect(refused.length).toBeLessThan(6);
  });
});

describe.skipIf(ON_CPU)("a device with WebGPU's least limits", () => {
  useExecutor(async () => {
    const device = await (await makeAdapter()).requestDevice();
    return webgpuExecutor(device);
  }, true);
  testWide();
});

describe("arrays over the limits are refused by name", () => {
  useExecutor((shared) => limitedExecutor(shared, { maxStorageBufferBindingSize: 2 ** 20 }));
  const wideView = (x: Tensor): Tensor => t.broadcastTo(x, [600, 600]);
  const one = (): Tensor => t.array([1.5]);
  const LIMIT =
    "over this device's maxStorageBufferBindingSize of 1048576; split it along an axis, use a smaller batch, or a dtype of fewer bits";

  test.each<[string, () => Tensor, string]>([
    ["exp", () => t.exp(wideView(one())), `exp: a result of shape [600, 600] takes 1440000 bytes as float32, ${LIMIT}`],
    [
      "array",
      () => t.array(new Float32Array(300_000)),
      `array: data of shape [300000] takes 1200000 bytes as float32, ${LIMIT}`,
    ],
    [
      "random",
      () => t.random.normal(t.random.key(0), [600, 600]),
      `random_normal: a result of shape [600, 600] takes 1440000 bytes as float32, ${LIMIT}`,
    ],
    [
      "under jit",
      () => jit((x: Tensor) => t.exp(wideView(x)))(one()),
      `exp: a result of shape [600, 600] takes 1440000 bytes as float32, ${LIMIT}`,
    ],
    [
      "inside a jit",
      () => jit((x: Tensor) => t.matmul(wideView(x), t.ones([600, 2])))(one()),
      `broadcast_to: a result of shape [600, 600] takes 1440000 bytes as float32, ${LIMIT}`,
    ],
    ["a workspace", () => t.sort(t.arange(200_000)), "argsort (workspace): "],
    [
      "more elements than int32 counts",
      () => t.sum(t.broadcastTo(one(), [65536, 32768])),
      "broadcast_to: a result of shape [65536, 32768] has 2147483648 elements, more than the 2147483647 (2^31 - 1) that an array may have",
    ],
    [
      "more of them under jit",
      () => jit((x: Tensor) => t.sum(t.broadcastTo(x, [65536, 32768])))(one()),
      "broadcast_to: a result of shape [65536, 32768] has 2147483648 elements",
    ],
  ])("%s", async (_name, wrong, message) => {
    let error: unknown;
    try {
      wrong();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(t.JnxError);
    expect(String(error)).toContain(message);
    // What fits still runs, and what never is in memory has no limit but the count.
    expect(await t.sum(wideView(one())).item()).toBe(540_000);
    expect(await jit((x: Tensor) => t.sum(t.mul(wideView(x), 2)))(one()).item()).toBe(1_080_000);
  });
});

describe("more than 65,535 groups", () => {
  const ROWS = 66_000;
  /** Rows [k % 7, 3 − k % 5]. */
  const rows = (): Tensor =>
    t.array(
      Float32Array.from({ length: 2 * ROWS }, (_, i) => (i % 2 === 0 ? (i / 2) % 7 : 3 - (((i - 1) / 2) % 5))),
      { shape: [ROWS, 2] },
    );
  const checked = [0, 1, 6, 65_535, 65_536, ROWS - 1];

  test.each<[string, (x: Tensor) => Tensor, (a: number, b: number) => number]>([
    ["rows summed", (x) => t.sum(x, { axis: 1 }), (a, b) => a + b],
    ["rows sorted", (x) => t.max(t.sort(x, { axis: 1 }), { axis: 1 }), (a, b) => Math.max(a, b)],
    ["rows scanned", (x) => t.laxSlice(t.cumsum(x, { axis: 1 }), [0, 1], [ROWS, 2]), (a, b) => a + b],
    ["softmax of rows", (x) => t.laxSlice(t.softmax(x), [0, 0], [ROWS, 1]), (a, b) => 1 / (1 + Math.exp(b - a))],
    ["largest places", (x) => t.argmax(x, { axis: 1 }), (a, b) => (b > a ? 1 : 0)],
    ["products of small matrices", (x) => t.matmul(t.expandDims(x, 1), t.expandDims(x, 2)), (a, b) => a * a + b * b],
    ["rows taken", (x) => t.take(x, t.arange(ROWS), { axis: 0 }), (a) => a],
    [
      "factors of small matrices",
      (x) => t.linalg.cholesky(t.reshape(t.square(t.add(t.sum(x, { axis: 1 }), 5)), [ROWS, 1, 1])),
      (a, b) => a + b + 5,
    ],
  ])("%s", async (_name, f, want) => {
    const got = await f(rows()).data();
    const stride = got.length / ROWS;
    for (const k of checked) expect(got[k * stride]).toBeCloseTo(want(k % 7, 3 - (k % 5)), 5);
  });
});
