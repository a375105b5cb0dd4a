import { planConv, type Triple } from "@jnx/kernels-wgsl";
import { bind } from "../dispatch.ts";
import type { ComputedAval, BatchRule, KernelOp, VjpRule } from "../op.ts";
import { sizeOf, type Shape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at, type View } from "../view.ts";
import { add } from "./elementwise.ts";
import { flip, moveaxis, reshape, swapaxes } from "./movement.ts";
import { dilated, positions, type PadPair } from "./padding.ts";

/** A convolution over the spatial axes in the middle: x [batch, …, channels], w [window…, channels, features]. */
export interface ConvAttrs {
  readonly strides: readonly number[];
  readonly padding: readonly PadPair[];
  readonly lhsDilation: readonly number[];
  readonly rhsDilation: readonly number[];
  readonly featureGroups: number;
  readonly batchGroups: number;
  /** Whether the result is […, batch, features] instead of [batch, …, features]. */
  readonly batchInner: boolean;
}

function spatial(shape: Shape): Shape {
  return shape.slice(1, -1);
}

function outExtents(x: Shape, w: Shape, attrs: ConvAttrs): number[] {
  return spatial(x).map((extent, k) => {
    const [low, high] = at(attrs.padding, k);
    const room = dilated(extent, at(attrs.lhsDilation, k)) + low + high;
    return positions(room, dilated(at(w, k), at(attrs.rhsDilation, k)), at(attrs.strides, k));
  });
}

function convShape(x: Shape, w: Shape, attrs: ConvAttrs): Shape {
  const batch = at(x, 0) / attrs.batchGroups;
  const features = at(w, w.length - 1);
  const out = outExtents(x, w, attrs);
  return attrs.batchInner ? [...out, batch, features] : [batch, ...out, features];
}

/** Three axes, the missing ones in front. */
function triple(values: readonly number[], missing: number): Triple {
  const at3 = (k: number): number => values[values.length - 3 + k] ?? missing;
  return [at3(0), at3(1), at3(2)];
}

const convOp: KernelOp<ConvAttrs> = {
  kind: "kernel",
  name: "conv",
  infer: ([x, w], attrs) => ({
    shape: x && w ? convShape(x.shape, w.shape, attrs) : [],
    dtype: x?.dtype ?? "float32",
    weak: false,
  }),
  // The kernels walk any strides, negative ones too: layouts are transposes of the operands.
  accepts: () => true,
  plan: ([x, w], attrs, limits) => {
    if (x === undefined || w === undefined) return [];
    const spec = {
      dtype: numeric(x.aval),
      batch: at(x.aval.shape, 0),
      channels: at(w.aval.shape, w.aval.shape.length - 2),
      features: at(w.aval.shape, w.aval.shape.length - 1),
      featureGroups: attrs.featureGroups,
      batchGroups: attrs.batchGroups,
      inExtent: triple(spatial(x.aval.shape), 1),
      outExtent: triple(outExtents(x.aval.shape, w.aval.shape, attrs), 1),
      window: triple(w.aval.shape.slice(0, -2), 1),
      strides: triple(attrs.strides, 1),
      low: triple(
        attrs.padding.map(([low]) => low),
        0,
      ),
      lhsDilation: triple(attrs.lhsDilation, 1),
      rhsDilation: triple(attrs.rhsDilation, 1),
      ...placesOf(x.view, w.view),
      batchInner: attrs.batchInner,
    };
    return planConv(spec, limits).map((stage) => ({
      ...stage,
      operands: stage.operands ?? (stage.reads === "operands" ? [0, 1] : []),
    }));
  },
  flops: ([x, w], attrs) =>
    x && w ? (2 * sizeOf(convShape(x.shape, w.shape, attrs)) * sizeOf(w.shape)) / at(w.shape, w.shape.length - 1) : 0,
  vjp: (context, ct) => convVjp(context, ct),
  jvp: ({ inputs: [x, w], attrs }, [dx, dw]) => {
    const parts = [dx && w && convolve(dx, w, attrs), x && dw && convolve(x, dw, attrs)];
    const [first, second] = parts.filter((part) => part !== undefined);
    return first && second ? add(first, second) : first;
  },
  batch: (inputs, batched, attrs) => convBatch(inputs, batched, attrs),
};

