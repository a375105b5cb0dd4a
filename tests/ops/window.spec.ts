import { cases } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward("window", cases.window);
