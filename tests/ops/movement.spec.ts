import { cases } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward("movement", cases.movement);
