export { grad, valueAndGrad, vjp, type GradOptions } from "./grad.ts";
