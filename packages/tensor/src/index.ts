export {
  canCast,
  finfo,
  iinfo,
  isdtype,
  issubdtype,
  promoteTypes,
  resultType,
  type Casting,
  type DTypeClass,
  type DTypeKind,
  type FloatInfo,
  type IntegerInfo,
} from "./ops/dtypes.ts";
export { histogram2d, histogramdd, type Histogram2dOptions, type HistogramddOptions } from "./ops/histograms.ts";
export { convGeneralDilatedLocal, convGeneralDilatedPatches, type PatchesOptions } from "./ops/patches.ts";
export { maskIndices, trimZeros, type TrimZerosOptions } from "./ops/places.ts";
export { DTYPES, promote, type DType, type Promotable, type TypedArray } from "./dtype.ts";
export * from "./errors.ts";
export type { Shape } from "./shape.ts";
export { Tensor, type Aval, type NestedArray } from "./tensor.ts";
export * as debug from "./debug-callback.ts";
export { effectsBarrier } from "./debug-callback.ts";
export * as tree from "./tree.ts";
export * as treeTools from "./tree-more.ts";
export { rngBitGenerator, type BitGeneratorOptions } from "./ops/random/bit-generator.ts";
export { blockUntilReady, defaultBackend, deviceGet, devicePut, devices, type OnDevice, type OnHost } from "./host.ts";
export { counters, executor, hasExecutor, memory, setExecutor } from "./device/current.ts";
export type { Counters, DeviceInfo, Executor, Limits, MemoryStats } from "./device/executor.ts";
export { webgpuExecutor } from "./device/webgpu/executor.ts";
export { fromGPUBuffer, toGPUBuffer, type GpuBufferOptions } from "./gpu-buffers.ts";
export type { WebGpuBuffer, WebGpuDevice } from "./device/webgpu/options.ts";
export {
  celu,
  glu,
  hardSigmoid,
  hardSilu,
  hardTanh,
  log1mexp,
  mish,
  nnIdentity,
  selu,
  sparsePlus,
  sparseSigmoid,
  squareplus,
  type GluOptions,
} from "./ops/activations.ts";
export {
  elu,
  gelu,
  leakyRelu,
  logSigmoid,
  relu6,
  silu,
  softplus,
  softSign,
  type GeluOptions,
} from "./ops/activations.ts";
export { conv, convGeneralDilated, convTranspose, convWithGeneralPadding } from "./ops/conv.ts";
export type * from "./ops/conv.ts";
export { fliplr, flipud, roll, rot90, tile, type RollOptions } from "./ops/arrange.ts";
export { astype } from "./ops/convert.ts";
export { convolve, correlate, type ConvolveOptions } from "./ops/convolve.ts";
export {
  arange,
  array,
  broadcastedIota,
  eye,
  full,
  fullLike,
  ones,
  onesLike,
  zeros,
  zerosLike,
  type ArrayOptions,
  type TensorConvertible,
  type TensorLike,
  type LikeOptions,
} from "./ops/create.ts";
export * from "./ops/elementwise.ts";
export { stopGradient } from "./ops/identity.ts";
export { gather, type GatherDimensionNumbers, type GatherOptions } from "./ops/gather.ts";
export {
  scatter,
  scatterAdd,
  scatterApply,
  scatterMax,
  scatterMin,
  scatterMul,
  scatterSub,
} from "./ops/lax-scatter.ts";
export type * from "./ops/lax-scatter.ts";
export { argmax, argmin, type ArgOptions } from "./ops/arg-reduce.ts";
export { oneHot, take, takeAlongAxis } from "./ops/indexing.ts";
export type * from "./ops/indexing.ts";
export { append, columnStack, concatenate, dstack, hstack, stack, vstack, type JoinOptions } from "./ops/join.ts";
export {
  dot,
  dotGeneral,
  inner,
  kron,
  matvec,
  outer,
  tensordot,
  trace,
  vdot,
  vecdot,
  vecmat,
} from "./ops/contraction.ts";
export type * from "./ops/contraction.ts";
export { cross, type CrossOptions } from "./ops/cross.ts";
export { einsum, einsumPath, type EinsumOptions } from "./ops/einsum.ts";
export { matmul, type MatmulOptions } from "./ops/matmul.ts";
export type { Precision, PrecisionLike } from "./precision.ts";
export {
  broadcastTo,
  expandDims,
  flip,
  laxSlice,
  moveaxis,
  ravel,
  reshape,
  squeeze,
  swapaxes,
  transpose,
} from "./ops/movement.ts";
export {
  cumlogsumexp,
  cummax,
  cummin,
  cumprod,
  cumsum,
  cumulativeProd,
  cumulativeSum,
  laxCumprod,
  laxCumsum,
  nancumprod,
  nancumsum,
} from "./ops/scan.ts";
export type * from "./ops/scan.ts";
export { argpartition, argsort, partition, laxSort, lexsort, sort, sortKeyVal, topK } from "./ops/sorting.ts";
export type * from "./ops/sorting.ts";
export { median, nanmedian, nanpercentile, nanquantile, percentile, quantile } from "./ops/quantile.ts";
export type * from "./ops/quantile.ts";
export { at, slice, type AtOptions, type GetOptions, type Index, type IndexUpdate } from "./ops/at.ts";
export type { IndexEntry, ScatterMode } from "./ops/index-spec.ts";
export { argwhere, flatnonzero, nonzero, whereOrPlaces, type NonzeroOptions } from "./ops/nonzero.ts";
export { bincount, choose, digitize, histogram, histogramBinEdges, searchsorted, select } from "./ops/search.ts";
export type * from "./ops/search.ts";
export { deleteAt, insert, repeat, resize } from "./ops/editing.ts";
export type * from "./ops/editing.ts";
export {
  intersect1d,
  isin,
  setdiff1d,
  setxor1d,
  union1d,
  unique,
  uniqueAll,
  uniqueCounts,
  uniqueInverse,
  uniqueValues,
  type IntersectOptions,
  type IsinOptions,
  type UniqueOptions,
} from "./ops/sets.ts";
export { gradient, interp, polyval, ravelMultiIndex, unravelIndex, unwrap, vander } from "./ops/numeric.ts";
export type * from "./ops/numeric.ts";
export {
  batchMatmul,
  broadcastInDim,
  broadcastShapes,
  broadcastToRank,
  clamp,
  collapse,
  indexInDim,
  integerPow,
  iota,
  laxArgmax,
  laxArgmin,
  laxBroadcast,
  laxConcatenate,
  laxFull,
  laxReshape,
  laxSqueeze,
  reduceAnd,
  reduceMax,
  reduceMin,
  reduceOr,
  reduceProd,
  reduceSum,
  reduceXor,
  rev,
  sliceInDim,
} from "./ops/lax.ts";
export {
  approxMaxK,
  approxMinK,
  broadcastLike,
  indexTake,
  laxEmpty,
  laxSplit,
  laxStack,
  laxUnstack,
  mulhi,
  padtypeToPads,
  raggedDot,
  reducePrecision,
  type ApproxOptions,
} from "./ops/lax-more.ts";
export { reduce } from "./ops/lax-reduce.ts";
export { laxSelect, selectN } from "./ops/select-n.ts";
export { segmentMax, segmentMin, segmentProd, segmentSum, type SegmentOptions } from "./ops/segment.ts";
export { corrcoef, cov, type CovarianceOptions } from "./ops/covariance.ts";
export {
  average,
  averageReturned,
  countNonzero,
  diff,
  ediff1d,
  nanargmax,
  nanargmin,
  nanmax,
  nanmean,
  nanmin,
  nanprod,
  nanstd,
  nansum,
  nanvar,
  ptp,
  trapezoid,
  type AverageOptions,
  type NanSumOptions,
  type DiffOptions,
  type TrapezoidOptions,
} from "./ops/statistics.ts";
export { atleast1d, atleast2d, atleast3d } from "./ops/rank.ts";
export { arraySplit, dsplit, hsplit, split, unstack, vsplit, type Cuts, type SplitOptions } from "./ops/split.ts";
export { dotProductAttention, dotProductAttentionWithResidual, type AttentionOptions } from "./ops/attention.ts";
export { logSoftmax, softmax, standardize } from "./ops/normalize.ts";
export type * from "./ops/normalize.ts";
export { pad, type PaddingConfig } from "./ops/pad.ts";
export { jnpPad, type PadMode, type PadOptions, type PadPairs } from "./ops/pad-modes.ts";
export { broadcastArrays, geomspace, indices, linspace, logspace, meshgrid } from "./ops/ranges.ts";
export type * from "./ops/ranges.ts";
export { logmeanexp, logsumexp, type LogsumexpOptions } from "./ops/log-sum-exp.ts";
export { mean, std, variance, type MeanOptions, type NanVarianceOptions, type VarianceOptions } from "./ops/moments.ts";
export { all, any, max, min, prod, sum } from "./ops/reduce.ts";
export type * from "./ops/reduce.ts";
export { betainc, igamma, igammac, igammaGradA } from "./ops/incomplete.ts";
export { hyp1f1, hyp2f1 } from "./ops/hypergeometric.ts";
export * from "./ops/special.ts";
export { block, ix, mgrid, ogrid, rollaxis, type Blocks, type GridRange } from "./ops/assembly.ts";
export { packbits, unpackbits, type PackOptions, type UnpackOptions } from "./ops/bit-packing.ts";
export { piecewise, type Piece } from "./ops/piecewise.ts";
export {
  compress,
  diagIndicesFrom,
  extract,
  fillDiagonal,
  matrixTranspose,
  place,
  put,
  putAlongAxis,
  trilIndicesFrom,
  triuIndicesFrom,
} from "./ops/placing.ts";
export type * from "./ops/placing.ts";
export { poly, polyadd, polyder, polydiv, polyint, polymul, polysub, type PolymulOptions } from "./ops/polynomials.ts";
export { polyfit, type PolyfitOptions } from "./ops/polyfit.ts";
export type * from "./ops/polynomials.ts";
export {
  angle,
  conjugate,
  copy,
  empty,
  emptyLike,
  imag,
  iscomplex,
  iscomplexobj,
  isreal,
  isrealobj,
  isscalar,
  ndim,
  real,
  shape,
  size,
} from "./ops/real.ts";
export { bartlett, blackman, hamming, hanning, kaiser } from "./ops/tapers.ts";
export { logNdtr, ndtr, ndtri } from "./ops/normal.ts";
export { zeta } from "./ops/zeta.ts";
export { besselJn, owensT, type BesselJnOptions } from "./ops/bessel.ts";
export { dawsn, erfcx, exp1, expi, expn, fresnel, sici, spence } from "./ops/integrals.ts";
export {
  bernoulli,
  beta,
  boxcox,
  boxcox1p,
  comb,
  factorial,
  gammasgn,
  loggamma,
  multigammaln,
  poch,
  type CombOptions,
  type FactorialOptions,
} from "./ops/combinatorial.ts";
export * as linalg from "./ops/linalg.ts";
export * as scipyLinalg from "./ops/scipy-linalg.ts";
export * as laxLinalg from "./ops/lax-linalg.ts";
export * as scipyStats from "./ops/stats.ts";
export type { Padding, PadPair } from "./ops/padding.ts";
export { reduceWindow, type ReduceWindowOptions, type WindowComputation } from "./ops/window.ts";
export {
  diag,
  diagflat,
  diagIndices,
  diagonal,
  identity,
  tri,
  tril,
  trilIndices,
  triu,
  triuIndices,
  type DiagonalOptions,
  type TriangleOptions,
} from "./ops/triangle.ts";
export {
  dynamicIndexInDim,
  dynamicSlice,
  dynamicSliceInDim,
  dynamicUpdateIndexInDim,
  dynamicUpdateSlice,
  dynamicUpdateSliceInDim,
  type StartIndices,
} from "./ops/dynamic-slice.ts";
export { config, type ConfigName } from "./config.ts";
export * as random from "./ops/random.ts";
export { randomGammaGrad } from "./ops/random/gamma-grad.ts";
