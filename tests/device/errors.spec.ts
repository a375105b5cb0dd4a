import { makeAdapter, makeExecutor } from "@jnx/testing";
import { DeviceError, DeviceLostError, KernelError, OutOfMemoryError } from "@jnx/tensor";
import type { Executor } from "@jnx/tensor";
import { requestExecutor, webgpuExecutor } from "@jnx/tensor/internal";
import { init } from "jnx";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mix, mixKernel, mixLaunch, numbers, rejection, upload } from "./kit.ts";

let executor: Executor;
beforeAll(async () => {
  executor = await makeExecutor();
});
afterAll(() => executor.destroy());

function broken(name: string): ReturnType<typeof mixKernel> {
  const kernel = mixKernel(name);
  return { ...kernel, code: kernel.code.replace("3u *", "nonsense *") };
}

describe("kernels that do not compile", () => {
  test("the next read throws, with the op, the kernel and the lines around the error; then all is well", async () => {
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(2));
    executor.run({ ...mixLaunch(x, y, 1, 0, broken("bad kernel")), label: "softmax" });
    const error = await rejection(executor.read(y, 4));
    expect(error).toBeInstanceOf(KernelError);
    expect(error).toMatchObject({ kernel: "bad kernel", labels: ["softmax"] });
    expect(error.message).toMatch(
      /^softmax: kernel bad kernel does not compile: .*unresolved value 'nonsense'.*\(line 8\)/,
    );
    expect(error.message).toMatch(/\n {5}7 \|.*\n> +8 \|.*nonsense.*\n +\| +\^\n/);
    executor.run(mixLaunch(x, y, 1, 0));
    expect([...(await numbers(executor, y, 1))]).toEqual([5]);
    executor.release(x);
    executor.release(y);
  });

  test("reads before it are right, all reads after it in flight throw", async () => {
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(2));
    const kernel = broken("bad");
    // Known to be broken, so that all of it is in one flush.
    await rejection(executor.warmup([kernel]));
    const before = numbers(executor, y, 1);
    executor.run(mixLaunch(x, y, 1, 0, kernel));
    const [a, b, c] = await Promise.allSettled([executor.read(y, 4), executor.read(x, 4), executor.settled()]);
    expect([...(await before)]).toEqual([2]);
    expect([a.status, b.status, c.status]).toEqual(["rejected", "rejected", "rejected"]);
    await executor.settled();
    executor.release(x);
    executor.release(y);
  });

  test("in a program: the step is named", async () => {
    const kernel = broken("bad");
    const { uniforms, grid } = mixLaunch(executor.allocate(4, "x"), executor.allocate(4, "y"), 1, 0);
    const program = executor.createProgram(
      [{ kind: "launch", label: "gelu", kernel, slots: [0, 1], uniforms, grid }],
      2,
      "jit(f)",
    );
    executor.replay(program, [executor.allocate(4, "x"), executor.allocate(4, "y")]);
    expect((await rejection(executor.settled())).message).toMatch(/^jit\(f\): gelu: kernel bad does not compile/);
  });

  test("warmup throws it", async () => {
    expect((await rejection(executor.warmup([broken("bad"), mixKernel()]))).message).toMatch(
      /^warmup: kernel bad does not/,
    );
    await executor.settled();
  });

  test("bindings that the text contradicts are reported too", async () => {
    const kernel = mixKernel("twisted");
    const bindings = kernel.bindings.map((binding) => ({
      ...binding,
      access: binding.name === "y" ? ("read" as const) : binding.access,
    }));
    const x = upload(executor, Uint32Array.of(1));
    executor.run({ ...mixLaunch(x, x, 1, 0, { ...kernel, bindings }), label: "add" });
    expect((await rejection(executor.settled())).message).toMatch(/^add: kernel twisted does not compile: .*binding/is);
    executor.release(x);
  });

  test("blocking compilation reports its failure", async () => {
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(2));
    const kernel = broken("bad");
    for (let i = 0; i < 4300; i++) executor.run(mixLaunch(x, y, 1, 0, kernel));
    expect((await rejection(executor.settled())).message).toMatch(/bad: kernel bad does not compile/);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await executor.settled().catch(() => undefined);
    await executor.settled();
    executor.release(x);
    executor.release(y);
  });
});

