import { cases, type ShapedRow } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward(
  "comparisons and bits",
  [...cases.special, ...cases.ufuncs].filter((row): row is ShapedRow => row.kind === "shaped"),
);
