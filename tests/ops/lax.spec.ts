import { cases } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward("lax", cases.lax);
