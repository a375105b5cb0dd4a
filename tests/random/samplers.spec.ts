import { adapterName, useDevice } from "@jnx/testing";
import { describe, expect, test } from "vitest";
import { hostBits, seedToKey } from "../../packages/tensor/src/ops/threefry.ts";
import { digest, goldenArray } from "../goldens/read.ts";
import { contractFor, keeps, TABLES } from "./contract.ts";
import { allNormalDistances, measure } from "./measure.ts";
import { normalOf } from "./reference.ts";

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

  test("of all 2^23 normal numbers 99.99 % are JAX's, the others within 2 ulp", async () => {
    const [equal = 0, one = 0, two = 0, ...more] = await allNormalDistances();
    expect(equal + one + two).toBe(2 ** 23);
    expect(equal / 2 ** 23).toBeGreaterThan(0.9999);
    expect(more).toEqual([]);
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
      expect([name, contractFor(name, adapter)]).toEqual([name, "exact"]);
  });

  test.each(["random-close", "random-rejected"])("%s is within 8 ulp", (file) => {
    for (const name of Object.keys(TABLES[file] ?? {})) {
      const contract = contractFor(name, adapter);
      const ulps = contract === "exact" ? 0 : Number(/^≤ (\d+) ulp/.exec(contract)?.[1]);
      expect(ulps, name).toBeLessThanOrEqual(8);
    }
  });
});
