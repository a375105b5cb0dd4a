import * as t from "@jnx/tensor";
import type { HostArray } from "../reference.ts";
import { EVERY, always, shapedRow, type Row } from "./rows.ts";

const same = (value: boolean) => (): HostArray => ({ shape: [], data: [value ? 1 : 0] });
const bool = { result: always("bool") };
const three = { shape: [3], values: [1, NaN, 2] };

/** Whether arrays are equal, or near. */
export const comparisons: readonly Row[] = [
  shapedRow(
    "allclose",
    "of near numbers",
    [{ shape: [2], values: [1, 2] }],
    (x) => t.allclose(x, t.mul(x, 1.000001)),
    same(true),
    bool,
  ),
  shapedRow(
    "allclose",
    "of one that is far",
    [{ shape: [2], values: [1, 2] }],
    (x) => t.allclose(x, t.array([1, 2.1])),
    same(false),
    bool,
  ),
  shapedRow("allclose", "of NaN", [three], (x) => t.allclose(x, x), same(false), bool),
  shapedRow(
    "allclose",
    "of NaN taken as equal",
    [three],
    (x) => t.allclose(x, x, { equalNan: true }),
    same(true),
    bool,
  ),
  shapedRow(
    "allclose",
    "with tolerances",
    [{ shape: [2], values: [1, 2] }],
    (x) => t.allclose(x, t.add(x, 0.5), { rtol: 0, atol: 0.5 }),
    same(true),
    bool,
  ),
  shapedRow("arrayEqual", "of an array and itself", [[2, 3]], (x) => t.arrayEqual(x, x), same(true), {
    ...bool,
    dtypes: EVERY,
  }),
  shapedRow("arrayEqual", "of other shapes", [[2, 3]], (x) => t.arrayEqual(x, t.ravel(x)), same(false), {
    ...bool,
    dtypes: EVERY,
  }),
  shapedRow("arrayEqual", "of NaN", [three], (x) => t.arrayEqual(x, x), same(false), bool),
  shapedRow(
    "arrayEqual",
    "of NaN taken as equal",
    [three],
    (x) => t.arrayEqual(x, x, { equalNan: true }),
    same(true),
    bool,
  ),
  shapedRow(
    "arrayEquiv",
    "of a row and its repetition",
    [[3]],
    (x) => t.arrayEquiv(x, t.broadcastTo(x, [2, 3])),
    same(true),
    { ...bool, dtypes: EVERY },
  ),
  shapedRow("arrayEquiv", "of shapes that do not fit", [[3]], (x) => t.arrayEquiv(x, t.ones([2])), same(false), {
    ...bool,
    dtypes: EVERY,
  }),
];
