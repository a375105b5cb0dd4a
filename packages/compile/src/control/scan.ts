import { vmap } from "@jnx/autodiff";
import { checkFunction } from "@jnx/autodiff/internal";
import { checkOptions, convert, inArena, keptStorages, type AnyFunction } from "@jnx/tensor/internal";
import { ArgumentError, concatenate, laxSlice, reshape, ShapeError, stack, tree, type Tensor } from "@jnx/tensor";
import { close } from "./closed.ts";
import { rowAval, type Parts } from "./parts.ts";
import { bindScan } from "./scan-op.ts";
import { checkSameTypes, leavesOf, namesOf } from "./trees.ts";

const SCAN_OPTIONS = { length: "number", reverse: "flag", unroll: true } as const;

/** Options of `scan`. */
export interface ScanOptions {
  /** How many steps; needed only when there are no xs. */
  readonly length?: number;
  /** True to go from the last row to the first; ys stay in the order of xs. */
  readonly reverse?: boolean;
  /** How many steps a turn of the loop takes (1 unless told): more in a turn are compiled together. True, or 0, for all. */
  readonly unroll?: boolean | number;
}

/**
 * A loop with a state: `f(carry, x)` gives `[carry, y]` for each row x of `xs` (a tree whose leaves share their first
 * axis, or null), the last carry and the stacked ys come out. The body is traced and compiled once, however many steps
 * there are; its derivative is a loop in the other direction.
 *
 * Outside of jit f is traced again at every call, for a few tenths of a millisecond, and its compiled body found again by what it
 * computes. JAX keeps the trace by f's identity, and so uses old values when a variable that f closes over has changed.
 *
 * @throws ShapeError, DtypeError or ArgumentError when the carry changes its shape, dtype or tree on the way, or when
 * the rows of xs and `length` differ.
 * Source: lax.scan.
 * @example
 * const cumulate = (total: Tensor, x: Tensor): [Tensor, Tensor] => [add(total, x), add(total, x)];
 * scan(cumulate, array(0.5), array([1, 2, 3])); // [6.5, [1.5, 3.5, 6.5]]
 */
export function scan<C, X, Y>(
  f: (carry: C, x: X) => readonly [C, Y],
  init: C,
  xs: X,
  options: ScanOptions = {},
): [C, Y] {
  checkOptions("scan", options, SCAN_OPTIONS);
  checkFunction("scan", f);
  return scanAs(SCAN, f, init, xs, options);
}

/** What errors call a loop, its state, and what each step is given. */
interface Words {
  readonly name: string;
  readonly carry: string;
  readonly x: string;
}

const SCAN: Words = { name: "scan", carry: "carry", x: "x" };

/** `scan` in the words of who calls it. */
export function scanAs<C, X, Y>(
  words: Words,
  f: (carry: C, x: X) => readonly [C, Y],
  init: C,
  xs: X,
  options: ScanOptions = {},
): [C, Y] {
  const result = inArena(words.name, () => scanned(f as Step, init, xs, options, words), keptStorages); // trees are checked at run time
  return result as [C, Y]; // the trees that f gives
}

type Step = (carry: unknown, x: unknown) => readonly [unknown, unknown];

function scanned(f: Step, init: unknown, xs: unknown, options: ScanOptions, words = SCAN): [unknown, unknown] {
  const [rows, rowsDef] = leavesOf(words.name, xs);
  const length = lengthOf(rows, options.length, words.name);
  const [start, carryDef] = leavesOf(words.name, init);
  const called = { name: words.name, names: [...namesOf(`the ${words.carry}`, init), ...namesOf(words.x, xs)] };
  const carry = settled(f, start, carryDef, rows, rowsDef, called);
  const { reverse = false } = options;
  const turn = turnOf(options.unroll ?? 1, length);
  if (length > 0 && turn === length)
    return writtenOut(f, tree.unflatten(carryDef, carry), rows, rowsDef, length, reverse);
  if (turn > 1) return inTurns(f, tree.unflatten(carryDef, carry), rows, rowsDef, { length, reverse, turn });
  let yDef: tree.TreeDef | undefined;
  const body = (parts: Parts<Tensor>): Tensor[] => {
    const [next, y] = stepOf(f, tree.unflatten(carryDef, parts.carry), tree.unflatten(rowsDef, parts.xs));
    const [ys, def] = leavesOf(words.name, y);
    yDef = def;
    return [...checkedCarry(carry, carryDef, next, words), ...ys];
  };
  const results = bindScan({ carry, xs: rows, constants: [] }, { length, reverse }, body, called);
  const ys = yDef === undefined ? undefined : tree.unflatten(yDef, results.slice(carry.length));
  return [tree.unflatten(carryDef, results.slice(0, carry.length)), ys];
}

