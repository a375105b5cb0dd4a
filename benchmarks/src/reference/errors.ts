/** How far a result is from what it should be. */
import { at, type Numbers } from "./ops.ts";
import type { TrainReference } from "./training.ts";

/**
 * How far a sample's mean, variance and share beyond 3 are from the standard normal's, each over five standard
 * deviations of that statistic: up to 1 is well; infinite for another length or a NaN.
 */
export function normalError(sample: Numbers, n: number): number {
  if (sample.length !== n) return Infinity;
  let [sum, squares, far] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const x = at(sample, i);
    sum += x;
    squares += x * x;
    if (Math.abs(x) > 3) far++;
  }
  const beyond = 0.0026997960632601866;
  const errors = [
    [sum / n, 1],
    [squares / n - (sum / n) ** 2 - 1, Math.SQRT2],
    [far / n - beyond, Math.sqrt(beyond)],
  ].map(([off = NaN, deviation = NaN]) => (Math.abs(off) * Math.sqrt(n)) / (5 * deviation));
  return errors.some(Number.isNaN) ? Infinity : Math.max(...errors);
}

/** Largest |got - want| over the largest |want|; infinite for another length or a NaN. */
export function relativeError(got: Numbers, want: Numbers): number {
  if (got.length !== want.length) return Infinity;
  let [worst, scale] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(at(got, i) - at(want, i));
    if (Number.isNaN(error)) return Infinity;
    worst = Math.max(worst, error);
    scale = Math.max(scale, Math.abs(at(want, i)));
  }
  return worst === 0 ? 0 : worst / scale;
}

/** ‖params - reference‖ / ‖reference - start‖, over all parameters. */
export function movementError(params: readonly Numbers[], reference: TrainReference): number {
  if (params.length !== reference.params.length) return Infinity;
  let [off, moved] = [0, 0];
  reference.params.forEach((want, n) => {
    const [got, start] = [params[n] ?? [], reference.start[n] ?? []];
    for (let i = 0; i < want.length; i++) {
      off += (at(got, i) - at(want, i)) ** 2;
      moved += (at(want, i) - at(start, i)) ** 2;
    }
  });
  return Number.isNaN(off) ? Infinity : Math.sqrt(off / moved);
}
