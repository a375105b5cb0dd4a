import { isFloat } from "../dtype.ts";
import { ArgumentError, DtypeError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { normalizeAxis } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { at as nth } from "../view.ts";
import { convert } from "./convert.ts";
import { asTensor, broadcastedIota, type TensorLike } from "./create.ts";
import { bitwiseAnd, leftShift, mul, notEqual, sub } from "./elementwise.ts";
import { expandDims, moveaxis, ravel, reshape } from "./movement.ts";
import { pad } from "./pad.ts";
import { sum } from "./reduce.ts";

const PACK_OPTIONS = { axis: "number", bitorder: true } as const;
const UNPACK_OPTIONS = { ...PACK_OPTIONS, count: "number" } as const;

export interface PackOptions {
  /** The axis to pack; without it, x is flattened first. */
  readonly axis?: number;
  /** Whether the first bit is the most significant one ("big", unless told) or the least. */
  readonly bitorder?: "big" | "little";
}

export interface UnpackOptions extends PackOptions {
  /** Bits to give: more are filled with 0, a negative number leaves so many out at the end. */
  readonly count?: number;
}

/** The value of each of eight bits. */
function bitValues(name: string, order: "big" | "little" = "big"): Tensor {
  if (order !== "big" && order !== "little")
    throw new ArgumentError(`${name}: unknown bitorder ${JSON.stringify(order)}; expected "big" or "little"`);
  const place = broadcastedIota("int32", [8], 0);
  return leftShift(1, order === "big" ? sub(7, place) : place);
}

/**
 * Eight elements, zero or not, in the bits of one uint8; 0 fills up the last. Source: jnp.packbits.
 *
 * @throws DtypeError for floats.
 * @example await packbits(array([1, 0, 1])).toArray(); // [160]
 */
export function packbits(x: TensorLike, options: PackOptions = {}): Tensor {
  checkOptions("packbits", options, PACK_OPTIONS);
  const given = asTensor(x, "packbits");
  if (isFloat(given.dtype))
    throw new DtypeError(`packbits: takes integers and bools, received ${given.dtype}; convert it with astype()`);
  const values = bitValues("packbits", options.bitorder);
  const tensor = options.axis === undefined ? ravel(given) : given;
  const axis = normalizeAxis("packbits", options.axis ?? 0, tensor.ndim);
  const bits = moveaxis(convert(notEqual(tensor, 0), "int32"), axis, -1);
  const missing = (8 - (nth(bits.shape, bits.ndim - 1) % 8)) % 8;
  const whole = pad(
    bits,
    0,
    bits.shape.map((_, k) => [0, k === bits.ndim - 1 ? missing : 0, 0] as const),
  );
  const bytes = reshape(whole, [...whole.shape.slice(0, -1), nth(whole.shape, whole.ndim - 1) / 8, 8]);
  return moveaxis(convert(sum(mul(bytes, values), { axis: -1 }), "uint8"), -1, axis);
}

/**
 * The bits of a uint8 array, each as a uint8. Source: jnp.unpackbits.
 *
 * @throws DtypeError unless x holds uint8.
 * @example await unpackbits(array([160], { dtype: "uint8" }), { count: 3 }).toArray(); // [1, 0, 1]
 */
export function unpackbits(x: TensorLike, options: UnpackOptions = {}): Tensor {
  checkOptions("unpackbits", options, UNPACK_OPTIONS);
  const given = asTensor(x, "unpackbits");
  if (given.dtype !== "uint8")
    throw new DtypeError(`unpackbits: takes uint8, received ${given.dtype}; convert it with astype()`);
  const values = bitValues("unpackbits", options.bitorder);
  const tensor = options.axis === undefined ? ravel(given) : given;
  const axis = normalizeAxis("unpackbits", options.axis ?? 0, tensor.ndim);
  const bytes = expandDims(moveaxis(convert(tensor, "int32"), axis, -1), -1);
  const set = notEqual(bitwiseAnd(bytes, values), 0);
  const bits = nth(set.shape, set.ndim - 2) * 8;
  const flat = convert(reshape(set, [...set.shape.slice(0, -2), bits]), "int32");
  const { count = bits } = options;
  if (!Number.isInteger(count))
    throw new ArgumentError(`unpackbits: count is a whole number, received ${String(count)}`);
  const kept = Math.max(0, count < 0 ? bits + count : count);
  const fitted = pad(
    flat,
    0,
    flat.shape.map((_, k) => [0, k === flat.ndim - 1 ? kept - bits : 0, 0] as const),
  );
  return moveaxis(convert(fitted, "uint8"), -1, axis);
}
