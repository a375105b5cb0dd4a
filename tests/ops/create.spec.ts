import { cases, type ShapedRow } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward("create", cases.create);
testForward(
  "empty",
  cases.real.filter((row): row is ShapedRow => row.kind === "shaped"),
);
