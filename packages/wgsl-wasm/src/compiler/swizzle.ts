import type { Builder } from "./builder.ts";
import { WgslError, type Place } from "./errors.ts";
import { scalarType, sizeOf, vectorType, type VectorType } from "./types.ts";
import { fromLanes, lanesOf, type NumericValue, type Value } from "./values.ts";
import { shuffle } from "./lanes.ts";

const LANES: Readonly<Record<string, readonly number[]>> = { x: [0], y: [1], z: [2], w: [3] };

/** The lanes that `xyzw` or `rgba` letters name. */
export function lanesIn(letters: string, size: number, place: Place): readonly number[] {
  const single = LANES[letters];
  if (single !== undefined && (single[0] ?? 0) < size) return single;
  const set = /^[xyzw]{1,4}$/.test(letters) ? "xyzw" : "rgba";
  const lanes = [...letters].map((letter) => set.indexOf(letter));
  if (letters.length > 4 || lanes.some((lane) => lane < 0 || lane >= size))
    throw new WgslError("name", place, `a vector of ${size} has no member ${letters}`);
  return lanes;
}

export function swizzle(
  b: Builder,
  value: NumericValue & { readonly type: VectorType },
  letters: string,
  place: Place,
): Value {
  const picks = lanesIn(letters, value.type.size, place);
  const { scalar } = value.type;
  const [vector] = value.parts;
  const type = picks.length === 1 ? scalarType(scalar) : vectorType(sizeOf(String(picks.length)), scalar);
  if (value.type.size === 4 && picks.length === 4 && vector !== undefined)
    return { type, parts: [shuffle(b, vector, vector, picks)] };
  const lanes = lanesOf(b, value);
  return fromLanes(
    b,
    type,
    picks.map((pick) => lanes[pick] ?? b.i32(0)),
  );
}
