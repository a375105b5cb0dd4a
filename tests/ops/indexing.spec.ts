import { cases } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward("indexing", cases.indexing);
testForward("dimension numbers", cases.dimensionNumbers);
