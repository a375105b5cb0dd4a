/** Array oracles: plain loops over float64 numbers, with none of the engine's own code. */

/** An array on the host: row-major elements of a shape. */
export interface HostArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export function count(shape: readonly number[]): number {
  let total = 1;
  for (const extent of shape) total *= extent;
  return total;
}

/** The array of `shape` whose element at each coordinate is `element(coordinate)`. */
export function build(shape: readonly number[], element: (at: readonly number[]) => number): HostArray {
  const data: number[] = [];
  for (let flat = 0; flat < count(shape); flat++) data.push(element(coordinates(shape, flat)));
  return { shape, data };
}

/** The coordinate of a row-major place. */
export function coordinates(shape: readonly number[], flat: number): number[] {
  const at: number[] = [];
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis] ?? 1;
    at.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return at;
}

/** The element at a coordinate; axes of extent 1, and missing leading ones, are repeated. */
export function get(x: HostArray, at: readonly number[]): number {
  return x.data[placeOf(x.shape, at)] ?? NaN;
}

/** The row-major place of that element. */
function placeOf(shape: readonly number[], at: readonly number[]): number {
  const lead = at.length - shape.length;
  let flat = 0;
  shape.forEach((extent, axis) => {
    flat = flat * extent + (extent === 1 ? 0 : (at[axis + lead] ?? 0));
  });
  return flat;
}

export function broadcast(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const out: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    out.push(extents.find((extent) => extent !== 1) ?? 1);
  }
  return out;
}

/** f of the elements at each coordinate of the operands' common shape. */
export function map(f: (...xs: number[]) => number, ...arrays: readonly HostArray[]): HostArray {
  const shape = broadcast(...arrays.map((array) => array.shape));
  return build(shape, (at) => f(...arrays.map((array) => get(array, at))));
}

export function axesOf(axis: number | readonly number[] | undefined, rank: number): number[] {
  const list = axis === undefined ? [...Array(rank).keys()] : typeof axis === "number" ? [axis] : [...axis];
  return list.map((one) => (one < 0 ? one + rank : one));
}

/** `fold` of the elements along `axes` (row-major), for every other coordinate. */
export function reduce(
  x: HostArray,
  axis: number | readonly number[] | undefined,
  keepdims: boolean,
  fold: (elements: readonly number[]) => number,
): HostArray {
  const axes = axesOf(axis, x.shape.length);
  const kept = x.shape.map((extent, k) => (axes.includes(k) ? 1 : extent));
  const result = build(kept, (at) => {
    const elements: number[] = [];
    for (let flat = 0; flat < x.data.length; flat++) {
      const place = coordinates(x.shape, flat);
      if (place.every((c, k) => axes.includes(k) || c === at[k])) elements.push(x.data[flat] ?? NaN);
    }
    return fold(elements);
  });
  return keepdims ? result : { shape: x.shape.filter((_, k) => !axes.includes(k)), data: result.data };
}

export const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
export const largest = (xs: readonly number[]): number => xs.reduce((a, b) => Math.max(a, b), -Infinity);
export const smallest = (xs: readonly number[]): number => xs.reduce((a, b) => Math.min(a, b), Infinity);
export const mean = (xs: readonly number[]): number => sum(xs) / xs.length;

export function variance(xs: readonly number[], ddof = 0): number {
  const centre = mean(xs);
  return xs.length > ddof ? sum(xs.map((x) => (x - centre) ** 2)) / (xs.length - ddof) : NaN;
}

export function logsumexp(xs: readonly number[]): number {
  const top = largest(xs);
  const shift = Number.isFinite(top) ? top : 0;
  return Math.log(sum(xs.map((x) => Math.exp(x - shift)))) + shift;
}

/** The index of the first best element; a NaN is better than anything. */
export function argBest(xs: readonly number[], better: (a: number, b: number) => boolean): number {
  let best = 0;
  xs.forEach((x, k) => {
    const held = xs[best] ?? NaN;
    if (!Number.isNaN(held) && (Number.isNaN(x) || better(x, held))) best = k;
  });
  return best;
}

/** Each element against the others along its axes: what softmax and friends are. */
export function along(
  x: HostArray,
  axis: number | readonly number[],
  f: (element: number, others: readonly number[]) => number,
): HostArray {
  const axes = axesOf(axis, x.shape.length);
  return build(x.shape, (at) => {
    const others: number[] = [];
    for (let flat = 0; flat < x.data.length; flat++) {
      const place = coordinates(x.shape, flat);
      if (place.every((c, k) => axes.includes(k) || c === at[k])) others.push(x.data[flat] ?? NaN);
    }
    return f(get(x, at), others);
  });
}

/** jnp.matmul: one-dimensional operands are rows on the left and columns on the right; batch axes broadcast. */
export function matmul(x: HostArray, y: HostArray): HostArray {
  const a = x.shape.length === 1 ? { ...x, shape: [1, ...x.shape] } : x;
  const b = y.shape.length === 1 ? { ...y, shape: [...y.shape, 1] } : y;
  const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const [m = 0, k = 0] = a.shape.slice(-2);
  const [, n = 0] = b.shape.slice(-2);
  const full = build([...batch, m, n], (at) => {
    const [row = 0, column = 0] = at.slice(-2);
    const lead = at.slice(0, -2);
    const [first, second] = [placeOf(a.shape, [...lead, row, 0]), placeOf(b.shape, [...lead, 0, column])];
    let total = 0;
    for (let i = 0; i < k; i++) total += (a.data[first + i] ?? NaN) * (b.data[second + i * n] ?? NaN);
    return total;
  });
  const dropped = [
    ...(x.shape.length === 1 ? [full.shape.length - 2] : []),
    ...(y.shape.length === 1 ? [full.shape.length - 1] : []),
  ];
  return { shape: full.shape.filter((_, axis) => !dropped.includes(axis)), data: full.data };
}