describe("commands that the device refuses", () => {
  test("a validation error names the ops of its submission", async () => {
    const kernel = mixKernel();
    // Demands a binding larger than the buffer is: WebGPU finds that at the dispatch.
    const code = kernel.code.replace("x: array<u32>", "x: array<u32, 1000000>");
    const x = upload(executor, Uint32Array.of(1));
    const y = upload(executor, Uint32Array.of(2));
    const large = { ...kernel, code };
    await executor.warmup([mix, large]);
    executor.run({ ...mixLaunch(x, y, 1, 0), label: "relu" });
    executor.run({ ...mixLaunch(x, y, 1, 0, large), label: "take" });
    const error = await rejection(executor.read(y, 4));
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.message).toMatch(/^relu, take: the device refused a command, results are invalid: .*(size|binding)/is);
    expect(error).toMatchObject({ labels: ["relu", "take"] });
    await executor.settled();
    executor.release(x);
    executor.release(y);
  });

  test("errors that nobody captured are thrown by the next await", async () => {
    const device = await (await makeAdapter()).requestDevice();
    const own = webgpuExecutor(device);
    device.createBuffer({ size: 2 ** 50, usage: 0x80 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const error = await rejection(own.settled());
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.message).toMatch(/size/i);
    await own.settled();
    own.destroy();
  });

  test("the device's own out-of-memory names bytes asked, live bytes and the largest", async () => {
    const device = await (await makeAdapter()).requestDevice();
    const own = webgpuExecutor(device);
    const held = own.allocate(1 << 20, "weights");
    device.popErrorScope = () => Promise.resolve({ message: "no memory left" });
    own.allocate(4096, "zeros");
    Reflect.deleteProperty(device, "popErrorScope");
    const error = await rejection(own.read(held, 4));
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error).toMatchObject({ asked: 4096 });
    expect(error.message).toMatch(
      /^zeros: out of device memory: asked for 4 KiB with 1 MiB live, most of it by weights \(1 MiB\)/,
    );
    own.destroy();
  });
});

describe("device loss", () => {
  test("pending reads reject, every later call throws, and nothing hangs", async () => {
    const device = await (await makeAdapter()).requestDevice();
    const own = webgpuExecutor(device);
    const x = upload(own, Uint32Array.of(1));
    const y = upload(own, Uint32Array.of(2));
    const program = own.createProgram([], 0, "empty");
    for (let i = 0; i < 200; i++) own.run(mixLaunch(x, y, 1, 0));
    const warm = own.warmup([mixKernel()]);
    const waiting = [own.read(y, 4), own.settled(), own.read(x, 4)];
    device.destroy();
    for (const pending of waiting) {
      const error = await rejection(pending);
      expect(error).toBeInstanceOf(DeviceLostError);
      expect(error.message).toMatch(
        /^device: the device was destroyed.*; what was on it is gone\. Call `await init\(\)` again/,
      );
    }
    await warm.catch((error: unknown) => expect(error).toBeInstanceOf(DeviceLostError));
    const calls: (() => unknown)[] = [
      () => own.allocate(4, "a"),
      () => own.write(x, new Uint8Array(4)),
      () => own.copy(x, y, 4),
      () => own.run(mixLaunch(x, y, 1, 0)),
      () => own.createProgram([], 0, "p"),
      () => own.replay(program, []),
      () => own.flush(),
    ];
    for (const call of calls) expect(call).toThrow(DeviceLostError);
    for (const call of [own.read(x, 4), own.settled(), own.warmup([])]) {
      expect(await rejection(call)).toBeInstanceOf(DeviceLostError);
    }
    own.release(x);
    expect(own.memory()).toMatchObject({ live: 0, buffers: 0, pooled: 0 });
    own.destroy();
  });

  test("destroy() rejects what is pending, tells its owner, and a buffer of before is refused by the next device", async () => {
    const lost: Error[] = [];
    const adapter = await makeAdapter();
    const own = await requestExecutor(adapter, { onLost: (error) => lost.push(error) });
    const x = upload(own, Uint32Array.of(1));
    const pending = own.read(x, 4);
    own.destroy();
    own.destroy();
    expect(await rejection(pending)).toBeInstanceOf(DeviceLostError);
    expect(lost.length).toBe(1);
    const y = executor.allocate(4, "y");
    expect(() => executor.run(mixLaunch(x, y, 1, 0))).toThrow(/belongs to another device/);
    executor.release(x);
    executor.release(y);
  });

  test("a lent device is used, and not destroyed", async () => {
    const device = await (await makeAdapter()).requestDevice();
    const own = webgpuExecutor(device, {}, { ownsDevice: false });
    const x = upload(own, Uint32Array.of(5));
    expect([...(await numbers(own, x, 1))]).toEqual([5]);
    own.destroy();
    device.pushErrorScope("validation");
    device.createBuffer({ size: 16, usage: 0x80 });
    expect(await device.popErrorScope()).toBeNull();
    device.destroy();
  });

  test("init() is refused another device while one is in use", async () => {
    const device = await (await makeAdapter()).requestDevice();
    await expect(init({ device })).rejects.toThrow(
      /^init: another GPUDevice was asked for, but the engine already runs on/,
    );
    device.destroy();
  });
});