/** How many steps to write out at a time. */
function turnOf(unroll: boolean | number, length: number): number {
  if (typeof unroll === "number" && (!Number.isInteger(unroll) || unroll < 0))
    throw new ArgumentError(`scan: unroll must be true or a whole number ≥ 0, received ${unroll}`);
  return unroll === true || unroll === 0 ? Math.max(1, length) : Math.min(Number(unroll) || 1, Math.max(1, length));
}

interface Turns {
  readonly length: number;
  readonly reverse: boolean;
  readonly turn: number;
}

/** A loop whose steps are so many of f's, and the steps that are left over. */
function inTurns(
  f: Step,
  init: unknown,
  rows: readonly Tensor[],
  rowsDef: tree.TreeDef,
  { length, reverse, turn }: Turns,
): [unknown, unknown] {
  const whole = length - (length % turn);
  // What is left over comes last on the way: at the start, in reverse.
  const [from, rest] = reverse ? [length - whole, 0] : [0, whole];
  const some = (start: number, count: number): Tensor[] =>
    rows.map((x) => laxSlice(x, [start, ...x.shape.slice(1).map(() => 0)], [start + count, ...x.shape.slice(1)]));
  const turns = some(from, whole).map((x) => reshape(x, [whole / turn, turn, ...x.shape.slice(1)]));
  const step: Step = (carry, x) => writtenOut(f, carry, leavesOf("scan", x)[0], rowsDef, turn, reverse);
  const [carry, stacked] = scanned(step, init, turns, { length: whole / turn, reverse });
  const [ys, yDef] = leavesOf("scan", stacked);
  const flat = ys.map((y) => reshape(y, [whole, ...y.shape.slice(2)]));
  if (whole === length) return [carry, tree.unflatten(yDef, flat)];
  const [last, more] = writtenOut(f, carry, some(rest, length - whole), rowsDef, length - whole, reverse);
  const [others] = leavesOf("scan", more);
  const joined = flat.map((y, k) => concatenate(reverse ? [others[k] ?? y, y] : [y, others[k] ?? y]));
  return [last, tree.unflatten(yDef, joined)];
}

function stepOf(f: Step, carry: unknown, x: unknown): readonly [unknown, unknown] {
  const returned: unknown = f(carry, x);
  if (Array.isArray(returned) && returned.length === 2) return [returned[0], returned[1]];
  throw new ArgumentError("scan: the function must return [carry, y]; give null for a y that is not wanted");
}

function lengthOf(rows: readonly Tensor[], asked: number | undefined, name: string): number {
  if (asked !== undefined && (!Number.isInteger(asked) || asked < 0))
    throw new ArgumentError(`${name}: length must be a whole number ≥ 0, received ${asked}`);
  const flat = rows.find(({ ndim }) => ndim === 0);
  if (flat !== undefined)
    throw new ShapeError(`${name}: xs has a scalar, which has no rows; close over what every step shares`);
  const length = asked ?? rows[0]?.shape[0];
  if (length === undefined) throw new ArgumentError(`${name}: xs has no arrays; say how many steps with { length }`);
  const other = rows.find(({ shape }) => shape[0] !== length);
  if (other === undefined) return length;
  const sizes = rows.map(({ shape }) => shape[0]).join(", ");
  throw new ShapeError(
    `${name}: all xs must have one number of rows, received ${sizes}${asked === undefined ? "" : `; length is ${asked}`}`,
  );
}

/** The first carry in the type that the body gives it: JavaScript numbers adapt. */
function settled(
  f: Step,
  start: readonly Tensor[],
  def: tree.TreeDef,
  rows: readonly Tensor[],
  rowsDef: tree.TreeDef,
  { name, names }: { readonly name: string; readonly names: readonly string[] },
): Tensor[] {
  let carry = [...start];
  for (let round = 0; carry.some(({ weak }) => weak) && round < 3; round++) {
    // Closed: what f closes over may belong to a trace around this one.
    const body = (inputs: Tensor[]): Tensor[] => {
      const [given, x] = [inputs.slice(0, carry.length), inputs.slice(carry.length)];
      return leavesOf(name, stepOf(f, tree.unflatten(def, given), tree.unflatten(rowsDef, x))[0])[0];
    };
    const next = close(name, [...carry, ...rows.map(rowAval)], body, names).graph.outputs;
    carry = carry.map((x, k) => (x.weak ? convert(x, next[k]?.dtype ?? x.dtype, false) : x));
  }
  return carry;
}