function placesOf(x: View, w: View): Pick<Parameters<typeof planConv>[0], "x" | "w"> {
  const rank = x.strides.length;
  return {
    x: {
      offset: x.offset,
      batch: at(x.strides, 0),
      channel: at(x.strides, rank - 1),
      spatial: triple(x.strides.slice(1, -1), 0),
    },
    w: {
      offset: w.offset,
      input: at(w.strides, rank - 2),
      output: at(w.strides, rank - 1),
      spatial: triple(w.strides.slice(0, -2), 0),
    },
  };
}

function numeric({ dtype }: ComputedAval): "float32" | "int32" | "uint32" {
  return dtype === "bool" ? "int32" : dtype;
}

/** The convolution of operands whose shapes and dtypes have been checked. */
export function convolve(x: Tensor, w: Tensor, attrs: ConvAttrs): Tensor {
  return bind(convOp, [x, w], attrs);
}

const convVjp: VjpRule<ConvAttrs> = ({ inputs: [x, w], attrs, needs }, ct) => {
  if (x === undefined || w === undefined) return [];
  const batchFirst = attrs.batchInner ? moveaxis(ct, -2, 0) : ct;
  const sizes = spatial(x.shape).map((extent, k) => ({
    x: dilated(extent, at(attrs.lhsDilation, k)),
    w: dilated(at(w.shape, k), at(attrs.rhsDilation, k)),
    y: dilated(at(batchFirst.shape, k + 1), at(attrs.strides, k)),
    low: at(attrs.padding, k)[0],
  }));
  return [
    needs[0]
      ? imageCotangent(
          batchFirst,
          w,
          attrs,
          sizes.map((size): PadPair => [size.w - size.low - 1, size.x - size.y + size.low]),
        )
      : undefined,
    needs[1]
      ? windowCotangent(
          x,
          batchFirst,
          attrs,
          sizes.map((size): PadPair => [size.low, size.y - size.x + size.w - size.low - 1]),
        )
      : undefined,
  ];
};

/** The cotangent slides over the flipped window, whose channels and features have changed places. */
function imageCotangent(ct: Tensor, w: Tensor, attrs: ConvAttrs, padding: readonly PadPair[]): Tensor {
  const groups = Math.max(attrs.featureGroups, attrs.batchGroups);
  const rank = w.ndim;
  const window = w.shape.slice(0, -2);
  const [channels, features] = [at(w.shape, rank - 2), at(w.shape, rank - 1)];
  const apart = reshape(w, [...window, channels, groups, features / groups]);
  const turned = reshape(swapaxes(apart, -1, -3), [...window, features / groups, groups * channels]);
  const result = convolve(ct, flip(turned, { axis: window.map((_, k) => k) }), {
    strides: attrs.lhsDilation,
    padding,
    lhsDilation: attrs.strides,
    rhsDilation: attrs.rhsDilation,
    featureGroups: groups,
    batchGroups: 1,
    batchInner: false,
  });
  if (attrs.batchGroups === 1) return result;
  const [batch, ...rest] = result.shape.slice(0, -1);
  const grouped = moveaxis(reshape(result, [batch ?? 0, ...rest, groups, channels]), -2, 0);
  return reshape(grouped, [groups * (batch ?? 0), ...rest, channels]);
}

