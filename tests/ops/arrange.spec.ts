import { cases } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward("arrange", cases.arrange);
testForward("placing", cases.placing);
