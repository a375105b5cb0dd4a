import { ArgumentError, ShapeError } from "../errors.ts";
import { shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at } from "../view.ts";
import { checkAlike } from "./alike.ts";
import { convolve, convShape, isEmptyConv, type ConvAttrs } from "./conv-op.ts";
import { convert } from "./convert.ts";
import { DOT_OPTIONS, dotDTypes, type DotOptions } from "./contraction.ts";
import { asTensor, literal, type TensorLike } from "./create.ts";
import { flip, swapaxes, transpose } from "./movement.ts";
import { dilated, resolvePadding, resolveSteps, type Padding, type PadPair } from "./padding.ts";
import { checkOptions } from "../options.ts";

const CONV_OPTIONS = {
  windowStrides: true,
  padding: true,
  lhsDilation: true,
  rhsDilation: true,
  dimensionNumbers: true,
  featureGroupCount: "number",
  batchGroupCount: "number",
  precision: true,
  preferredElementType: true,
} as const;
const CONV_WITH_GENERAL_PADDING_OPTIONS = {
  lhsDilation: true,
  rhsDilation: true,
  precision: true,
  preferredElementType: true,
} as const;
const CONV_TRANSPOSE_OPTIONS = {
  rhsDilation: true,
  dimensionNumbers: true,
  transposeKernel: "flag",
  useConsistentPadding: "flag",
  precision: true,
  preferredElementType: true,
} as const;

/**
 * What each axis of the image, the window and the result is, one letter an axis: N batch, C channels, O and I the
 * window's output and input channels, anything else spatial: `["NHWC", "HWIO", "NHWC"]`.
 */
export type ConvDimensionNumbers = readonly [lhs: string, rhs: string, out: string];

/** Options of `convGeneralDilated`. */
export interface ConvOptions extends DotOptions {
  /** Steps of the window, one for each spatial axis; 1 unless given. */
  readonly windowStrides?: readonly number[];
  /** "SAME", "SAME_LOWER", "VALID" (the default) or a pair [low, high] for each spatial axis; negative ones crop. */
  readonly padding?: Padding;
  /** Elements of lhs lie this far apart, with zeros between; 1 unless given. */
  readonly lhsDilation?: readonly number[];
  /** Elements of the window lie this far apart; 1 unless given. */
  readonly rhsDilation?: readonly number[];
  /** `["NCHW", "OIHW", "NCHW"]` for two spatial axes unless given. */
  readonly dimensionNumbers?: ConvDimensionNumbers;
  /** Channels and features fall into so many groups that know nothing of each other; 1 unless given. */
  readonly featureGroupCount?: number;
  /** Images and features fall into so many groups; 1 unless given. */
  readonly batchGroupCount?: number;
}

/** Axes of an operand in canonical order: [batch or features, channels, …spatial]. */
type Axes = readonly number[];

export interface Layout {
  readonly lhs: Axes;
  readonly rhs: Axes;
  readonly out: Axes;
}

const SPATIAL = ["", "W", "HW", "DHW"];

const isText = (one: unknown): boolean => typeof one === "string";

/** The axes of images, windows and results that dimension numbers name. */
export function layoutOf(name: string, rank: number, numbers: ConvDimensionNumbers | undefined): Layout {
  const axes = SPATIAL[rank - 2] ?? "";
  if (numbers !== undefined && !(Array.isArray(numbers) && numbers.length === 3 && numbers.every(isText)))
    throw new ArgumentError(
      `${name}: dimensionNumbers are three words, of the image, the window and the result, as ["NHWC", "HWIO", "NHWC"]; received ${JSON.stringify(numbers)}`,
    );
  const [lhs, rhs, out] = numbers ?? [`NC${axes}`, `OI${axes}`, `NC${axes}`];
  const letters = (spec: string, roles: string): string => [...spec].filter((one) => !roles.includes(one)).join("");
  const spatial = letters(rhs, "OI");
  const order = (spec: string, roles: string): Axes => [...roles, ...spatial].map((letter) => spec.indexOf(letter));
  const layout = { lhs: order(lhs, "NC"), rhs: order(rhs, "OI"), out: order(out, "NC") };
  const fits = [lhs, rhs, out].every((spec) => spec.length === rank && new Set(spec).size === rank);
  if (!fits || Object.values(layout).some((list) => list.includes(-1)))
    throw new ArgumentError(
      `${name}: dimensionNumbers [${[lhs, rhs, out].join(", ")}] do not fit arrays of ${rank} axes; ` +
        'each names N and C (the window O and I) and the same spatial letters once, as ["NHWC", "HWIO", "NHWC"]',
    );
  return layout;
}

