import * as t from "@jnx/tensor";
import type { HostArray } from "../reference.ts";
import { shapedRow, type ShapedRow } from "./rows.ts";

/** Σ of products where the shorter array lies over the longer, beginning `start` places before its first element. */
function sliding(count: number, start: number, flipped: boolean, reversed: boolean) {
  return (a: HostArray, v: HostArray): HostArray => {
    const [long, short] = a.data.length < v.data.length ? [v, a] : [a, v];
    const window = flipped ? [...short.data].reverse() : short.data;
    const sums = Array.from({ length: count }, (_, i) =>
      window.reduce((total, value, k) => total + value * (long.data[i - start + k] ?? 0), 0),
    );
    return { shape: [count], data: reversed ? sums.reverse() : sums };
  };
}

export const convolve: readonly ShapedRow[] = (
  [
    ["convolve", "full", 7, 3, 9, 2],
    ["convolve", "same", 7, 4, 7, 2],
    ["convolve", "valid", 3, 7, 5, 0],
    ["correlate", "full", 3, 7, 9, 2],
    ["correlate", "same", 7, 3, 7, 1],
    ["correlate", "valid", 7, 4, 4, 0],
  ] as const
).map(([name, mode, a, v, count, start]) =>
  shapedRow(
    name,
    `${mode}, ${a} and ${v}`,
    [[a], [v]],
    (x, y) => t[name](x, y, { mode }),
    sliding(count, start, name === "convolve", name === "correlate" && a < v),
    { tolerance: { ulp: 4, abs: 2e-5 }, differentiable: true },
  ),
);
