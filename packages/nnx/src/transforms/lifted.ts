import { Tensor, tree } from "@jnx/tensor";
import { currentFrame, inArena, insideArena, keptStorages, type AnyFunction } from "@jnx/tensor/internal";
import { TraceContextError } from "../errors.ts";
import { pathText, type Path } from "../node.ts";
import { fromFlatState, type Leaf } from "../state.ts";
import { checkWritable, enter, exposeHeld, makeOwned, type AnyVariable } from "../variable.ts";
import { guarded } from "./captured.ts";
import { enterAll, gather, gatherResult, innerCells, rebuild, type Cell, type Gathered } from "./lift.ts";

/** A tensor that goes into a transform or comes out of it, and where it is. */
export interface Slot {
  /** The field or Variable that holds it; undefined for an array among the arguments or in the result. */
  readonly cell: Cell | undefined;
  readonly side: "argument" | "result";
  /** Where in the list of arguments, or in the result, the array or the object is. */
  readonly at: Path;
  /** From that object on. */
  readonly path: Path;
  readonly tensor: Tensor;
}

/** What one run of a function gave. */
export interface Run {
  readonly returned: unknown;
  readonly result: Gathered;
  /** Everything that is another tensor than before: in arguments, then in new objects of the result, then its arrays. */
  readonly slots: readonly Slot[];
  /** Written values that are no tensors. */
  readonly others: readonly { readonly cell: Cell; readonly value: unknown }[];
  /** What each of `inputs` that is held by a cell was at the end. */
  readonly ends: readonly Tensor[];
  readonly born: readonly Cell[];
}

/**
 * One call of a function of objects as a function of tensors. The function runs on the very objects, with other tensors
 * in them; afterwards they hold their own again, until `finish` puts in what the transform made of the outputs.
 */
export class Lifted {
  readonly name: string;
  readonly inputs: readonly Slot[];
  readonly #args: readonly unknown[];
  readonly #given: Gathered;
  /** Cells that hold tensors: the first inputs. */
  readonly #cells: readonly Cell[];

