import * as t from "@jnx/tensor";
import type { DType } from "@jnx/tensor";
import * as r from "../reference.ts";
import { EVERY, always, mapRow, shapedRow, type Row } from "./rows.ts";

const itself = () => (x: number) => x;
const every = { dtypes: EVERY };
const smooth = { ...every, differentiable: true };
const turned = (half: number) => () => (x: number) => {
  if (Number.isNaN(x)) return NaN;
  return x < 0 || Object.is(x, -0) ? half : 0;
};
const empties = EVERY.flatMap((dtype: DType) => {
  const want = r.build([2, 3], () => 0);
  const options = { result: always(dtype) };
  return [
    shapedRow(
      "empty",
      dtype,
      [],
      () => t.empty([2, 3], { dtype }),
      () => want,
      options,
    ),
    shapedRow(
      "emptyLike",
      dtype,
      [],
      () => t.emptyLike(t.ones([2, 3], { dtype })),
      () => want,
      options,
    ),
  ];
});

/** What NumPy says of complex numbers, of arrays that hold none. */
export const real: readonly Row[] = [
  mapRow("real", t.real, 1, itself, smooth),
  mapRow("conjugate", t.conjugate, 1, itself, smooth),
  mapRow("copy", t.copy, 1, itself, smooth),
  mapRow("imag", t.imag, 1, () => () => 0, every),
  mapRow("angle", (x) => t.angle(x), 1, turned(Math.PI), { tolerance: { ulp: 1 } }),
  mapRow("angle", (x) => t.angle(x, { deg: true }), 1, turned(180), { label: "angle in degrees" }),
  mapRow("iscomplex", t.iscomplex, 1, () => () => 0, { ...every, result: always("bool") }),
  mapRow("isreal", t.isreal, 1, () => () => 1, { ...every, result: always("bool") }),
  ...empties,
];
