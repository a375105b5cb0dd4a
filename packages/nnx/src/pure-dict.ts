import { Tensor } from "@jnx/tensor";
import { GraphError } from "./errors.ts";
import { partOf, pathText, type Path, type PathPart } from "./node.ts";
import { entryAt, fromFlatState, State, toFlatState, type Leaf } from "./state.ts";
import { isVariable, makeLike } from "./variable.ts";

/** A nested plain object of the values alone. Source: flax.nnx.to_pure_dict. */
export interface PureDict {
  readonly [key: string]: unknown;
}

/**
 * The values of a State as nested plain objects, without Variables; `extract` gives something else for each leaf.
 * Source: flax.nnx.to_pure_dict.
 *
 * @example nnx.toPureDict(nnx.state(model.hidden, nnx.PathContains("bias"))); // { bias: [0, 0, 0, 0] }
 */
export function toPureDict(state: State, extract: (leaf: Leaf) => unknown = valueOf): PureDict {
  const pure = (entry: State | Leaf): unknown => (entry instanceof State ? toPureDict(entry, extract) : extract(entry));
  return Object.fromEntries([...state].map(([key, entry]) => [String(key), pure(entry)]));
}

function valueOf(leaf: Leaf): unknown {
  return isVariable(leaf) ? leaf.value : leaf;
}

/**
 * Puts the values of nested plain objects into a State, as new Variables of the classes and metadata that were there. Keys of
 * digits find positions: `{ layers: { "0": … } }`. Nothing is changed unless all fit. Source: flax.nnx.replace_by_pure_dict.
 *
 * @throws GraphError listing the paths that the State lacks.
 * @example
 * const state = nnx.state(model.out);
 * nnx.replaceByPureDict(state, { bias: array([7]) });
 * state.bias; // [7]
 */
export function replaceByPureDict(state: State, dict: PureDict): void {
  const entries = flatten(dict, []);
  const missing = entries.filter(([path]) => !isLeaf(entryAt(state, path)));
  if (missing.length > 0)
    throw new GraphError(
      `replaceByPureDict: the State has nothing at ${missing.map(([path]) => `"${pathText(path)}"`).join(", ")}; nothing was changed`,
    );
  for (const [path, value] of entries) {
    const holder = entryAt(state, path.slice(0, -1));
    const old = entryAt(state, path);
    if (!(holder instanceof State) || old === undefined) continue;
    const next: unknown = isVariable(old) ? makeLike(old, value) : value;
    Object.defineProperty(holder, path.at(-1) ?? "", {
      value: next,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}

function isLeaf(entry: State | Leaf | undefined): boolean {
  return isVariable(entry) || entry instanceof Tensor;
}

function flatten(value: unknown, path: Path): [Path, unknown][] {
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return [[path, value]];
  return Object.entries(value).flatMap(([key, child]) => flatten(child, [...path, partOf(key)]));
}

/**
 * Nested plain objects as a Map tree whose keys of digits are numbers again, as paths have them: for dictionaries that
 * went through JSON. Source: flax.nnx.restore_int_paths.
 *
 * @example [...nnx.restoreIntPaths({ "0": "a" }).keys()]; // [0]
 */
export function restoreIntPaths(dict: PureDict): Map<PathPart, unknown> {
  const restore = (value: unknown): unknown =>
    typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
      ? restoreIntPaths({ ...value })
      : value;
  return new Map(Object.entries(dict).map(([key, child]): [PathPart, unknown] => [partOf(key), restore(child)]));
}

/**
 * The entries of a State at paths that another lacks. Source: flax.nnx.statelib.diff.
 * @example nnx.toFlatState(nnx.diff(nnx.state(model), nnx.state(model, nnx.Param))).length; // 2
 */
export function diff(state: State, other: State): State {
  return fromFlatState(toFlatState(state).filter(([path]) => !isLeaf(entryAt(other, path))));
}
