import type { Machine } from "./machine.ts";
import type { Value } from "./values.ts";
import type { Place } from "./errors.ts";
export function isLibrary(_name: string): boolean {
  return false;
}
export function callLibrary(_m: Machine, _name: string, _values: readonly Value[], _place: Place): Value {
  throw new Error("library");
}
