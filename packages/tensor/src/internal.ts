/** For the other @jnx packages; no promise is made about anything here. */
export { bindCall, type BatchAxis, type CallOp, type CallPullback } from "./call.ts";
export { bind, currentFrame, runsOpByOp, withFrame, withLevel, type Frame, type Level } from "./dispatch.ts";
export { BYTES_PER_ELEMENT, bytesOf, isFloat, isInteger, itemBytes, packedBits, rangeOf } from "./dtype.ts";
export { hostArray, roundTo, storageArray } from "./packing.ts";
export { contiguous, copy } from "./eager.ts";
export { checkKeys, checkOptions } from "./options.ts";
export { checkedPrecision } from "./precision.ts";
export { checkedBytes, checkElements } from "./sizes.ts";
export type {
  AnyOp,
  BatchRule,
  JvpRule,
  KernelOp,
  KernelStage,
  MapContext,
  MapOp,
  OpDef,
  ReduceOp,
  ViewOp,
  VjpContext,
  VjpRule,
} from "./op.ts";
export { dotProductAttentionByTiles } from "./ops/attention.ts";
export { matmulAdd } from "./ops/matmul.ts";
export { alias } from "./ops/identity.ts";
export { checkAlike, type Kind } from "./ops/alike.ts";
export type { BinaryFunction, UnaryFunction } from "./ops/factories.ts";
export { asTensor, isData, fromHost, hostValues, literal } from "./ops/create.ts";
export { convert, unpacked } from "./ops/convert.ts";
export { spreadBatch } from "./ops/batching.ts";
export {
  broadcastShapes,
  checkShape,
  normalizeAxes,
  normalizeAxis,
  reducedShape,
  sameShape,
  shapeText,
  sizeOf,
} from "./shape.ts";
export { configMark } from "./config.ts";
export { inArena, insideArena, Storage, type AnyFunction } from "./storage.ts";
export { deviceStorage, originOf, type Payload, type Trace } from "./tensor.ts";
export { keptStorages, reachableStorages, withAttached } from "./reach.ts";
export * from "./view.ts";
export type { Expr, LiteralExpr, LoadExpr, MapExpr, Output, ResultExpr, Step } from "./lower/expr.ts";
export { copiedView, lowerCopy } from "./lower/copy.ts";
export { lowerKernel } from "./lower/kernel.ts";
export { lowerMap, lowerStages } from "./lower/lower.ts";
export { lowerLines, type LinesWork, type LineValue } from "./lower/lines.ts";
export { lowerReduce, remapExpr, type ReduceWork } from "./lower/reduce.ts";
export { widthOf } from "./lower/space.ts";
export type { DeviceBuffer, Launch, Program, ProgramStep } from "./device/executor.ts";
export {
  checkAliases,
  checkCounts,
  checkGrid,
  checkRange,
  launchLayout,
  slotsOf,
  type LaunchLayout,
} from "./device/checks.ts";
export { checkVerdicts, expectZero } from "./device/verdicts.ts";
export { excerpt } from "./device/excerpt.ts";
export { Failures } from "./device/failures.ts";
export { Memory, type MemoryOptions, type MemorySource } from "./device/memory.ts";
export { summary } from "./device/summary.ts";
export { debugLevel, debugLog } from "./device/debug.ts";
export { webgpuExecutor } from "./device/webgpu/executor.ts";
export type { AdapterInfo, WebGpuOptions } from "./device/webgpu/options.ts";
export { requestExecutor } from "./device/webgpu/request.ts";
export { identityOf, isObject, primitiveText } from "./content.ts";
export { differenceText, treeText, type WordedTree } from "./tree-text.ts";
