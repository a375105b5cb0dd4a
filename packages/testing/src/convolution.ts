/** Windows sliding over arrays, in float64 loops: convolutions and windowed reductions. */
import { build, count, get, type HostArray } from "./reference.ts";

export interface ConvReference {
  readonly strides: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly lhsDilation: readonly number[];
  readonly rhsDilation: readonly number[];
  readonly numbers: readonly [string, string, string];
  readonly featureGroups: number;
  readonly batchGroups: number;
}

const at = (list: readonly number[], k: number): number => list[k] ?? NaN;

/** Every coordinate of `shape`, row-major. */
function* places(shape: readonly number[]): Generator<number[]> {
  if (shape.length === 0) {
    yield [];
    return;
  }
  const [extent = 0, ...rest] = shape;
  for (let i = 0; i < extent; i++) for (const inner of places(rest)) yield [i, ...inner];
}

/** How far apart neighbours along the axis `letter` lie in an array whose axes are the letters of `spec`. */
function stepOf({ shape }: HostArray, spec: string, letter: string): number {
  return count(shape.slice(spec.indexOf(letter) + 1));
}

/** Where the element with these coordinates lies. */
function placeOf(x: HostArray, spec: string, values: ReadonlyMap<string, number>): number {
  return [...spec].reduce((place, letter, k) => place * at(x.shape, k) + (values.get(letter) ?? NaN), 0);
}

/** The convolution as its definition says it, for arrays in any layout. */
export function conv(x: HostArray, w: HostArray, how: ConvReference): HostArray {
  const [lhs, rhs, out] = how.numbers;
  const spatial = [...rhs].filter((letter) => !"OI".includes(letter));
  const extent = (array: HostArray, spec: string, letter: string): number => at(array.shape, spec.indexOf(letter));
  const holes = (n: number, step: number): number => (n === 0 ? 0 : (n - 1) * step + 1);
  const [batch, features, inputs] = [extent(x, lhs, "N"), extent(w, rhs, "O"), extent(w, rhs, "I")];
  const counts = spatial.map((letter, k) => {
    const [low, high] = how.padding[k] ?? [0, 0];
    const room = holes(extent(x, lhs, letter), at(how.lhsDilation, k)) + low + high;
    const window = holes(extent(w, rhs, letter), at(how.rhsDilation, k));
    return room < window ? 0 : Math.floor((room - window) / at(how.strides, k)) + 1;
  });
  const shape = [...out].map((letter) =>
    letter === "N" ? batch / how.batchGroups : letter === "C" ? features : at(counts, spatial.indexOf(letter)),
  );
  const groups = how.featureGroups * how.batchGroups;
  const [xStep, wStep] = [stepOf(x, lhs, "C"), stepOf(w, rhs, "I")];
  return build(shape, (place) => {
    const position = new Map([...out].map((letter, k) => [letter, at(place, k)]));
    const [n, o] = [position.get("N") ?? 0, position.get("C") ?? 0];
    const group = Math.floor(o / (features / groups));
    let sum = 0;
    for (const tap of places(spatial.map((letter) => extent(w, rhs, letter)))) {
      const source = spatial.map((letter, k) => {
        const [low = 0] = how.padding[k] ?? [];
        return (position.get(letter) ?? 0) * at(how.strides, k) + at(tap, k) * at(how.rhsDilation, k) - low;
      });
      const real = source.every((s, k) => {
        const step = at(how.lhsDilation, k);
        return s >= 0 && s % step === 0 && s / step < extent(x, lhs, spatial[k] ?? "");
      });
      if (!real) continue;
      const image = new Map(spatial.map((letter, k) => [letter, at(source, k) / at(how.lhsDilation, k)]));
      image.set("N", how.batchGroups > 1 ? group * (batch / how.batchGroups) + n : n);
      image.set("C", how.featureGroups > 1 ? group * inputs : 0);
      const window = new Map(spatial.map((letter, k) => [letter, at(tap, k)]));
      window.set("I", 0).set("O", o);
      const [xs, ws] = [placeOf(x, lhs, image), placeOf(w, rhs, window)];
      for (let c = 0; c < inputs; c++) sum += at(x.data, xs + c * xStep) * at(w.data, ws + c * wStep);
    }
    return sum;
  });
}

export interface WindowReference {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly baseDilation?: readonly number[];
  readonly windowDilation?: readonly number[];
}

/** `fold` of `init` and what lies under each place of a window; padding and holes are passed over. */
export function reduceWindow(
  x: HostArray,
  init: number,
  fold: (a: number, b: number) => number,
  how: WindowReference,
): HostArray {
  const step = (list: readonly number[] | undefined, k: number): number => list?.[k] ?? 1;
  const span = (n: number, holes: number): number => (n === 0 ? 0 : (n - 1) * holes + 1);
  const shape = x.shape.map((extent, k) => {
    const [low, high] = how.padding[k] ?? [0, 0];
    const room = span(extent, step(how.baseDilation, k)) + low + high;
    const window = span(at(how.window, k), step(how.windowDilation, k));
    return room < window ? 0 : Math.floor((room - window) / at(how.strides, k)) + 1;
  });
  return build(shape, (place) => {
    let value = init;
    for (const tap of places(how.window)) {
      const source = place.map((i, k) => {
        const [low = 0] = how.padding[k] ?? [];
        return (i * at(how.strides, k) + at(tap, k) * step(how.windowDilation, k) - low) / step(how.baseDilation, k);
      });
      const real = source.every((s, k) => Number.isInteger(s) && s >= 0 && s < at(x.shape, k));
      if (real) value = fold(value, get(x, source));
    }
    return value;
  });
}
