import { cases } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward(
  "activations",
  cases.activations.filter((row) => row.kind === "shaped"),
);
