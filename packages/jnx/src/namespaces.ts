import * as t from "@jnx/tensor";
import { grad, valueAndGrad, vjp } from "@jnx/autodiff";
import { jit } from "@jnx/compile";
