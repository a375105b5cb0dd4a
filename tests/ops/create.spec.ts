import * as t from "@jnx/tensor";
import { cases, type ShapedRow } from "@jnx/testing";
import { expect, test } from "vitest";
import { testForward } from "./kit.ts";

testForward("create", cases.create);
testForward(
  "empty",
  cases.real.filter((row): row is ShapedRow => row.kind === "shaped"),
);

test("a uint32 above 2³¹ fills exactly", async () => {
  expect(await t.full([2], 0xd2511f53, { dtype: "uint32" }).toArray()).toEqual([0xd2511f53, 0xd2511f53]);
  expect(await t.add(t.full([], 0xffffffff, { dtype: "uint32" }), t.array(1, { dtype: "uint32" })).item()).toBe(0);
});
