import { cases } from "@jnx/testing";
import { testForward } from "./kit.ts";

testForward("linear algebra", cases.linearAlgebra);
