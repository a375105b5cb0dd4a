import { array, type DType, type Tensor } from "@jnx/tensor";
import type { Domain, MapRow, ShapedRow } from "./cases/rows.ts";
import { build, count, type HostArray } from "./reference.ts";

const MAX = 3.4028234663852886e38;
const SPECIAL: Readonly<Record<string, readonly number[]>> = {
  float32: [
    NaN,
    Infinity,
    -Infinity,
    0,
    -0,
    1,
    -1,
    0.5,
    -2,
    2.5,
    3,
    Math.fround(1e-20),
    Math.fround(-1e20),
    Math.fround(1e30),
    MAX,
    -MAX,
  ],
  int32: [0, 1, -1, 2, 3, -7, 31, 32, 33, 1000003, -2147483648, 2147483647],
  uint32: [0, 1, 2, 3, 7, 31, 32, 33, 1000003, 2147483648, 4294967294, 4294967295],
  bool: [0, 1],
};

/** Numbers in [0, 1), the same in every run. */
export function generator(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 8) + 0.5) / 2 ** 24;
  };
}

/** An ordinary operand: floats in the domain, small whole numbers, coin flips. */
export function sample(shape: readonly number[], dtype: DType, domain: Domain, next: () => number): HostArray {
  const [low, high] = domain;
  return build(shape, () => {
    if (dtype === "bool") return next() < 0.5 ? 0 : 1;
    if (dtype === "uint32") return Math.floor(next() * 6);
    if (dtype === "int32") return Math.floor(next() * 11) - 5;
    return Math.fround(low + (high - low) * next());
  });
}

/** Operands of an elementwise row: special values, each with each, then ordinary ones; a multiple of four in all. */
export function specialOperands(row: MapRow, dtype: DType): HostArray[] {
  const next = generator(17);
  const special = SPECIAL[dtype] ?? [];
  const combined =
    row.arity === 1
      ? special.map((x) => [x, x, x])
      : special.flatMap((x) => special.map((y, k) => [x, y, special[(k * 5 + 3) % special.length] ?? 0]));
  const length = Math.ceil((combined.length + 40) / 4) * 4;
  return row.domains.map((domain, k) => {
    const ordinary = sample([length], dtype, domain, next);
    return { shape: [length], data: ordinary.data.map((x, i) => combined[i]?.[k] ?? x) };
  });
}

/** Ordinary operands of an elementwise row, one for each shape. */
export function ordinaryOperands(row: MapRow, dtype: DType, shapes: readonly (readonly number[])[]): HostArray[] {
  const next = generator(23);
  return row.domains.map((domain, k) => sample(shapes[k] ?? shapes[0] ?? [], dtype, domain, next));
}

export function shapedOperands(row: ShapedRow, dtype: DType): HostArray[] {
  const next = generator(29);
  return row.operands.map(({ shape, values, domain = [-2, 2], dtype: own = dtype }) =>
    values === undefined ? sample(shape, own, domain, next) : { shape, data: values.slice(0, count(shape)) },
  );
}

export function toTensor({ shape, data }: HostArray, dtype: DType): Tensor {
  if (dtype === "float32") return array(Float32Array.from(data), { shape });
  if (dtype === "uint32") return array(Uint32Array.from(data), { shape });
  return array(Int32Array.from(data), { shape, dtype });
}

/** A shaped row's operands on the device. */
export function shapedTensors(row: ShapedRow, dtype: DType, operands: readonly HostArray[]): Tensor[] {
  return operands.map((operand, k) => toTensor(operand, row.operands[k]?.dtype ?? dtype));
}
