import { scan as loop } from "@jnx/compile";
import { ArgumentError, moveaxis, ShapeError, type Tensor } from "@jnx/tensor";
import { normalizeAxis, type AnyFunction, checkKeys } from "@jnx/tensor/internal";
import { GraphError } from "../errors.ts";
import { RngState } from "../variable-types.ts";
import { axisOf, Carry, checkAliasing, type Asked, type Axis, type LiftedAxes } from "./axes.ts";
import { carriedData, sameKind } from "./carried.ts";
import { checkUnbound } from "./lift.ts";
import { callLifted, Lifted, placeOf, slotKey, type Run, type Slot } from "./lifted.ts";
import { named, type TransformMetadata } from "./metadata.ts";
import { carryPlaces, checkOutAxes, type CarryPlaces } from "./scan-axes.ts";

/** Options of `scan`. */
export interface ScanOptions {
  /** How many steps; needed only when nothing is scanned. */
  readonly length?: number;
  /** True to go from the last row to the first; results stay in the order of the rows. */
  readonly reverse?: boolean;
  /** True, or at least the number of steps, to write the steps out instead of looping. 1 unless given. */
  readonly unroll?: number | boolean;
  /** For each argument an axis to step along, null for what every step shares, Carry for the state. `[Carry, 0]` unless given. */
  readonly inAxes?: LiftedAxes;
  /** For each result an axis to stack on, and Carry for the state. `[Carry, 0]` unless given. */
  readonly outAxes?: LiftedAxes;
  /** The scanned axis' name in the Variables' metadata, `{ [nnx.PARTITION_NAME]: "layers" }`: see {@link transformMetadata}. */
  readonly transformMetadata?: TransformMetadata;
}

/**
 * A loop over the rows of arrays and objects, `f` traced once: of an argument with an axis each step sees its own row,
 * and what is written to a Variable in it is written to that row; null is shared by all steps; Carry goes from step to
 * step, and an object there must be returned as it was passed. StateAxes say so for the parts of an object. A stack of
 * layers made by `vmap` is applied by a scan over it.
 *
 * What a step writes to a shared Variable is an error, but for random streams: they start at every step from the same
 * count, so that all steps draw the same.
 *
 * @throws ArgumentError for Carry in one of inAxes and outAxes only, twice, or nested, for a null in outAxes, for a carry
 * that changes; GraphError for shared Variables that are written, and as {@link vmap}.
 * Source: flax.nnx.scan.
 * @example
 * const make = nnx.splitRngs((rngs: nnx.Rngs) => nnx.vmap((one: nnx.Rngs) => new nnx.Linear(3, 3, { rngs: one }))(rngs), { splits: 5 });
 * const layers = make(new nnx.Rngs(0));
 * const apply = nnx.scan((layer: nnx.Linear, y: Tensor) => nnx.relu(layer.call(y)), { inAxes: [0, nnx.Carry], outAxes: nnx.Carry });
 * apply(layers, ones([2, 3])).shape; // [2, 3]
 */
export function scan<F extends AnyFunction>(
  f: F,
  options: ScanOptions = {},
): (...args: Parameters<F>) => ReturnType<F> {
  checkKeys("scan", options, "length reverse? unroll inAxes outAxes transformMetadata");
  checkUnbound("scan", f);
  const { inAxes = [Carry, 0], outAxes = [Carry, 0] } = options;
  const places = carryPlaces(inAxes, outAxes);
  checkOutAxes(outAxes, "outAxes");
  const names = options.transformMetadata;
  const body = names === undefined ? f : named("scan", f, inAxes, outAxes, names);
  const wrapped = (...args: unknown[]): unknown => {
    if (inAxes === Carry && args.length !== 1)
      throw new ArgumentError(`scan: with inAxes: Carry the function takes one argument, received ${args.length}`);
    if (Array.isArray(inAxes) && inAxes.length !== args.length)
      throw new ArgumentError(
        `scan: inAxes has ${inAxes.length} entries, the function was called with ${args.length} arguments; give one for each`,
      );
    const lifted = new Lifted("scan", args);
    return callLifted(lifted, () => new Scan(body, { ...options, inAxes, outAxes }, places, lifted, args).call());
  };
  return wrapped as (...args: Parameters<F>) => ReturnType<F>; // f's own trees, stacked
}

