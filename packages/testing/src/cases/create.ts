import * as t from "@jnx/tensor";
import type { DType, Tensor } from "@jnx/tensor";
import * as r from "../reference.ts";
import { EVERY, NUMBERS, always, shapedRow, type ShapedRow } from "./rows.ts";

const filled = (shape: readonly number[], value: number): r.HostArray => r.build(shape, () => value);

function made(name: string, label: string, dtype: DType, run: () => Tensor, want: r.HostArray): ShapedRow {
  return shapedRow(name, label, [], run, () => want, { result: always(dtype) });
}

const fills = EVERY.flatMap((dtype): ShapedRow[] => [
  made("zeros", dtype, dtype, () => t.zeros([2, 3], { dtype }), filled([2, 3], 0)),
  made("ones", dtype, dtype, () => t.ones([2, 3], { dtype }), filled([2, 3], 1)),
  made("full", dtype, dtype, () => t.full([3], 1, { dtype }), filled([3], 1)),
  made(
    "eye",
    dtype,
    dtype,
    () => t.eye(3, 4, { dtype }),
    r.build([3, 4], ([i, j]) => (i === j ? 1 : 0)),
  ),
  made("zerosLike", dtype, dtype, () => t.zerosLike(t.ones([2], { dtype })), filled([2], 0)),
  made("onesLike", dtype, dtype, () => t.onesLike(t.zeros([2], { dtype })), filled([2], 1)),
  made("fullLike", dtype, dtype, () => t.fullLike(t.zeros([2], { dtype }), 1), filled([2], 1)),
]);

const iotas = NUMBERS.flatMap((dtype): ShapedRow[] => {
  if (dtype === "bool") return [];
  return [
    made(
      "broadcastedIota",
      `${dtype}, axis 0`,
      dtype,
      () => t.broadcastedIota(dtype, [3, 4], 0),
      r.build([3, 4], ([i = 0]) => i),
    ),
    made(
      "broadcastedIota",
      `${dtype}, axis 1`,
      dtype,
      () => t.broadcastedIota(dtype, [2, 3, 5], 1),
      r.build([2, 3, 5], ([, j = 0]) => j),
    ),
    made(
      "broadcastedIota",
      `${dtype}, axis -1`,
      dtype,
      () => t.broadcastedIota(dtype, [2, 4], -1),
      r.build([2, 4], ([, j = 0]) => j),
    ),
  ];
});

const row = (data: readonly number[]): r.HostArray => ({ shape: [data.length], data });

export const create: readonly ShapedRow[] = [
  ...fills,
  ...iotas,
  made("full", "of a fraction", "float32", () => t.full([2], 2.5), filled([2], 2.5)),
  made("full", "-1 as uint32", "uint32", () => t.full([2], -1, { dtype: "uint32" }), filled([2], 4294967295)),
  made("full", "of true", "bool", () => t.full([2], true), filled([2], 1)),
  made("full", "of nothing", "float32", () => t.full([0, 2], 2.5), filled([0, 2], 2.5)),
  made(
    "fullLike",
    "cuts fractions off",
    "int32",
    () => t.fullLike(t.zeros([2], { dtype: "int32" }), 2.7),
    filled([2], 2),
  ),
  made("arange", "5", "int32", () => t.arange(5), row([0, 1, 2, 3, 4])),
  made("arange", "5, 0, -2", "int32", () => t.arange(5, 0, -2), row([5, 3, 1])),
  made("arange", "3, 0", "int32", () => t.arange(3, 0), row([])),
  made("arange", "0.5, 3", "float32", () => t.arange(0.5, 3), row([0.5, 1.5, 2.5])),
  made(
    "arange",
    "0, 1, 0.1",
    "float32",
    () => t.arange(0, 1, 0.1),
    row([...Array(10).keys()].map((i) => i * Math.fround(0.1))),
  ),
  made("arange", "4 as float32", "float32", () => t.arange(0, 4, 1, { dtype: "float32" }), row([0, 1, 2, 3])),
  made(
    "array",
    "of whole numbers",
    "int32",
    () =>
      t.array([
        [1, 2],
        [3, -4],
      ]),
    { shape: [2, 2], data: [1, 2, 3, -4] },
  ),
  made("array", "of fractions", "float32", () => t.array([1, 2.5]), row([1, 2.5])),
  made("array", "of booleans", "bool", () => t.array([true, false]), row([1, 0])),
  made("array", "of a Float32Array", "float32", () => t.array(new Float32Array([1, 2, 3, 4]), { shape: [2, 2] }), {
    shape: [2, 2],
    data: [1, 2, 3, 4],
  }),
  made("array", "of a Uint8Array", "uint8", () => t.array(new Uint8Array([1, 255])), row([1, 255])),
  made("array", "of a Uint32Array", "uint32", () => t.array(new Uint32Array([1, 4294967295])), row([1, 4294967295])),
  made("array", "of a number", "float32", () => t.array(2.5), { shape: [], data: [2.5] }),
  made("array", "of nothing", "float32", () => t.array([[], []]), { shape: [2, 0], data: [] }),
  made(
    "array",
    "of a large array",
    "float32",
    () => t.array(Float32Array.from({ length: 2000 }, (_, i) => i)),
    row([...Array(2000).keys()]),
  ),
];
