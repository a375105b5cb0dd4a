import { sizeOf, type Shape } from "./shape.ts";

/**
 * How an array of `shape` lies in flat storage: element (i₀, i₁, …) is at `offset + Σ iₖ·strides[k]`, counted in elements.
 * Transposes, broadcasts (stride 0), slices and flips are views: they cost nothing and share storage.
 */
export interface View {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = at(strides, axis + 1) * at(shape, axis + 1);
  return strides;
}

export function contiguousView(shape: Shape): View {
  return { shape, strides: rowMajorStrides(shape), offset: 0 };
}

/** True if the view walks storage in row-major order without gaps (axes of extent 1 may have any stride). */
export function isContiguous(view: View): boolean {
  if (sizeOf(view.shape) === 0) return true;
  let expected = 1;
  for (let axis = view.shape.length - 1; axis >= 0; axis--) {
    const extent = at(view.shape, axis);
    if (extent === 1) continue;
    if (at(view.strides, axis) !== expected) return false;
    expected *= extent;
  }
  return true;
}

/** True if the view is the storage itself: contiguous and from its first element. */
export function isIdentity(view: View): boolean {
  return view.offset === 0 && isContiguous(view);
}

export function transposeView(view: View, axes: readonly number[]): View {
  return {
    shape: axes.map((axis) => at(view.shape, axis)),
    strides: axes.map((axis) => at(view.strides, axis)),
    offset: view.offset,
  };
}

/** Broadcasts to `shape`, axes aligned from the last; extents must fit (checked by the caller). */
export function broadcastView(view: View, shape: Shape): View {
  const lead = shape.length - view.shape.length;
  const strides = shape.map((extent, axis) => {
    if (axis < lead) return 0;
    return at(view.shape, axis - lead) === extent ? at(view.strides, axis - lead) : 0;
  });
  return { shape, strides, offset: view.offset };
}

/** Elements start, start+step, … on every axis; `shape` holds how many of them. A negative step walks backwards. */
export function sliceView(view: View, starts: readonly number[], steps: readonly number[], shape: Shape): View {
  const offset = starts.reduce((sum, start, axis) => sum + start * at(view.strides, axis), view.offset);
  return { shape, strides: view.strides.map((stride, axis) => stride * at(steps, axis)), offset };
}

/**
 * The same elements in row-major order under another shape, or undefined when no strides can express it and the
 * elements must be copied. Walks groups of axes of equal size, as NumPy's no-copy reshape does.
 */
export function reshapeView(view: View, shape: Shape): View | undefined {
  if (sizeOf(shape) === 0) return { shape, strides: rowMajorStrides(shape), offset: view.offset };
  const from = view.shape
    .map((extent, axis) => ({ extent, stride: at(view.strides, axis) }))
    .filter(({ extent }) => extent !== 1);
  const strides = new Array<number>(shape.length).fill(0);
  let axis = 0;
  let group = 0;
  while (group < from.length) {
    let taken = group + 1;
    let elements = at(from, group).extent;
    let wanted = 1;
    const first = axis;
    while (wanted !== elements) {
      if (wanted < elements && axis < shape.length) wanted *= at(shape, axis++);
      else if (taken < from.length) elements *= at(from, taken++).extent;
      else return undefined;
    }
    for (let k = group; k < taken - 1; k++) {
      if (at(from, k).stride !== at(from, k + 1).stride * at(from, k + 1).extent) return undefined;
    }
    let stride = at(from, taken - 1).stride;
    for (let k = axis - 1; k >= first; k--) {
      strides[k] = stride;
      stride *= at(shape, k);
    }
    group = taken;
  }
  return { shape, strides, offset: view.offset };
}

/** Array access that the type checker believes; an index out of range is a bug in jnx, said so at once. */
export function at<T>(list: ArrayLike<T>, index: number): T {
  const value = list[index];
  if (value === undefined) throw new RangeError(`jnx internal error: index ${index} of a list of ${list.length}`);
  return value;
}