/** One call. */
class Scan {
  readonly #f: AnyFunction;
  readonly #options: ScanOptions;
  readonly #in: Asked;
  readonly #out: Asked;
  readonly #places: CarryPlaces;
  readonly #lifted: Lifted;
  readonly #args: readonly unknown[];
  readonly #axes: readonly Axis[];
  #run: Run | undefined;

  constructor(
    f: AnyFunction,
    options: ScanOptions & { readonly inAxes: LiftedAxes; readonly outAxes: LiftedAxes },
    places: CarryPlaces,
    lifted: Lifted,
    args: readonly unknown[],
  ) {
    this.#f = f;
    this.#options = options;
    this.#in = { name: "scan", option: "inAxes", axes: options.inAxes };
    this.#out = { name: "scan", option: "outAxes", axes: options.outAxes };
    this.#places = places;
    this.#lifted = lifted;
    this.#args = args;
    checkAliasing(this.#in, args, "argument ");
    this.#axes = lifted.inputs.map((slot) => axisOf(this.#in, slot));
  }

  call(): unknown {
    const { tensors, inputs } = this.#lifted;
    const carried = this.#axes.flatMap((axis, k) => (axis === Carry ? [k] : []));
    const scanned = this.#axes.flatMap((axis, k) => (typeof axis === "number" ? [k] : []));
    const rows = scanned.map((k) => rowsFirst(inputs[k], tensors[k], this.#axes[k]));
    const length = lengthOf(
      scanned.map((k) => inputs[k]),
      rows,
      this.#options.length,
    );
    const body = (carry: readonly Tensor[], row: readonly Tensor[]): [Tensor[], Tensor[]] => {
      const given = [...tensors];
      carried.forEach((k, n) => (given[k] = carry[n] ?? missing()));
      scanned.forEach((k, n) => (given[k] = row[n] ?? missing()));
      return this.#step(given, carried);
    };
    const { reverse = false, unroll = 1 } = this.#options;
    const written = unroll === true || (typeof unroll === "number" && unroll > 1 && unroll >= length);
    const start = carried.map((k) => tensors[k] ?? missing());
    const [last, stacks] = loop(body, start, rows, { length, reverse, unroll: written });
    return this.#finish(carried, last, stacks);
  }

  /** Runs f on one step; the next carry, then what is stacked. */
  #step(given: readonly Tensor[], carried: readonly number[]): [Tensor[], Tensor[]] {
    const run = this.#lifted.run(this.#f, given);
    this.#run = run;
    checkAliasing(this.#out, run.returned, "result ", checkAliasing(this.#in, this.#args, "argument "));
    this.#checkWrites(run);
    const data = this.#carryData(run);
    const next = carried.map((k) => {
      const slot = this.#lifted.inputs[k] ?? missing();
      const end = (slot.cell === undefined ? data.shift() : run.ends[k]) ?? missing();
      return sameKind("scan", slot, given[k] ?? missing(), end);
    });
    const stacked = run.slots.filter((slot) => typeof this.#axisOf(slot) === "number").map(({ tensor }) => tensor);
    return [next, stacked];
  }

  /** The arrays of the returned carry; its objects must be those that were passed. */
  #carryData(run: Run): Tensor[] {
    const { argument, result } = this.#places;
    if (argument === undefined || result === undefined) return [];
    const returned = result === "all" ? run.returned : entryOf(run.returned, result, this.#out.axes);
    return carriedData("scan", this.#args[argument], returned);
  }

  /** Where what a run gave goes: undefined for what the carry brings. */
  #axisOf(slot: Slot): Axis {
    return axisOf(slot.side === "argument" ? this.#in : this.#out, slot);
  }

  #checkWrites(run: Run): void {
    const known = new Set(this.#lifted.inputs.map(slotKey));
    for (const slot of run.slots) {
      if (slot.side === "result") continue;
      const axis = this.#axisOf(slot);
      const born = !known.has(slotKey(slot));
      if (axis === Carry && born)
        throw new GraphError(`scan: ${placeOf(slot)} is new, but a carry cannot grow; make it before the loop`);
      if (axis !== null || slot.cell?.variable instanceof RngState) continue;
      throw new GraphError(
        `scan: ${placeOf(slot)} is shared by all steps (its axis is null) and written by them; let it go from step to step with Carry, or give it an axis`,
      );
    }
  }

  #finish(carried: readonly number[], last: readonly Tensor[], stacks: readonly Tensor[]): unknown {
    const run = this.#run ?? missing();
    const { inputs, tensors } = this.#lifted;
    const ends = new Map(inputs.map((slot, k) => [slotKey(slot), last[carried.indexOf(k)] ?? tensors[k]]));
    const data = carried.flatMap((k, n) => (inputs[k]?.cell === undefined ? (last[n] ?? []) : []));
    let position = 0;
    const outputs = run.slots.map((slot) => {
      const axis = this.#axisOf(slot);
      if (typeof axis === "number") return rowsBack(this.#name(slot), stacks[position++] ?? missing(), axis);
      // A shared random stream is afterwards what it was before.
      return (slot.cell === undefined ? data.shift() : ends.get(slotKey(slot))) ?? missing();
    });
    return this.#lifted.finish(run, outputs);
  }

  #name(slot: Slot): string {
    return `${slot.side === "argument" ? "inAxes" : "outAxes"} of ${placeOf(slot)}`;
  }
}

function entryOf(returned: unknown, position: number, axes: LiftedAxes): unknown {
  const count = Array.isArray(axes) ? axes.length : 0;
  if (Array.isArray(returned) && returned.length === count) return returned[position];
  throw new ArgumentError(
    `scan: outAxes has ${count} entries, but the function returned ${Array.isArray(returned) ? `a list of ${returned.length}` : typeof returned}; return a list with one entry for each`,
  );
}

function rowsFirst(slot: Slot | undefined, tensor: Tensor | undefined, axis: Axis | undefined): Tensor {
  if (slot === undefined || tensor === undefined || typeof axis !== "number") missing();
  if (axis < -tensor.ndim || axis >= tensor.ndim)
    throw new ShapeError(
      `scan: ${placeOf(slot)} has shape [${tensor.shape.join(", ")}], which has no axis ${axis} to step along; choose another with inAxes, or null to share it`,
    );
  return moveaxis(tensor, normalizeAxis("scan", axis, tensor.ndim), 0);
}

function rowsBack(place: string, stack: Tensor, axis: number): Tensor {
  if (axis < -stack.ndim || axis >= stack.ndim)
    throw new ShapeError(`scan: ${place} is axis ${axis}, of ${stack.ndim} axes with the steps' own`);
  return moveaxis(stack, 0, axis);
}

function lengthOf(slots: readonly (Slot | undefined)[], rows: readonly Tensor[], asked: number | undefined): number {
  const length = asked ?? rows[0]?.shape[0];
  if (length === undefined)
    throw new ArgumentError("scan: nothing is scanned; give inAxes a number for some argument, or say { length }");
  const wrong = rows.findIndex(({ shape }) => shape[0] !== length);
  if (wrong < 0) return length;
  const list = slots.map((slot, k) => `${slot === undefined ? "" : placeOf(slot)} has ${rows[k]?.shape[0] ?? 0}`);
  throw new ShapeError(
    `scan: all that is scanned must have one number of steps: ${list.slice(0, 6).join(", ")}${asked === undefined ? "" : `; length is ${asked}`}`,
  );
}

function missing(): never {
  throw new Error("jnx internal error: a scan has fewer tensors than places");
}
