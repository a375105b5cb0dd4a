import { cases } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward("statistics", cases.statistics);
