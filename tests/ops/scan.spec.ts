import { cases } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward("scan", cases.scan);
testForward("sort", cases.sort);