  constructor(name: string, args: readonly unknown[]) {
    this.name = name;
    this.#args = args;
    this.#given = gather(args);
    const slots = slotsOf(this.#given, "argument");
    const held = slots.filter(({ cell }) => cell !== undefined);
    this.inputs = [...held, ...slots.filter(({ cell }) => cell === undefined)];
    this.#cells = held.flatMap(({ cell }) => cell ?? []);
  }

  get tensors(): Tensor[] {
    return this.inputs.map(({ tensor }) => tensor);
  }

  /** The Variables among the inputs' cells. */
  get cells(): readonly Cell[] {
    return this.#cells;
  }

  /** The arguments with other tensors in the place of their arrays; objects are as they are. */
  withData(tensors: readonly Tensor[]): unknown[] {
    return rebuild(this.#given, tensors.slice(this.#cells.length)) as unknown[]; // the list of arguments
  }

  /** Runs the function in the transform that is open, on these tensors in the place of `inputs`. */
  run(f: AnyFunction, tensors: readonly Tensor[]): Run {
    const { cells } = this.#given;
    const before = cells.map((cell) => cell.get());
    const leave = enterAll(cells, currentFrame());
    try {
      this.#cells.forEach((cell, k) => cell.swap(tensors[k]));
      const start = cells.map((cell) => cell.get());
      const returned: unknown = guarded(this.name, this.#given.index, () => f(...this.withData(tensors)));
      return this.#look(returned, start, tensors);
    } finally {
      cells.forEach((cell, k) => {
        // A field that the function took away stays away.
        if (cell.variable !== undefined || cell.get() !== undefined) cell.swap(before[k]);
      });
      leave();
    }
  }

  #look(returned: unknown, start: readonly unknown[], tensors: readonly Tensor[]): Run {
    const after = gather(this.#args);
    const result = gatherResult(returned, new Map(after.index));
    const known = new Map<unknown, unknown>(this.#given.cells.map(({ variable }, k) => [variable, start[k]]));
    const symbols = new Map(this.inputs.map((slot, k) => [slotKey(slot), tensors[k]]));
    const changed = (slot: Slot): boolean => {
      return slot.cell === undefined || slot.side === "result" || symbols.get(slotKey(slot)) !== slot.tensor;
    };
    const arguments_ = slotsOf(after, "argument").filter((slot) => slot.cell !== undefined && changed(slot));
    // A Variable that the function took out of its object has been written all the same.
    const reached = new Set(after.cells.map(({ variable }) => variable));
    const detached = slotsOf(this.#given, "argument").filter(
      (slot) => slot.cell?.variable !== undefined && !reached.has(slot.cell.variable) && changed(slot),
    );
    const results = slotsOf(result, "result");
    const all = [...after.cells, ...result.cells];
    const born = all.filter(({ variable }) => variable !== undefined && !known.has(variable));
    for (const cell of born) checkOwn(this.name, cell);
    const others = all.flatMap((cell) => {
      const value = cell.get();
      const was = cell.variable === undefined ? value : known.get(cell.variable);
      return value instanceof Tensor || value === was || !known.has(cell.variable) ? [] : [{ cell, value }];
    });
    const ends = this.#cells.map((cell, k) => endOf(cell, tensors[k]));
    const slots = [...arguments_, ...detached, ...results.sort(byKind)];
    return { returned, result, slots, others, ends, born };
  }

  /** Puts outputs, one for each of the run's slots, where they belong, and gives the function's result. */
  finish(run: Run, outputs: readonly Tensor[]): unknown {
    const data = run.slots.flatMap((slot, k) => (slot.cell === undefined ? (outputs[k] ?? []) : []));
    const made = new Set(run.born.map(({ variable }) => variable));
    for (const { cell } of run.slots)
      if (cell?.variable !== undefined && !made.has(cell.variable)) checkWritable(cell.variable);
    for (const { cell, value } of run.others) cell.swap(value);
    run.slots.forEach((slot, k) => slot.cell?.swap(outputs[k]));
    enterAll(run.born, currentFrame());
    return rebuild(run.result, data);
  }

  /** A tree like the arguments, of one tensor for each of `inputs`: States for objects; null where there is no tensor. */
  statesOf(tensors: readonly Tensor[]): unknown[] {
    const held = new Map(this.#cells.map((cell, k) => [cell, tensors[k]]));
    let position = this.#cells.length;
    const leaves = this.#given.parts.map((part) => {
      if (part.kind === "data") return tensors[position++] ?? null;
      if (part.kind === "static") return part.value;
      const entries = part.cells.flatMap((cell): [Path, Leaf][] => {
        const tensor = held.get(cell);
        if (tensor === undefined) return [];
        return [[pathIn(cell, part.path), cell.variable === undefined ? tensor : makeOwned(cell.variable, tensor)]];
      });
      const [first] = entries;
      return first !== undefined && first[0].length === 0 ? first[1] : fromFlatState(entries);
    });
    return tree.unflatten(this.#given.def, leaves) as unknown[]; // the list of arguments
  }

  /** Values in bare fields, which no Variable keeps alive. */
  fields(): unknown[] {
    return gather(this.#args).cells.flatMap((cell) => (cell.variable === undefined ? [cell.get()] : []));
  }
}

/** A Variable that was neither passed in nor made inside cannot come out: it would be in two traces. */
export function checkOwn(name: string, { variable, path }: Cell): void {
  if (variable === undefined) return;
  const home = enter(variable, undefined);
  enter(variable, home);
  if (home === currentFrame()) return;
  throw new TraceContextError(
    `${name}: the function returns or keeps ${variable.type.name} at "${pathText(path)}", which was made outside and not passed to it; pass the object that holds it as an argument`,
  );
}

/** What tells slots of arguments apart: the Variable, or the place of an array. */
export function slotKey({ cell, at, path }: Slot): unknown {
  return cell?.variable ?? JSON.stringify([at, path]);
}

/** Cells before arrays, in order. */
function byKind(a: Slot, b: Slot): number {
  return Number(a.cell === undefined) - Number(b.cell === undefined);
}

/** The last value of a cell; that of a cell which holds no tensor any more is the one it had. */
function endOf(cell: Cell, start: unknown): Tensor {
  const value = cell.get();
  if (value instanceof Tensor) return value;
  if (start instanceof Tensor) return start;
  throw new Error("jnx internal error: a cell that held a tensor began without one");
}

/** Every tensor in gathered values: each Variable and field once, and arrays. */
export function slotsOf(gathered: Gathered, side: Slot["side"]): Slot[] {
  return gathered.parts.flatMap((part): Slot[] => {
    if (part.kind === "data") return [{ cell: undefined, side, at: part.path, path: [], tensor: part.tensor }];
    if (part.kind === "static") return [];
    return part.cells.flatMap((outer) =>
      [outer, ...innerCells(outer, part.path)].flatMap((cell): Slot[] => {
        const tensor = cell.get();
        if (!(tensor instanceof Tensor)) return [];
        return [{ cell, side, at: part.path, path: pathIn(cell, part.path), tensor }];
      }),
    );
  });
}

/** The path from the object that holds a cell. */
function pathIn(cell: Cell, at: Path): Path {
  return cell.variable === undefined ? cell.path.slice(at.length) : cell.path;
}

/** A place as errors name it. */
export function placeOf({ cell, side, at, path }: Slot): string {
  const root = side === "argument" ? `argument ${String(at[0])}` : "the result";
  const rest = [...(side === "argument" ? at.slice(1) : at), ...path];
  const where = rest.length === 0 ? root : `"${pathText(rest)}" of ${root}`;
  return cell?.variable === undefined ? where : `${variableName(cell.variable)} at ${where}`;
}

function variableName(variable: AnyVariable): string {
  return variable.type.name;
}

/** Runs a transform's call in an arena: its result, and what it put into objects, outlive it. */
export function callLifted<T>(lifted: Lifted, body: () => T): T {
  const result = inArena(lifted.name, body, (value) => keptStorages([value, lifted.fields()]));
  if (!insideArena()) exposeHeld(result);
  return result;
}