/** The operand as the op takes it: batch first and channels last, or the window with channels and features last. */
function canonical(x: Tensor, [first = 0, second = 0, ...spatial]: Axes, image: boolean): Tensor {
  return transpose(x, image ? [first, ...spatial, second] : [...spatial, second, first]);
}

/** Which axis of [batch, …, channels] each axis of the result is. */
function resultOrder([batch = 0, channel = 0, ...spatial]: Axes, batchInner: boolean): number[] {
  const rank = spatial.length + 2;
  const order = new Array<number>(rank).fill(0);
  order[batch] = batchInner ? rank - 2 : 0;
  order[channel] = rank - 1;
  spatial.forEach((axis, k) => (order[axis] = batchInner ? k : k + 1));
  return order;
}

/**
 * y[n, i, o] = Σ over window places k and channels c of lhs[n, i·stride + k·rhsDilation − low, c] · rhs[k, c, o], lhs
 * dilated and padded with zeros: cross-correlation, as in all of machine learning. One to three spatial axes, in any
 * layout. Operands have one dtype; sums are float32 (or whole numbers).
 * Source: lax.conv_general_dilated.
 *
 * @throws DtypeError for operands of two dtypes, ShapeError when channels, groups, strides or padding do not fit, ArgumentError for dimension numbers that do not.
 * @example
 * const [image, window] = [ones([1, 5, 5, 2]), ones([3, 3, 2, 4])];
 * const dimensionNumbers = ["NHWC", "HWIO", "NHWC"] as const;
 * convGeneralDilated(image, window, { padding: "SAME", windowStrides: [2, 2], dimensionNumbers }).shape; // [1, 3, 3, 4]
 */
export function convGeneralDilated(lhs: TensorLike, rhs: TensorLike, options: ConvOptions = {}): Tensor {
  checkOptions("convGeneralDilated", options, CONV_OPTIONS);
  return generalConv("convGeneralDilated", lhs, rhs, options);
}

/** The same for functions of other names, which errors tell. */
export function generalConv(name: string, lhs: TensorLike, rhs: TensorLike, options: ConvOptions): Tensor {
  const [left, right] = [asTensor(lhs, name), asTensor(rhs, name)];
  checkAlike(name, "any", [left, right]);
  const { compute, result } = dotDTypes(name, [left, right], options);
  const rank = left.ndim;
  if (rank !== right.ndim || rank < 2 || rank > 5)
    throw new ShapeError(
      `${name}: takes an image and a window of one rank with up to 3 spatial axes, received ${shapeText(left.shape)} and ${shapeText(right.shape)}`,
    );
  const layout = layoutOf(name, rank, options.dimensionNumbers);
  const x = canonical(convert(left, compute), layout.lhs, true);
  const w = canonical(convert(right, compute), layout.rhs, false);
  const attrs = attrsOf(name, x, w, options);
  const direct = resultOrder(layout.out, true);
  const batchInner = direct.every((axis, k) => axis === k);
  const chosen = { ...attrs, batchInner };
  const y = isEmptyConv(x, w, chosen)
    ? literal(0, convShape(x.shape, w.shape, chosen), compute)
    : convolve(x, w, chosen);
  return convert(transpose(y, resultOrder(layout.out, batchInner)), result);
}