export function transpose(x: HostArray, axes: readonly number[]): HostArray {
  const shape = axes.map((axis) => x.shape[axis] ?? 0);
  return build(shape, (at) => {
    const from: number[] = new Array<number>(at.length).fill(0);
    axes.forEach((axis, k) => (from[axis] = at[k] ?? 0));
    return get(x, from);
  });
}

export function slice(
  x: HostArray,
  starts: readonly number[],
  limits: readonly number[],
  steps: readonly number[],
): HostArray {
  const shape = starts.map((start, k) => Math.ceil(((limits[k] ?? 0) - start) / (steps[k] ?? 1)));
  return build(shape, (at) =>
    get(
      x,
      at.map((c, k) => (starts[k] ?? 0) + c * (steps[k] ?? 1)),
    ),
  );
}

export function flip(x: HostArray, axis?: number | readonly number[]): HostArray {
  const axes = axesOf(axis, x.shape.length);
  return build(x.shape, (at) =>
    get(
      x,
      at.map((c, k) => (axes.includes(k) ? (x.shape[k] ?? 0) - 1 - c : c)),
    ),
  );
}

/** lax.pad: before, after and between the elements of each axis; negative counts crop. */
export function pad(x: HostArray, value: number, config: readonly (readonly [number, number, number])[]): HostArray {
  const shape = config.map(([low, high, interior], k) => {
    const extent = x.shape[k] ?? 0;
    return low + high + extent + Math.max(0, extent - 1) * interior;
  });
  return build(shape, (at) => {
    const from = at.map((c, k) => (c - (config[k]?.[0] ?? 0)) / ((config[k]?.[2] ?? 0) + 1));
    return from.every((c, k) => Number.isInteger(c) && c >= 0 && c < (x.shape[k] ?? 0)) ? get(x, from) : value;
  });
}

/** Where an index points in an axis of `extent`, by mode; undefined where it is out of range. */
export function resolveIndex(
  index: number,
  extent: number,
  mode: "fill" | "clip" | "wrap",
  fromEnd: boolean,
): number | undefined {
  if (mode === "wrap") return ((index % extent) + extent) % extent;
  const place = index < 0 && fromEnd ? index + extent : index;
  if (mode === "clip") return Math.min(extent - 1, Math.max(0, place));
  return place >= 0 && place < extent ? place : undefined;
}

/** jnp.take along an axis. */
export function take(
  x: HostArray,
  indices: HostArray,
  axis: number,
  mode: "fill" | "clip" | "wrap",
  fill: number,
): HostArray {
  const inner = indices.shape.length;
  const extent = x.shape[axis] ?? 0;
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return build(shape, (at) => {
    const place = resolveIndex(get(indices, at.slice(axis, axis + inner)), extent, mode, mode === "fill");
    return place === undefined ? fill : get(x, [...at.slice(0, axis), place, ...at.slice(axis + inner)]);
  });
}

/** jnp.take_along_axis: operands broadcast on the other axes. */
export function takeAlongAxis(
  x: HostArray,
  indices: HostArray,
  axis: number,
  mode: "fill" | "clip" | "wrap",
  fill: number,
): HostArray {
  const extent = x.shape[axis] ?? 0;
  const outer = broadcast(
    x.shape.map((n, k) => (k === axis ? 1 : n)),
    indices.shape.map((n, k) => (k === axis ? 1 : n)),
  );
  const shape = outer.map((n, k) => (k === axis ? (indices.shape[k] ?? 0) : n));
  return build(shape, (at) => {
    const index = get(indices, at);
    const place = resolveIndex(index, extent, mode, true);
    if (place === undefined) return fill;
    return get(
      x,
      at.map((c, k) => (k === axis ? place : c)),
    );
  });
}

/** Σ of products over the labels of an equation such as "ij,jk->ik": nested loops; extents of 1 broadcast. */
export function einsum(equation: string, ...arrays: readonly HostArray[]): HostArray {
  const [left = "", output = ""] = equation.split("->");
  const inputs = left.split(",");
  const labels = [...new Set(left.replaceAll(",", ""))];
  const extent = (label: string): number => {
    const own = inputs.flatMap((input, k) =>
      [...input].flatMap((one, axis) => (one === label ? [arrays[k]?.shape[axis] ?? 1] : [])),
    );
    return own.find((n) => n !== 1) ?? 1;
  };
  const inner = labels.filter((label) => !output.includes(label));
  const steps = build(inner.map(extent), () => 0);
  return build([...output].map(extent), (at) => {
    let total = 0;
    steps.data.forEach((_, flat) => {
      const step = coordinates(steps.shape, flat);
      const place = (label: string): number => at[output.indexOf(label)] ?? step[inner.indexOf(label)] ?? 0;
      total += inputs.reduce(
        (product, input, k) => product * get(arrays[k] ?? { shape: [], data: [] }, [...input].map(place)),
        1,
      );
    });
    return total;
  });
}
