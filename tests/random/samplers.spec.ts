import { adapterName, useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { hostBits, seedToKey } from "../../packages/tensor/src/ops/threefry.ts";
import { digest, goldenArray } from "../goldens/read.ts";
import { contractFor, keeps, TABLES } from "./contract.ts";
import { measure, normalDistances } from "./measure.ts";
import { normalOf } from "./reference.ts";

/** Drawn by rejection: one number in ten thousand may be another. */
const MAY_DIFFER = /^binomial 100/;

/** The adapters that docs/random.md has a column for. */
const adapter = adapterName();

describe.each(Object.entries(TABLES))("%s: as close to JAX as docs/random.md says", (file, samplers) => {
  useDevice();

  test.each(Object.entries(samplers))("%s", async (name, draw) => {
    const distance = await measure(file, name, draw);
    const contract = contractFor(name, adapter);
    expect(distance.elements).toBeGreaterThan(10);
    expect(keeps(contract, distance), `${contract}, but ${distance.worst} ulp: ${distance.where}`).toBe(true);
  });
});

describe("what is promised", () => {
  useDevice();

  test("2^18 normal numbers: 99.9 % are JAX's, the others near", async () => {
    const [equal = 0, one = 0, two = 0, ...more] = await normalDistances(7, 2 ** 18);
    expect(equal / 2 ** 18).toBeGreaterThan(0.999);
    expect(one + two).toBeGreaterThanOrEqual(2 ** 18 - equal - 4);
    expect(more.length).toBeLessThanOrEqual(1);
  });

  test("the reference is JAX's own", () => {
    const golden = goldenArray("random-bits", "normal 65537");
    const all = Float32Array.from(hostBits(seedToKey(42), 65537), normalOf);
    expect(digest(all)).toBe(golden.sha256);
  });

  test.each(["normal", "truncatedNormal -2 2", "truncatedNormal 0 2", "truncatedNormal -0.5 3"])(
    "%s: 2 ulp, 99 %",
    (name) => {
      const contract = contractFor(name, adapter);
      const [, ulps = "0", percent = "100"] = /^≤ (\d+) ulp, ([\d.]+) %/.exec(contract) ?? ["", "0", "100"];
      expect([Number(ulps) <= 2, Number(percent) > 99]).toEqual([true, true]);
    },
  );

  test.each(["random-exact", "random-discrete"])("%s is exact throughout", (file) => {
    for (const name of Object.keys(TABLES[file] ?? {}))
      if (!MAY_DIFFER.test(name)) expect([name, contractFor(name, adapter)]).toEqual([name, "exact"]);
  });

  test.each(["random-close", "random-rejected"])("%s is within 8 ulp", (file) => {
    for (const name of Object.keys(TABLES[file] ?? {})) {
      const contract = contractFor(name, adapter);
      const ulps = contract === "exact" ? 0 : Number(/^≤ (\d+) ulp/.exec(contract)?.[1]);
      expect(ulps, name).toBeLessThanOrEqual(8);
    }
  });
});