function attrsOf(name: string, x: Tensor, w: Tensor, options: ConvOptions): ConvAttrs {
  const axes = x.ndim - 2;
  const strides = resolveSteps(name, "windowStrides", options.windowStrides, axes);
  const lhsDilation = resolveSteps(name, "lhsDilation", options.lhsDilation, axes);
  const rhsDilation = resolveSteps(name, "rhsDilation", options.rhsDilation, axes);
  const { featureGroupCount: featureGroups = 1, batchGroupCount: batchGroups = 1, padding = "VALID" } = options;
  checkGroups(name, x, w, featureGroups, batchGroups);
  const window = rhsDilation.map((step, k) => dilated(at(w.shape, k), step));
  const extents = x.shape.slice(1, -1);
  if (typeof padding === "string" && padding !== "VALID" && lhsDilation.some((step) => step !== 1))
    throw new ArgumentError(
      `${name}: padding by name goes with lhsDilation 1, received "${padding}" with [${lhsDilation.join(", ")}]; give pairs, or use convTranspose`,
    );
  const pairs = resolvePadding(name, padding, extents, window, strides);
  pairs.forEach(([low, high], k) => {
    if (dilated(at(extents, k), at(lhsDilation, k)) + low + high < 0)
      throw new ShapeError(
        `${name}: padding [${low}, ${high}] takes away more than there is on spatial axis ${k} of ${shapeText(x.shape)}`,
      );
  });
  return { strides, padding: pairs, lhsDilation, rhsDilation, featureGroups, batchGroups, batchInner: false };
}

function checkGroups(name: string, x: Tensor, w: Tensor, featureGroups: number, batchGroups: number): void {
  const [batch, channels] = [at(x.shape, 0), at(x.shape, x.ndim - 1)];
  const [inputs, features] = [at(w.shape, w.ndim - 2), at(w.shape, w.ndim - 1)];
  const counts = [featureGroups, batchGroups];
  if (!counts.every((count) => Number.isInteger(count) && count >= 1) || Math.min(...counts) > 1)
    throw new ArgumentError(
      `${name}: group counts are whole numbers ≥ 1 and one of them is 1, received featureGroupCount ${featureGroups}, batchGroupCount ${batchGroups}`,
    );
  if (channels !== inputs * featureGroups)
    throw new ShapeError(
      `${name}: the image has ${channels} channels, the window takes ${inputs} in each of ${featureGroups} group${featureGroups === 1 ? "" : "s"} (${inputs * featureGroups})`,
    );
  if (features % (featureGroups * batchGroups) !== 0 || batch % batchGroups !== 0)
    throw new ShapeError(
      `${name}: ${featureGroups * batchGroups} groups do not divide ${features} features${batchGroups > 1 ? ` and a batch of ${batch}` : ""}`,
    );
}

/**
 * The convolution of an image [N, C, …] and a window [O, I, …]. Source: lax.conv.
 *
 * @throws ShapeError when the shapes do not fit.
 * @example conv(ones([1, 2, 5, 5]), ones([4, 2, 3, 3]), [1, 1], "VALID").shape; // [1, 4, 3, 3]
 */
export function conv(
  lhs: TensorLike,
  rhs: TensorLike,
  windowStrides: readonly number[],
  padding: Padding,
  options: DotOptions = {},
): Tensor {
  checkOptions("conv", options, DOT_OPTIONS);
  return generalConv("conv", lhs, rhs, { ...options, windowStrides, padding });
}

/**
 * The same with dilations. Source: lax.conv_with_general_padding.
 *
 * @throws ShapeError when the shapes do not fit.
 * @example
 * convWithGeneralPadding(ones([1, 1, 5]), ones([1, 1, 2]), [1], [[1, 0]], { rhsDilation: [2] }).shape; // [1, 1, 4]
 */