/** The next carry, of the same types as the one before. */
function checkedCarry(carry: readonly Tensor[], def: tree.TreeDef, next: unknown, words = SCAN): Tensor[] {
  const [leaves, nextDef] = leavesOf(words.name, next);
  checkSameTypes(
    words.name,
    `the ${words.carry} must keep its tree, shapes and dtypes on the way`,
    { label: "the start", tree: { def, avals: carry } },
    { label: "the function", tree: { def: nextDef, avals: leaves } },
  );
  return leaves;
}

function writtenOut(
  f: Step,
  init: unknown,
  rows: readonly Tensor[],
  rowsDef: tree.TreeDef,
  length: number,
  reverse: boolean,
): [unknown, unknown] {
  let carry = init;
  const ys: unknown[] = [];
  for (let step = 0; step < length; step++) {
    const index = reverse ? length - 1 - step : step;
    const row = rows.map((x) => {
      const starts = x.shape.map((_, axis) => (axis === 0 ? index : 0));
      const limits = x.shape.map((extent, axis) => (axis === 0 ? index + 1 : extent));
      return reshape(laxSlice(x, starts, limits), x.shape.slice(1));
    });
    const [next, y] = stepOf(f, carry, tree.unflatten(rowsDef, row));
    carry = tree.unflatten(
      tree.structure(carry),
      checkedCarry(leavesOf("scan", carry)[0], tree.structure(carry), next),
    );
    ys.push(y);
  }
  if (reverse) ys.reverse();
  const [, def] = leavesOf("scan", ys[0]);
  const columns = ys.map((y) => leavesOf("scan", y)[0]);
  const stacks = (columns[0] ?? []).map((_, k) => stack(columns.flatMap((column) => column[k] ?? [])));
  return [carry, tree.unflatten(def, stacks)];
}

const MAP_OPTIONS = { batchSize: "number" } as const;

/** Options of `lax.map`. */
export interface MapOptions {
  /** So many rows at once, by `vmap`: faster than one after another, with more memory. */
  readonly batchSize?: number;
}

const MAP: Words = { ...SCAN, name: "map" };

/**
 * f of every row of a tree of arrays, one after another, the results stacked. `vmap` does the same at once, with more
 * memory; `batchSize` is between the two. Source: lax.map.
 *
 * @throws as {@link scan}, ArgumentError for a batchSize that is no whole number > 0.
 * @example laxMap((x: Tensor) => mul(x, x), array([1, 2, 3])); // [1, 4, 9]
 */
export function laxMap<X, Y>(f: (x: X) => Y, xs: X, options: MapOptions = {}): Y {
  checkOptions("map", options, MAP_OPTIONS);
  checkFunction("map", f);
  const one = (rows: X): Y => scanAs(MAP, (_: null, x: X) => [null, f(x)] as const, null, rows)[1];
  const { batchSize } = options;
  if (batchSize === undefined) return one(xs);
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new ArgumentError(`map: batchSize must be a whole number > 0, received ${batchSize}`);
  const result = inArena("map", () => inBatches(vmap(f), one, xs, batchSize), keptStorages);
  return result as Y; // the tree that f gives
}

/** Whole batches by a loop, then the rows that are left over as a batch of their own. */
function inBatches(all: AnyFunction, one: AnyFunction, xs: unknown, size: number): unknown {
  const [rows, def] = leavesOf("map", xs);
  const length = lengthOf(rows, undefined, MAP.name);
  const whole = length - (length % size);
  if (length === 0) return one(xs);
  const some = (from: number, to: number): Tensor[] =>
    rows.map((x) => laxSlice(x, [from, ...x.shape.slice(1).map(() => 0)], [to, ...x.shape.slice(1)]));
  const batches = some(0, whole).map((x) => reshape(x, [whole / size, size, ...x.shape.slice(1)]));
  const step: Step = (_, x) => [null, all(x)];
  const [, made] = whole === 0 ? [] : scanned(step, null, tree.unflatten(def, batches), {});
  if (whole === length) return flattened(made);
  const rest: unknown = all(tree.unflatten(def, some(whole, length)));
  if (whole === 0) return rest;
  const [others] = leavesOf("map", rest);
  const [ys, yDef] = leavesOf("map", flattened(made));
  return tree.unflatten(
    yDef,
    ys.map((y, k) => concatenate([y, others[k] ?? y])),
  );
}

/** Batches of rows as rows. */
function flattened(made: unknown): unknown {
  const [ys, def] = leavesOf("map", made);
  return tree.unflatten(
    def,
    ys.map((y) => reshape(y, [(y.shape[0] ?? 0) * (y.shape[1] ?? 1), ...y.shape.slice(2)])),
  );
}
