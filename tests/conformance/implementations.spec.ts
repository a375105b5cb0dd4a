import { FAULTS } from "@jnx/conformance/faults";
import { implementations } from "@jnx/conformance/implementations";
import { expect, test } from "vitest";

// The whole table takes minutes on each; `pnpm conformance` runs it. Here a few functions show that the suite runs there.
test.each(["chromium", "deno"])("%s runs the suite, without a message of its compiler", async (name) => {
  const seen: number[] = [];
  const report = await implementations[name]?.({ only: "softmax", onProgress: (done) => seen.push(done) });
  expect(report?.results.filter(({ ok }) => !ok)).toEqual([]);
  expect(report?.results.length).toBeGreaterThan(5);
  expect(
    Object.values(report?.faults ?? {}).filter((given) => /^-?(NaN|inf|true|false|[\d.e+-]+)$/.test(given)),
  ).toHaveLength(FAULTS.flatMap(({ probes }) => probes).length);
  expect(report?.device.kind).toBe("webgpu");
  expect(report?.compiled?.messages).toEqual([]);
  expect(report?.compiled?.kernels).toBeGreaterThan(5);
});