/** x slides under the cotangent, with batch and channels exchanged; comes out in the window's own order. */
function windowCotangent(x: Tensor, ct: Tensor, attrs: ConvAttrs, padding: readonly PadPair[]): Tensor {
  return convolve(swapaxes(x, 0, -1), moveaxis(ct, 0, -2), {
    strides: attrs.rhsDilation,
    padding,
    lhsDilation: attrs.lhsDilation,
    rhsDilation: attrs.strides,
    featureGroups: attrs.batchGroups,
    batchGroups: attrs.featureGroups,
    batchInner: true,
  });
}

const convBatch: BatchRule<ConvAttrs> = ([x, w], [xBatched, wBatched], attrs) => {
  if (x === undefined || w === undefined) throw new Error("jnx internal error: conv takes two operands");
  if (xBatched === true && wBatched === true) return batchBoth(x, w, attrs);
  return xBatched === true ? batchImages(x, w, attrs) : batchWindows(x, w, attrs);
};

/** Where the result has its batch, and the axis that follows the batch of examples taken out of it. */
function batchAxis(y: Tensor, attrs: ConvAttrs): number {
  return attrs.batchInner ? y.ndim - 2 : 0;
}

/** The axis of y split into [outer, inner]. */
function splitAxis(y: Tensor, axis: number, outer: number): Tensor {
  const shape = [...y.shape];
  shape.splice(axis, 1, outer, at(y.shape, axis) / outer);
  return reshape(y, shape);
}

/** Axis `axis` and the one after it made one. */
function joinAxis(y: Tensor, axis: number): Tensor {
  const shape = [...y.shape];
  shape.splice(axis, 2, at(shape, axis) * at(shape, axis + 1));
  return reshape(y, shape);
}

/** All examples' images as one batch, within each batch group. */
function batchImages(x: Tensor, w: Tensor, attrs: ConvAttrs): Tensor {
  const examples = at(x.shape, 0);
  const grouped = moveaxis(splitAxis(x, 1, attrs.batchGroups), 1, 0);
  const y = convolve(joinAxis(joinAxis(grouped, 1), 0), w, attrs);
  const axis = batchAxis(y, attrs);
  return moveaxis(splitAxis(y, axis, examples), axis, 0);
}

/** All examples' windows as features, within each group. */
function batchWindows(x: Tensor, w: Tensor, attrs: ConvAttrs): Tensor {
  const examples = at(w.shape, 0);
  const groups = Math.max(attrs.featureGroups, attrs.batchGroups);
  // [examples, …, channels, features] → […, channels, groups, examples, features / groups]
  const grouped = moveaxis(splitAxis(w, w.ndim - 1, groups), 0, -2);
  const y = convolve(x, joinAxis(joinAxis(grouped, grouped.ndim - 2), grouped.ndim - 3), attrs);
  const apart = splitAxis(splitAxis(y, y.ndim - 1, groups), y.ndim, examples);
  return joinAxis(moveaxis(apart, -2, 0), y.ndim);
}

/** Each example a group of its own. */
function batchBoth(x: Tensor, w: Tensor, attrs: ConvAttrs): Tensor {
  const examples = at(x.shape, 0);
  const byBatch = attrs.batchGroups > 1;
  const images = byBatch ? joinAxis(x, 0) : joinAxis(moveaxis(x, 0, -2), x.ndim - 2);
  const windows = joinAxis(moveaxis(w, 0, -2), w.ndim - 2);
  const y = convolve(images, windows, {
    ...attrs,
    batchGroups: byBatch ? attrs.batchGroups * examples : 1,
    featureGroups: byBatch ? 1 : attrs.featureGroups * examples,
  });
  return moveaxis(splitAxis(y, y.ndim - 1, examples), -2, 0);
}

/** Whether a convolution with these operands sums over nothing, or has no result: then no kernel runs. */
export function isEmptyConv(x: Tensor, w: Tensor, attrs: ConvAttrs): boolean {
  return x.size === 0 || w.size === 0 || sizeOf(convShape(x.shape, w.shape, attrs)) === 0;
}

export { convShape };
