export * from "./activations.ts";
export { GraphError, TraceContextError } from "./errors.ts";
export { capture, type CaptureOptions } from "./capture.ts";
export { Dict, List } from "./collections.ts";
export {
  loadCheckpoint,
  saveCheckpoint,
  type CheckpointOptions,
  type CheckpointProgress,
  type CheckpointSink,
  type CheckpointSource,
  type CheckpointTarget,
  type LoadOptions,
  type SaveOptions,
} from "./checkpoint.ts";
export * as compat from "./compat.ts";
export { dataclass, field, type Dataclass, type Field, type FieldOptions, type ValuesOf } from "./dataclass.ts";
export { checkPytree, data, hasData, isData, static } from "./data.ts";
export {
  All,
  Any,
  Everything,
  Not,
  Nothing,
  OfType,
  PathContains,
  PathIn,
  WithTag,
  type Filter,
  type Predicate,
} from "./filter.ts";
export { GraphDef } from "./graph-def.ts";
export { graphdefFromJson, graphdefToJson, type FromJsonOptions, type Json } from "./graph-json.ts";
export {
  asPure,
  findDuplicates,
  iterChildren,
  iterGraph,
  iterModuleChildren,
  map,
  recursiveMap,
  setMetadata,
  type MapOptions,
  type OnlyOptions,
} from "./graph-walk.ts";
export { FlatState } from "./flat-state.ts";
export { call, flatten, unflatten, unpack } from "./graph-state.ts";
export { clone, graphdef, pop, split, state, state as variables, type CloneOptions, type PureState } from "./graph.ts";
export * as initializers from "./initializers.ts";
export type { FanOptions, Initializer, OrthogonalOptions } from "./initializers.ts";
export { loadSafetensors, saveSafetensors } from "./io.ts";
export { dotProductAttention, type DotProductAttentionOptions } from "./layers/attention.ts";
export {
  combineMasks,
  makeAttentionMask,
  makeCausalMask,
  type AttentionMaskOptions,
  type CombineOptions,
  type MaskOptions,
} from "./layers/attention-masks.ts";
export { BatchNorm, type BatchNormCallOptions, type BatchNormOptions } from "./layers/batch-norm.ts";
export { Conv, type ConvGeneralDilated, type ConvOptions, type ConvPadding } from "./layers/conv.ts";
export { ConvTranspose, type ConvTransposeLayerOptions } from "./layers/conv-transpose.ts";
export { Dropout, type DropoutCallOptions, type DropoutOptions } from "./layers/dropout.ts";
export {
  GRUCell,
  LSTMCell,
  OptimizedLSTMCell,
  RNNCellBase,
  SimpleCell,
  type CarryOptions,
  type CellCarry,
  type CellOptions,
  type GatedCellOptions,
  type SimpleCellOptions,
} from "./layers/cells.ts";
export { Einsum, type EinsumLayerOptions, type EinsumOp } from "./layers/einsum.ts";
export { Embed, type EmbedOptions } from "./layers/embed.ts";
export { GroupNorm, type GroupNormOptions } from "./layers/group-norm.ts";
export {
  InstanceNorm,
  LayerNorm,
  RMSNorm,
  type InstanceNormOptions,
  type LayerNormOptions,
  type RMSNormOptions,
} from "./layers/layer-norm.ts";
export { avgPool, maxPool, minPool, pool, type AvgPoolOptions, type PoolOptions } from "./layers/pooling.ts";
export { Linear, type LinearOptions } from "./layers/linear.ts";
export type { DotGeneral, GeneralProductOptions, ProductOptions, PromoteDtype } from "./layers/params.ts";
export { LinearGeneral, type LinearGeneralOptions } from "./layers/linear-general.ts";
export { LoRA, LoRALinear, type LoRALinearOptions, type LoRAOptions } from "./layers/lora.ts";
export {
  MultiHeadAttention,
  type AttentionCallOptions,
  type AttentionFunction,
  type MultiHeadAttentionOptions,
} from "./layers/multi-head-attention.ts";
export { PReLU, type PReLUOptions } from "./layers/prelu.ts";
export {
  Bidirectional,
  flipSequences,
  RNN,
  type BidirectionalCallOptions,
  type BidirectionalOptions,
  type RNNCallOptions,
  type RNNOptions,
} from "./layers/rnn.ts";
export { Sequential, type SequentialLayer } from "./layers/sequential.ts";
export { SpectralNorm, WeightNorm, type SpectralNormOptions, type WeightNormOptions } from "./layers/weight-norm.ts";
export { GraphState, merge } from "./merge.ts";
export { setGraphMode, setGraphUpdates } from "./modes.ts";
export {
  iterModules,
  Module,
  view,
  viewInfo,
  withAttributes,
  type AttributeOptions,
  type Attributes,
  type SowOptions,
  type ViewOptions,
} from "./module.ts";
export { makeEmpty, type Path, type PathPart } from "./node.ts";
export { Pytree } from "./pytree.ts";
export { diff, replaceByPureDict, restoreIntPaths, toPureDict, type PureDict } from "./pure-dict.ts";
export {
  backupKeys,
  forkRngs,
  reseed,
  restoreRngs,
  SplitBackups,
  splitRngs,
  withRngs,
  type ForkRngsOptions,
  type ReseedOptions,
  type SplitRngsOptions,
  type StreamBackup,
  type WithRngsOptions,
} from "./rng-state.ts";
export { Rngs, RngStream, type PerStream, type RngsOptions, type Seed, type StreamSeeds } from "./rngs.ts";
export { SafetensorsError } from "./safetensors.ts";
export { display, displayHtml, tabulate, type TabulateOptions, type TabulateRow } from "./summary.ts";
export { EMA } from "./training/ema.ts";
export * as metrics from "./training/metrics.ts";
export { Metric, MultiMetric } from "./training/metrics.ts";
export {
  entryAt,
  filterState,
  fromFlatState,
  mapState,
  mergeState,
  splitState,
  State,
  toFlatState,
  type Leaf,
  type StateOf,
} from "./state.ts";
export { ModelAndOptimizer, Optimizer, type OptimizerOptions } from "./training/optimizer.ts";
export { Carry, StateAxes, type Axis, type LiftedAxes } from "./transforms/axes.ts";
export { TrainState, type TrainStateOptions } from "./training/train-state.ts";
export { DiffState, grad, valueAndGrad, type GradientFor, type GradOptions } from "./transforms/grad.ts";
export { jit, type Jitted } from "./transforms/jit.ts";
export { remat, remat as checkpoint, type RematOptions } from "./transforms/remat.ts";
export { jvp, vjp, type DerivativeOptions } from "./transforms/vjp.ts";
export { cond, foriLoop, switchBranch as switch, whileLoop } from "./transforms/control.ts";
export {
  getNamedSharding,
  getPartitionSpec,
  PARTITION_NAME,
  pmap,
  shardMap,
  withPartitioning,
} from "./transforms/devices.ts";
export { customVjp, type CustomVjpOptions, type LiftedCustomVjp } from "./transforms/custom-vjp.ts";
export { evalShape, type Abstract } from "./transforms/eval-shape.ts";
export { cachedPartial, jitPartial } from "./transforms/partial.ts";
export { CheckError, checkify, type CheckifyOptions, type CheckKind } from "./transforms/checkify.ts";
export { transformMetadata, type TransformMetadata, type TransformMetadataOptions } from "./transforms/metadata.ts";
export { prefix, type PrefixRules } from "./transforms/prefix.ts";
export { scan, type ScanOptions } from "./transforms/scan.ts";
export { vmap, type VmapOptions } from "./transforms/vmap.ts";
export * as traversals from "./traversals.ts";
export { VariableMetadata, withMetadata, type Hook, type HookName } from "./variable-metadata.ts";
export {
  registerVariableName,
  variableNameFromType,
  variableTypeFromName,
  type NameOptions,
} from "./variable-names.ts";
export * from "./variable-types.ts";
export type { StateSource } from "./state-source.ts";
export { update } from "./update.ts";
export { Variable, type Metadata, type VariableClass } from "./variable.ts";
