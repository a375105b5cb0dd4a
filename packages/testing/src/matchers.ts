import type { DType } from "@jnx/tensor";
import { expect } from "vitest";
import type { HostArray } from "./reference.ts";
import { misses, type Tolerance } from "./ulp.ts";

/** Fails with the first few elements that miss; `inputs` tells what they came from, for elementwise functions. */
export function expectClose(
  got: ArrayLike<number>,
  want: HostArray,
  dtype: DType,
  tolerance: Tolerance,
  inputs?: (flat: number) => string,
): void {
  expect(got.length).toBe(want.data.length);
  const wrong = misses(got, want, dtype, tolerance).map((text) => {
    const flat = Number(/^element (\d+)/.exec(text)?.[1]);
    return inputs === undefined ? text : `${text} from (${inputs(flat)})`;
  });
  expect(wrong.slice(0, 8), `${wrong.length} of ${want.data.length} elements miss`).toEqual([]);
}
