import { adapterName, initDevice, makeAdapter } from "@jnx/testing";
import { executor, setExecutor, webgpuExecutor } from "@jnx/tensor";
import type { Executor, Shape } from "@jnx/tensor";
import { fromGPUBuffer, jax, jnp, random, toGPUBuffer } from "jnx";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const STORAGE = 0x80;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const MAP_READ = 0x1;
const BOTH = STORAGE | COPY_SRC | COPY_DST;

describe.skipIf(adapterName() === "wasm")("buffers of the user's own", () => {
  let device: GPUDevice;
  let shared: Executor | undefined;
  let own: Executor | undefined;
  beforeAll(async () => {
    await initDevice();
    shared = executor();
    const adapter = await makeAdapter();
    device = await adapter.requestDevice();
    own = webgpuExecutor(device, adapter.info, { ownsDevice: false });
    setExecutor(own);
  });
  afterEach(() => executor().settled());
  afterAll(() => {
    setExecutor(shared);
    own?.destroy();
    device.destroy();
  });

  function holding(data: ArrayLike<number>, usage = BOTH): GPUBuffer {
    const values = Float32Array.from(data);
    const buffer = device.createBuffer({ size: values.byteLength, usage });
    device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  }

  async function bytesIn(buffer: GPUBuffer): Promise<ArrayBuffer> {
    const staging = device.createBuffer({ size: buffer.size, usage: MAP_READ | COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    const bytes = staging.getMappedRange().slice(0);
    staging.destroy();
    return bytes;
  }

  const floats = async (buffer: GPUBuffer): Promise<number[]> => [...new Float32Array(await bytesIn(buffer))];

  test("an array takes what the buffer holds when it is made, and the buffer stays the user's", async () => {
    const buffer = holding([1, 2, 3, 4, 5, 6, 7, 8]);
    const all = fromGPUBuffer(buffer, [2, 4]);
    const some = fromGPUBuffer(buffer, [3], { byteOffset: 8 });
    const sum = all.add(1).sum();
    device.queue.writeBuffer(buffer, 0, new Float32Array(8));
    buffer.destroy();
    expect(await all.toArray()).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    expect(await some.toArray()).toEqual([3, 4, 5]);
    expect(await sum.item()).toBe(44);
  });

  test("memory that queued work still writes to does not get in between", async () => {
    const n = 1 << 16;
    const buffer = holding(new Float32Array(n).fill(7));
    const sums: jnp.Tensor[] = [];
    for (let round = 0; round < 8; round++) {
      // Given back while the kernels that use it wait: the next array of this size gets it.
      const gone = jnp.ones([n]).mul(round).add(jnp.arange(n));
      sums.push(gone.max());
      gone.dispose();
      sums.push(fromGPUBuffer(buffer, [n]).max());
    }
    const values = await Promise.all(sums.map((sum) => sum.item()));
    expect(values).toEqual([0, 1, 2, 3, 4, 5, 6, 7].flatMap((round) => [round + n - 1, 7]));
    buffer.destroy();
  });

  test("what is submitted after toGPUBuffer sees the array, while its first kernel had to be compiled", async () => {
    const buffer = device.createBuffer({ size: 24, usage: BOTH });
    // A view, and a text of kernel that no other test makes.
    const x = jnp.cbrt(jnp.arange(6).reshape([2, 3]).transpose().mul(0.5).add(0.125));
    await toGPUBuffer(x, buffer);
    const expected = [0, 3, 1, 4, 2, 5].map((v) => Math.cbrt(v * 0.5 + 0.125));
    const got = await floats(buffer);
    got.forEach((value, k) => expect(value).toBeCloseTo(expected[k] ?? Number.NaN, 6));
    buffer.destroy();
  });

  test("views, numbers and parts of a buffer are copied as they look", async () => {
    const buffer = holding([9, 9, 9, 9, 9, 9]);
    await toGPUBuffer(jnp.flip(jnp.array([1.5, 2.5, 3.5])), buffer, { byteOffset: 8 });
    expect(await floats(buffer)).toEqual([9, 9, 3.5, 2.5, 1.5, 9]);
    await toGPUBuffer(jnp.full([2], -1, { dtype: "float32" }), buffer);
    expect(await floats(buffer)).toEqual([-1, -1, 3.5, 2.5, 1.5, 9]);
    await toGPUBuffer(jnp.zeros([0, 3]), buffer);
    expect(await fromGPUBuffer(buffer, [0, 3]).toArray()).toEqual([]);
    buffer.destroy();
  });

  test.each([
    ["int32", [-1, 2, 3], [12]],
    ["uint32", [4294967295, 2, 3], [12]],
    ["bool", [1, 0, 1], [12]],
    ["float16", [1.5, -2, 65504], [8]],
    ["bfloat16", [1.5, -2, 3], [8]],
    ["int8", [-128, 127, 1, 5, 6], [8]],
    ["uint16", [65535, 1, 2], [8]],
  ] as const)("%s goes out and comes back", async (dtype, values, [size]) => {
    const buffer = device.createBuffer({ size, usage: BOTH });
    await toGPUBuffer(jnp.array(values).astype(dtype), buffer);
    const back = fromGPUBuffer(buffer, [values.length], { dtype });
    expect(back.dtype).toBe(dtype);
    expect([...(await back.data())]).toEqual(values);
    buffer.destroy();
  });

  test("a jitted function reads such an array, and may not make one", async () => {
    const buffer = holding([1, 2, 3]);
    const double = jax.jit((x: jnp.Tensor) => x.mul(2));
    expect(await double(fromGPUBuffer(buffer, [3])).toArray()).toEqual([2, 4, 6]);
    const bad = jax.jit((x: jnp.Tensor) => x.add(fromGPUBuffer(buffer, [3])));
    expect(() => bad(jnp.ones([3]))).toThrow(/^fromGPUBuffer: a traced function would keep .* pass it in/);
    // A tape traces nothing.
    const slope = jax.grad((x: jnp.Tensor) => x.mul(fromGPUBuffer(buffer, [3])).sum());
    expect(await slope(jnp.ones([3])).toArray()).toEqual([1, 2, 3]);
    await expect(jnp.square(3).item()).resolves.toBe(9);
    const leaky = jax.jit((x: jnp.Tensor) => {
      void toGPUBuffer(x, buffer).catch((error: unknown) => (caught = error));
      return x;
    });
    let caught: unknown;
    await leaky(jnp.ones([3])).data();
    expect(String(caught)).toMatch(/TracedTensorError: toGPUBuffer: .* of jit is being traced/);
    buffer.destroy();
  });

  test("a wrong buffer is refused at the call, by what is wrong with it", async () => {
    const buffer = holding([1, 2, 3]);
    const deaf = device.createBuffer({ size: 16, usage: STORAGE });
    const mapped = device.createBuffer({ size: 16, usage: COPY_SRC | COPY_DST, mappedAtCreation: true });
    const shape: Shape = [4];
    expect(() => fromGPUBuffer(buffer, shape)).toThrow(
      /^fromGPUBuffer: the array takes 16 bytes from byte 0 on, but the buffer has 12; /,
    );
    expect(() => fromGPUBuffer(buffer, [2], { byteOffset: 2 })).toThrow(
      /byteOffset must be a multiple of 4.*received 2/,
    );
    expect(() => fromGPUBuffer(deaf, shape)).toThrow(/lacks COPY_SRC; create it with GPUBufferUsage.COPY_SRC/);
    expect(() => fromGPUBuffer(mapped, shape)).toThrow(/the buffer is mapped; unmap\(\) it first/);
    // @ts-expect-error: the types refuse it as the call must, for callers without types.
    expect(() => fromGPUBuffer(new Float32Array(4), shape)).toThrow(/^fromGPUBuffer: needs a GPUBuffer/);
    await expect(toGPUBuffer(jnp.ones([4]), deaf)).rejects.toThrow(/^toGPUBuffer: .* lacks COPY_DST/);
    await expect(toGPUBuffer(jnp.ones([4]), buffer)).rejects.toThrow(/takes 16 bytes/);
    await expect(toGPUBuffer(random.key(0), buffer)).rejects.toThrow(/^toGPUBuffer: keys have no bytes/);
    for (const one of [buffer, deaf, mapped]) one.destroy();
  });

  test("a buffer that was destroyed, or of another device, is told by the next await", async () => {
    const buffer = holding([1, 2, 3]);
    buffer.destroy();
    const x = fromGPUBuffer(buffer, [3]);
    await expect(x.data()).rejects.toThrow(/^fromGPUBuffer: the device refused a command/);
    const other = await (await makeAdapter()).requestDevice();
    const foreign = other.createBuffer({ size: 12, usage: BOTH });
    await expect(toGPUBuffer(jnp.ones([3]), foreign)).rejects.toThrow(/the device refused a command/);
    other.destroy();
    expect(await jnp.ones([3]).add(1).toArray()).toEqual([2, 2, 2]);
  });
});

test.runIf(adapterName() === "wasm")("the CPU has no GPUBuffers, and says so", async () => {
  await initDevice();
  const buffer = { size: 16, usage: BOTH, mapState: "unmapped" };
  expect(() => fromGPUBuffer(buffer, [4])).toThrow(
    /^fromGPUBuffer: there are no GPUBuffers on wasm, which computes on the CPU; use array\(data\)/,
  );
  await expect(toGPUBuffer(jnp.ones([4]), buffer)).rejects.toThrow(/^toGPUBuffer: .*; use await x\.data\(\)/);
});