export function convWithGeneralPadding(
  lhs: TensorLike,
  rhs: TensorLike,
  windowStrides: readonly number[],
  padding: Padding,
  options: Pick<ConvOptions, "lhsDilation" | "rhsDilation" | keyof DotOptions> = {},
): Tensor {
  checkOptions("convWithGeneralPadding", options, CONV_WITH_GENERAL_PADDING_OPTIONS);
  return generalConv("convWithGeneralPadding", lhs, rhs, { ...options, windowStrides, padding });
}

/** Options of `convTranspose`. */
export interface ConvTransposeOptions extends DotOptions {
  readonly rhsDilation?: readonly number[];
  /** Channels last unless given: `["NHWC", "HWIO", "NHWC"]`. */
  readonly dimensionNumbers?: ConvDimensionNumbers;
  /** Flips the window and exchanges its channels, as the gradient of a convolution does; false unless given. */
  readonly transposeKernel?: boolean;
  /** Whether pairs, too, are the padding of the convolution that this one transposes; false unless given. */
  readonly useConsistentPadding?: boolean;
}

const CHANNELS_LAST = ["", "H", "HW", "HWD"];

/**
 * A convolution with fractional strides: lhs is dilated by `strides`. "SAME" gives in·stride positions, "VALID"
 * in·stride + max(window − stride, 0); pairs pad the dilated image as they are. Source: lax.conv_transpose.
 *
 * @throws ShapeError when the shapes do not fit, ArgumentError for another padding.
 * @example convTranspose(ones([1, 4, 2]), ones([3, 2, 5]), [2], "SAME").shape; // [1, 8, 5]
 */
export function convTranspose(
  lhs: TensorLike,
  rhs: TensorLike,
  strides: readonly number[],
  padding: Padding,
  options: ConvTransposeOptions = {},
): Tensor {
  checkOptions("convTranspose", options, CONV_TRANSPOSE_OPTIONS);
  const name = "convTranspose";
  const { precision, preferredElementType } = options;
  const window = asTensor(rhs, "convTranspose");
  const spatial = CHANNELS_LAST[window.ndim - 2] ?? "";
  const dimensionNumbers = options.dimensionNumbers ?? ([`N${spatial}C`, `${spatial}IO`, `N${spatial}C`] as const);
  const [features = 0, channels = 0, ...axes] = layoutOf(name, window.ndim, dimensionNumbers).rhs;
  const rhsDilation = resolveSteps(name, "rhsDilation", options.rhsDilation, axes.length);
  const steps = resolveSteps(name, "strides", strides, axes.length);
  const pairs = axes.map((axis, k): PadPair => {
    const extent = dilated(at(window.shape, axis), at(rhsDilation, k));
    if (typeof padding !== "string" && options.useConsistentPadding !== true) return at(padding, k);
    return transposedPadding(extent, at(steps, k), typeof padding === "string" ? padding : at(padding, k));
  });
  const turned = options.transposeKernel === true ? swapaxes(flip(window, { axis: axes }), features, channels) : window;
  const dot = { precision, ...(preferredElementType && { preferredElementType }) };
  return generalConv(name, lhs, turned, { ...dot, padding: pairs, lhsDilation: steps, rhsDilation, dimensionNumbers });
}

/** The padding that a convolution's transpose needs, given the convolution's own. */
function transposedPadding(window: number, stride: number, padding: string | PadPair): PadPair {
  if (typeof padding !== "string") return [window - padding[0] - 1, window - padding[1] - 1];
  if (padding === "VALID") return [window - 1, stride - 1 + Math.max(window - stride, 0)];
  if (padding !== "SAME")
    throw new ArgumentError(`convTranspose: padding is "SAME", "VALID" or pairs, received "${padding}"`);
  const total = window + stride - 2;
  const before = stride > window - 1 ? window - 1 : Math.ceil(total / 2);
  return [before, total - before];
}
