import * as t from "@jnx/tensor";
import type { Tensor } from "@jnx/tensor";
import * as r from "../reference.ts";
import { always, shapedRow, type Operand, type ShapedRow } from "./rows.ts";

const smooth = { differentiable: true };
const whole = { result: always("int32") };
const none = (): Tensor => t.zeros([0]);
const given = (shape: readonly number[], values: readonly number[], dtype: "int32" | "bool" | "uint8"): Operand => ({
  shape,
  values,
  dtype,
});

/** x with element `places[k]` of its flat form replaced by value k, which repeat; undefined places are left out. */
function replaced(x: r.HostArray, places: readonly (number | undefined)[], values: r.HostArray): r.HostArray {
  const data = [...x.data];
  places.forEach((place, k) => {
    if (place !== undefined) data[place] = values.data[k % values.data.length] ?? NaN;
  });
  return { shape: x.shape, data };
}

const diagonals: readonly ShapedRow[] = [
  shapedRow(
    "fillDiagonal",
    "of a tall matrix",
    [[5, 3], [2]],
    (x, v) => t.fillDiagonal(x, v),
    (x, v) => replaced(x, [0, 4, 8], v),
    smooth,
  ),
  shapedRow(
    "fillDiagonal",
    "of three axes",
    [[3, 3, 3]],
    (x) => t.fillDiagonal(x, 2.5),
    (x) => replaced(x, [0, 13, 26], { shape: [1], data: [2.5] }),
    smooth,
  ),
];

const puts = ([undefined, "clip", "wrap"] as const).map((mode) => {
  const index = [0, -1, 8, 2];
  const last = 5;
  const place = (i: number): number => {
    if (mode === "wrap") return ((i % 6) + 6) % 6;
    return Math.min(last, Math.max(0, mode === undefined && i < 0 ? i + 6 : i));
  };
  return shapedRow(
    "put",
    mode ?? "from the end",
    [[2, 3], given([2, 2], index, "int32"), [3]],
    (x, i, v) => t.put(x, i, v, mode === undefined ? {} : { mode }),
    (x, i, v) => replaced(x, i.data.map(place), v),
    smooth,
  );
});

/** Where a mask is true. */
const chosen = (mask: r.HostArray): number[] => mask.data.flatMap((flag, place) => (flag === 0 ? [] : [place]));
const mask = given([2, 4], [1, 0, 1, 1, 0, 0, 1, 0], "bool");

const places: readonly ShapedRow[] = [
  shapedRow(
    "place",
    "values in turn",
    [[2, 4], mask, [3]],
    (x, m, v) => t.place(x, m, v),
    (x, m, v) => replaced(x, chosen(m), v),
    smooth,
  ),
  shapedRow(
    "putAlongAxis",
    "axis 1",
    [[3, 4], given([3, 2], [0, -1, 2, 1, 3, 7], "int32"), [3, 2]],
    (x, i, v) => t.putAlongAxis(x, i, v, 1),
    (x, i, v) =>
      replaced(
        x,
        i.data.map((c, k) => {
          const column = r.resolveIndex(c, 4, "fill", true);
          return column === undefined ? undefined : Math.floor(k / 2) * 4 + column;
        }),
        v,
      ),
    smooth,
  ),
  shapedRow(
    "compress",
    "axis 1, filled",
    [[2, 4], given([4], [1, 0, 0, 1], "bool")],
    (x, m) => t.compress(m, x, { axis: 1, size: 3, fillValue: 7 }),
    (x, m) => r.build([2, 3], ([i = 0, j = 0]) => (j < 2 ? r.get(x, [i, chosen(m)[j] ?? 0]) : 7)),
    smooth,
  ),
  shapedRow(
    "extract",
    "fewer than there are",
    [[2, 4], mask],
    (x, m) => t.extract(m, x, { size: 3 }),
    (x, m) => r.build([3], ([k = 0]) => x.data[chosen(m)[k] ?? 0] ?? NaN),
    smooth,
  ),
  shapedRow(
    "matrixTranspose",
    "of [2, 3, 4]",
    [[2, 3, 4]],
    t.matrixTranspose,
    (x) => r.transpose(x, [0, 2, 1]),
    smooth,
  ),
  shapedRow(
    "rollaxis",
    "2 to the front",
    [[2, 3, 4]],
    (x) => t.rollaxis(x, 2),
    (x) => r.transpose(x, [2, 0, 1]),
    smooth,
  ),
  shapedRow(
    "rollaxis",
    "0 to the end",
    [[2, 3, 4]],
    (x) => t.rollaxis(x, 0, 3),
    (x) => r.transpose(x, [1, 2, 0]),
    smooth,
  ),
];

