import { init } from "jnx";
import type { DeviceInfo } from "jnx";
import { executor, setExecutor } from "@jnx/tensor";
import type { Executor } from "@jnx/tensor";
import { requestExecutor } from "@jnx/tensor/internal";
import type { WebGpuOptions } from "@jnx/tensor/internal";
import { wasmExecutor } from "@jnx/wgsl-wasm";
import { afterAll, afterEach, beforeAll } from "vitest";

const NAMES = ["swiftshader", "lavapipe", "webgpu", "wasm"] as const;
type Name = (typeof NAMES)[number];

/** The adapter that tests, benchmarks and examples run on: JNX_ADAPTER, SwiftShader by default. */
export function adapterName(): Name {
  const asked = process.env["JNX_ADAPTER"] ?? "swiftshader";
  const name = NAMES.find((known) => known === asked);
  if (name === undefined) throw new Error(`JNX_ADAPTER: no adapter "${asked}"; there are ${NAMES.join(", ")}`);
  return name;
}

/** What every executor can be told. */
export type ExecutorOptions = Pick<
  WebGpuOptions,
  "memoryLimit" | "poolLimit" | "maxPipelines" | "maxBindGroups" | "immediates" | "maxInFlight" | "onLost"
>;

/** `init()` with the adapter that JNX_ADAPTER names. */
export function initDevice(): Promise<DeviceInfo> {
  return init({ device: adapterName() });
}

/**
 * In a spec file or a describe block: its tests have a device, shared by all files of the process, and an error of the device
 * that nobody awaited fails the test that caused it.
 */
export function useDevice(): void {
  beforeAll(async () => {
    await initDevice();
  });
  afterEach(async () => {
    await executor().settled();
    if (++finished % 100 === 0) letPipelinesGo();
  });
  afterAll(letPipelinesGo);
}

/** lavapipe maps some thirty pieces of memory for every pipeline, of which a process may have 65,530. */
function letPipelinesGo(): void {
  if (adapterName() === "lavapipe") executor().clearCaches();
}

/** Tests of this process so far. */
let finished = 0;

/** Another device on the same adapter, for tests that break theirs. */
export async function makeExecutor(options: ExecutorOptions = {}): Promise<Executor> {
  if (adapterName() === "wasm") return wasmExecutor(options);
  return requestExecutor(await makeAdapter(), options);
}

/** An adapter as `init` finds it. */
export async function makeAdapter(): Promise<GPUAdapter> {
  await initDevice();
  // Where Node's part of jnx keeps Dawn's entry points.
  const kept = (globalThis as Record<symbol, unknown>)[Symbol.for("jnx.gpu")] as ReadonlyMap<string, GPU>;
  for (const gpu of kept.values()) {
    const adapter = await gpu.requestAdapter();
    if (adapter !== null) return adapter;
  }
  throw new Error("makeAdapter: no adapter; this is a defect of the tests");
}

/**
 * Like `useDevice`, on a device that no other spec file uses: its memory and its counters are this file's alone.
 */
export function useOwnDevice(options: ExecutorOptions = {}): void {
  useDevice();
  let shared: Executor | undefined;
  let own: Executor | undefined;
  beforeAll(async () => {
    shared = executor();
    own = await makeExecutor(options);
    setExecutor(own);
  });
  afterAll(() => {
    setExecutor(shared);
    own?.destroy();
  });
}
