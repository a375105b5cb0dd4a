import { cases } from "@jnx/testing";
import * as t from "@jnx/tensor";
import { describe, expect, test } from "vitest";
import { testForward } from "./kit.ts";

testForward("lax", cases.lax);
testForward("more of lax", cases.laxMore);

describe("padtypeToPads: what lax.padtype_to_pads gives", () => {
  test("for each name", () => {
    expect(t.padtypeToPads([5, 6], [2, 3], [2, 1], "SAME")).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(t.padtypeToPads([5], [2], [2], "SAME_LOWER")).toEqual([[1, 0]]);
    expect(t.padtypeToPads([5], [2], [2], "VALID")).toEqual([[0, 0]]);
    expect(() => t.padtypeToPads([5], [2, 2], [2], "SAME")).toThrow(/padtypeToPads: windowShape/);
  });
});
