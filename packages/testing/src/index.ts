export { cases, rows, type Domain, type MapRow, type Operand, type Row, type ShapedRow } from "./cases.ts";
export { attentionRows } from "./cases/attention.ts";
export { adapterName, initDevice, makeAdapter, makeExecutor, useDevice, useOwnDevice } from "./device.ts";
export { gradcheck, type GradCheck } from "./gradcheck.ts";
export { limitedExecutor, MINIMUM_LIMITS } from "./limits.ts";
export { expectClose } from "./matchers.ts";
export { misses, ulps, worstUlp, type Tolerance } from "./ulp.ts";
export * as reference from "./reference.ts";
export * as linalgReference from "./linalg-reference.ts";
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
