import { readFileSync } from "node:fs";
import path from "node:path";
import { adapterName, useDevice } from "@jnx/testing";
import { executor, setExecutor, type Executor } from "@jnx/tensor";
import { selfTest, VERSION } from "jnx";
import { describe, expect, test } from "vitest";

const root = path.join(import.meta.dirname, "../..");

/** The device in use, but for one method. */
async function changed<T>(change: Partial<Executor>, body: () => Promise<T>): Promise<T> {
  const real = executor();
  const other = new Proxy(real, {
    get: (target, name) => {
      const source = name in change ? change : target;
      const value: unknown = Reflect.get(source, name);
      return typeof value === "function" ? value.bind(source) : value;
    },
  });
  setExecutor(other);
  try {
    return await body();
  } finally {
    setExecutor(real);
  }
}

describe("selfTest", () => {
  useDevice();

  test("passes here within five seconds, and its report can be pasted", async () => {
    const report = await selfTest();
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.checks.length).toBe(12);
    expect(report.device.kind).toBe(adapterName() === "wasm" ? "wasm" : "webgpu");
    for (const { ulp, within } of report.checks) expect(ulp).toBeLessThanOrEqual(within);
    // Functions are never exact everywhere: a report of zeros alone would be one that measures nothing.
    expect(report.checks.some(({ ulp }) => ulp > 0)).toBe(true);
    const text = String(report);
    expect(text).toMatch(/^jnx \d+\.\d+\.\d+ selfTest: all is well \(\d+\.\d s\)\n(webgpu|wasm): .*\nNode v\d+/);
    expect(text.split("\n").length).toBe(15);
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({ ok: true, version: VERSION, device: report.device });
    // Other work of this machine may be in the way: five seconds are for a machine of one's own.
    expect(report.seconds).toBeLessThan(30);
  });

  test("tells of a device that computes something else", async () => {
    const real = executor();
    const read: Executor["read"] = async (buffer, bytes, offset) => {
      const words = new Uint32Array(await real.read(buffer, bytes, offset));
      // The lowest byte of a word is wrong.
      return words.map((word) => word ^ 0xff).buffer;
    };
    const report = await changed({ read }, selfTest);
    expect(report.ok).toBe(false);
    expect(report.checks.filter(({ ok }) => ok)).toEqual([]);
    expect(report.checks[0]?.message).toMatch(/^element \d+ of float32\[\d+\] is .*, not .*/);
    expect(String(report)).toMatch(/selfTest: something is wrong .*\nFAIL whole numbers.*ulp; element 0 of int32/s);
  });

  test("tells of errors that are thrown, and throws none", async () => {
    const real = executor();
    const run: Executor["run"] = (launch) => {
      if (launch.kernel.name.startsWith("matmul")) throw new Error("no such kernel");
      real.run(launch);
    };
    const read: Executor["read"] = () => Promise.reject(new Error("lost"));
    const broken = await changed({ run }, selfTest);
    expect(broken.checks.filter(({ ok }) => !ok).map(({ name, message }) => [name, message])).toEqual([
      ["matmul and its gradients", "no such kernel"],
    ]);
    const lost = await changed({ read }, selfTest);
    expect(lost.checks.map(({ message }) => message)).toEqual(lost.checks.map(() => "lost"));
  });

  test("knows the version of its package", () => {
    const text = readFileSync(path.join(root, "packages/jnx/package.json"), "utf8");
    expect(JSON.parse(text)).toMatchObject({ version: VERSION });
  });
});
