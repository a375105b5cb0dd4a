import { cases } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward("editing", cases.editing);
