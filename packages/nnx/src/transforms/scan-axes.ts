import { ArgumentError } from "@jnx/tensor";
import { Carry, StateAxes, type LiftedAxes } from "./axes.ts";

/** Which argument is the carry, and which entry of the result: "all" for the result itself. */
export interface CarryPlaces {
  readonly argument: number | undefined;
  readonly result: number | "all" | undefined;
}

/** Where Carry stands, which must be in both or in none. */
export function carryPlaces(inAxes: LiftedAxes, outAxes: LiftedAxes): CarryPlaces {
  const [argument, result] = [carryPosition(inAxes, "inAxes"), carryPosition(outAxes, "outAxes")];
  if ((argument === undefined) !== (result === undefined))
    throw new ArgumentError(
      `scan: if one of inAxes and outAxes has Carry, the other must have it too; only ${argument === undefined ? "outAxes" : "inAxes"} has`,
    );
  return { argument: argument === "all" ? 0 : argument, result };
}

function carryPosition(axes: LiftedAxes, option: string): number | "all" | undefined {
  if (axes === Carry) return "all";
  if (!Array.isArray(axes)) {
    if (holdsCarry(axes)) throw nested(option);
    return undefined;
  }
  const found = axes.flatMap((axis: LiftedAxes, k) => (axis === Carry ? [k] : []));
  if (axes.some((axis: LiftedAxes) => axis !== Carry && holdsCarry(axis))) throw nested(option);
  if (found.length > 1)
    throw new ArgumentError(
      `scan: Carry comes more than once, at ${found.map((k) => `${option}[${k}]`).join(" and ")}; put what is carried in one list or object`,
    );
  return found[0];
}

function nested(option: string): ArgumentError {
  return new ArgumentError(`scan: Carry in ${option} must stand for a whole argument or result, not inside one`);
}

/** Carry anywhere below; in StateAxes it says what part of an object is carried, which is another matter. */
function holdsCarry(axes: LiftedAxes): boolean {
  if (axes === Carry) return true;
  return (
    typeof axes === "object" && axes !== null && !(axes instanceof StateAxes) && Object.values(axes).some(holdsCarry)
  );
}

/** Results are stacked or carried; nothing comes out that is shared by all steps. */
export function checkOutAxes(axes: LiftedAxes, place: string): void {
  if (axes === null)
    throw new ArgumentError(`scan: ${place} is null, but a result cannot be shared by all steps; give it an axis`);
  if (axes instanceof StateAxes) {
    if (axes.axes.every((axis) => typeof axis === "number")) return;
    throw new ArgumentError(
      `scan: the StateAxes at ${place} have null or Carry, but what comes out is stacked; give axes`,
    );
  }
  if (typeof axes !== "object") return;
  for (const [key, child] of Object.entries(axes) as [string, LiftedAxes][]) checkOutAxes(child, `${place}[${key}]`); // entries of axes are axes
}
