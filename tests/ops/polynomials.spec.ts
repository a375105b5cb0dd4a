import { cases } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward("polynomials", cases.polynomials);
testForward("tapers", cases.tapers);