const list = (...data: number[]): r.HostArray => ({ shape: [data.length], data });

const indices: readonly ShapedRow[] = [
  shapedRow(
    "diagIndicesFrom",
    "of 3",
    [[3, 3]],
    (x) => t.diagIndicesFrom(x)[1] ?? none(),
    () => list(0, 1, 2),
    whole,
  ),
  shapedRow(
    "trilIndicesFrom",
    "of [2, 3]",
    [[2, 3]],
    (x) => t.trilIndicesFrom(x, 1)[1] ?? none(),
    () => list(0, 1, 0, 1, 2),
    whole,
  ),
  shapedRow(
    "triuIndicesFrom",
    "of [2, 3]",
    [[2, 3]],
    (x) => t.triuIndicesFrom(x)[1] ?? none(),
    () => list(0, 1, 2, 1, 2),
    whole,
  ),
  shapedRow(
    "ix",
    "of two",
    [[2], [3]],
    (x, y) => t.ix(x, y)[1] ?? none(),
    (_, y) => ({ shape: [1, 3], data: y.data }),
    { dtypes: ["int32", "float32"] },
  ),
  shapedRow(
    "mgrid",
    "of two",
    [],
    () => t.mgrid([1, 3], [0, 6, 2]),
    () => r.build([2, 2, 3], ([k = 0, i = 0, j = 0]) => (k === 0 ? 1 + i : 2 * j)),
    whole,
  ),
  shapedRow(
    "ogrid",
    "of two",
    [],
    () => t.ogrid([1, 3], [0, 6, 2])[1] ?? none(),
    () => ({ shape: [1, 3], data: [0, 2, 4] }),
    whole,
  ),
];

const bit = (byte: number, place: number): number => (byte >> place) & 1;

const others: readonly ShapedRow[] = [
  shapedRow(
    "block",
    "of two rows",
    [[2, 2], [2, 1], [3]],
    (a, b, c) => t.block([[a, b], [c]]),
    (a, b, c) =>
      r.build([3, 3], ([i = 0, j = 0]) => (i === 2 ? r.get(c, [j]) : j < 2 ? r.get(a, [i, j]) : r.get(b, [i, 0]))),
    smooth,
  ),
  shapedRow(
    "piecewise",
    "of three",
    [[3, 7]],
    (x) => t.piecewise(x, [t.less(x, -0.5), t.greater(x, 0.5)], [(one) => t.mul(one, one), 3, t.neg]),
    (x) => r.map((one) => (one > 0.5 ? 3 : one < -0.5 ? one * one : -one), x),
    { ...smooth, tolerance: { ulp: 1 } },
  ),
  shapedRow(
    "packbits",
    "flat",
    [[3, 5]],
    (x) => t.packbits(x),
    (x) => r.build([2], ([k = 0]) => sumOf(8, (b) => ((x.data[8 * k + b] ?? 0) === 0 ? 0 : 2 ** (7 - b)))),
    { dtypes: ["int32", "bool"], result: always("uint8") },
  ),
  shapedRow(
    "packbits",
    "axis 0, the least first",
    [[11, 2]],
    (x) => t.packbits(x, { axis: 0, bitorder: "little" }),
    (x) =>
      r.build([2, 2], ([k = 0, j = 0]) =>
        sumOf(8, (b) => (8 * k + b < 11 && r.get(x, [8 * k + b, j]) !== 0 ? 2 ** b : 0)),
      ),
    { dtypes: ["int32"], result: always("uint8") },
  ),
  shapedRow(
    "unpackbits",
    "flat",
    [given([2, 2], [1, 255, 160, 77], "uint8")],
    (x) => t.unpackbits(x),
    (x) => r.build([32], ([k = 0]) => bit(x.data[Math.floor(k / 8)] ?? 0, 7 - (k % 8))),
    { result: always("uint8") },
  ),
  shapedRow(
    "unpackbits",
    "axis 0, the least first, ten",
    [given([2, 2], [1, 255, 161, 78], "uint8")],
    (x) => t.unpackbits(x, { axis: 0, bitorder: "little", count: 10 }),
    (x) => r.build([10, 2], ([k = 0, j = 0]) => bit(r.get(x, [Math.floor(k / 8), j]), k % 8)),
    { result: always("uint8") },
  ),
];

function sumOf(count: number, term: (k: number) => number): number {
  return r.sum(Array.from({ length: count }, (_, k) => term(k)));
}

/** Arrays with elements replaced or taken, put together from parts, and grids of indices. */
export const placing: readonly ShapedRow[] = [...diagonals, ...puts, ...places, ...indices, ...others];
