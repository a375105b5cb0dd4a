import { ArgumentError, ShapeError } from "../../errors.ts";
import { normalizeAxis, sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { at } from "../../view.ts";
import { composite } from "../composite.ts";
import { convert } from "../convert.ts";
import { array, broadcastedIota, type TensorLike } from "../create.ts";
import { take, takeAlongAxis } from "../indexing.ts";
import { moveaxis } from "../movement.ts";
import { setting } from "../../config.ts";
import { sortPairs } from "../sort.ts";
import { hostPermutation } from "../threefry.ts";
import { bitsOp, draw } from "./draw.ts";
import type { KeyArray } from "./key-array.ts";
import { checkedKey, splitPair } from "./keys.ts";
import { checkOptions } from "../../options.ts";

const PERMUTATION_OPTIONS = { axis: "number", independent: "flag" } as const;

export interface PermutationOptions {
  /** The axis whose slices are put in another order, 0 unless told. */
  readonly axis?: number;
  /** True: every vector along the axis gets an order of its own. */
  readonly independent?: boolean;
}

/**
 * A random order of 0 … n−1, or of the slices of an array along an axis: repeated stable sorts by random bits, as many
 * rounds as JAX takes. While the key is known on the host the order is worked out there. Source: jax.random.permutation.
 *
 * @throws ArgumentError for what is neither an array nor a whole number ≥ 0, ShapeError when the axis is out of range.
 * @example
 * await random.permutation(random.key(42), 10).toArray(); // [7, 4, 2, 5, 3, 6, 8, 9, 0, 1]
 */
export function permutation(k: TensorLike, x: number | Tensor, options: PermutationOptions = {}): Tensor {
  checkOptions("random.permutation", options, PERMUTATION_OPTIONS);
  const source = checkedKey("permutation", k);
  if (typeof x === "number") {
    if (!Number.isInteger(x) || x < 0)
      throw new ArgumentError(`random.permutation: expected a whole number ≥ 0 or an array, received ${x}`);
    return order(source, x);
  }
  if (x.ndim === 0) throw new ShapeError("random.permutation: a scalar array has no order; pass a number for 0 … n−1");
  const axis = normalizeAxis("random.permutation", options.axis ?? 0, x.ndim);
  if (options.independent === true && x.ndim > 1) return composite("permutation", () => shuffled(source, x, axis));
  return take(x, order(source, at(x.shape, axis)), { axis });
}

/** Where each element of 0 … n−1 in the new order came from, int32. */
export function order(source: KeyArray, n: number): Tensor {
  const words = source.hostWords();
  if (words !== undefined && setting("jax_threefry_partitionable")) return array(hostPermutation(words, n));
  return composite("permutation", () => convert(shuffled(source, broadcastedIota("uint32", [n], 0), 0), "int32"));
}

/** Every vector along the axis in an order of its own. */
function shuffled(source: KeyArray, x: Tensor, axis: number): Tensor {
  const rounds = Math.ceil((3 * Math.log(Math.max(1, sizeOf(x.shape)))) / Math.log(2 ** 32 - 1));
  let current = source;
  let values = moveaxis(x, axis, -1);
  for (let round = 0; round < rounds; round++) {
    const [next, drawn] = splitPair(current);
    current = next;
    const places = sortPairs(moveaxis(draw(bitsOp, drawn, x.shape), axis, -1));
    values = takeAlongAxis(values, places, values.ndim - 1);
  }
  return moveaxis(values, -1, axis);
}
