/** The op table and its oracles alone: no test runner, no Node, so that browsers and Deno can load it. */
export { cases, rows, type Domain, type MapRow, type Operand, type Row, type ShapedRow } from "./cases.ts";
export { gradcheck, type GradCheck } from "./gradcheck.ts";
export { limitedExecutor, MINIMUM_LIMITS } from "./limits.ts";
export * as reference from "./reference.ts";
export type { HostArray } from "./reference.ts";
export {
  generator,
  ordinaryOperands,
  sample,
  shapedOperands,
  shapedTensors,
  specialOperands,
  toTensor,
} from "./samples.ts";
export { misses, ulps, worstUlp, type Tolerance } from "./ulp.ts";
