import { ArgumentError, Tensor, tree } from "@jnx/tensor";
import { asTensor, isData, type AnyFunction, type Frame } from "@jnx/tensor/internal";
import { setChild } from "../containers.ts";
import { flattenGraph, type GraphDef, type GraphIndex, type Place, type WalkListener } from "../graph-def.ts";
import { staticText } from "../graph-text.ts";
import { nodeClass, pathText, type Path } from "../node.ts";
import { enter, peek, swapValue, Variable, type AnyVariable } from "../variable.ts";

/** True for what transforms take apart as graphs instead of as trees. */
export function isGraph(value: unknown): boolean {
  return value instanceof Variable || nodeClass(value) !== undefined;
}

/** A place in the arguments whose tensor a transform may swap: a Variable, or a Tensor in a node's field. */
export interface Cell {
  readonly path: Path;
  readonly variable: AnyVariable | undefined;
  /** For a tensor inside a list or object that a Variable holds, that Variable. */
  readonly holder?: AnyVariable;
  get(): unknown;
  /** Puts a value in without checks or consequences. */
  swap(value: unknown): void;
}

/** One leaf of the arguments' tree, with its path there. */
export type Part = { readonly path: Path } & (
  | { readonly kind: "graph"; readonly def: GraphDef; readonly cells: readonly Cell[]; readonly value: unknown }
  | { readonly kind: "data"; readonly tensor: Tensor }
  | { readonly kind: "static"; readonly value: unknown }
);

/** Arguments (or results) taken apart: trees outside, graphs inside, shared objects known across all of them. */
export interface Gathered {
  readonly def: tree.TreeDef;
  readonly parts: readonly Part[];
  readonly index: GraphIndex;
  /** Every cell of every graph, each once. */
  readonly cells: readonly Cell[];
  /** The structure of it all, as text. */
  readonly text: string;
}

/** Takes values apart. `index` carries objects known from elsewhere, to which references are then made. */
export function gather(values: unknown, index: GraphIndex = new Map()): Gathered {
  return gatherBy(isGraph, values, index);
}

/**
 * As gather, for what a function gives. New Variables that hold lists or objects of arrays, as those that `capture` gives, are
 * trees of these arrays here, and made anew around them.
 */
export function gatherResult(values: unknown, index: GraphIndex): Gathered {
  // Variables and nodes are objects.
  return gatherBy((value) => isGraph(value) && (index.has(value as object) || !holdsTree(value)), values, index);
}

function holdsTree(value: unknown): boolean {
  if (!(value instanceof Variable)) return false;
  const held: unknown = peek(value as AnyVariable); // of whatever it holds
  return (
    !(held instanceof Tensor) && typeof held === "object" && tree.leaves(held).some((leaf) => leaf instanceof Tensor)
  );
}

function gatherBy(isLeaf: (value: unknown) => boolean, values: unknown, index: GraphIndex): Gathered {
  const { leaves, paths, def } = tree.flattenWithPath(values, isLeaf);
  return gathered(
    def,
    leaves.map((leaf, k) => partOf(leaf, paths[k] ?? [], index)),
    index,
  );
}

/** Parts with all their cells and the text of their structure. */
export function gathered(def: tree.TreeDef, parts: readonly Part[], index: GraphIndex): Gathered {
  const cells = parts.flatMap((part) => (part.kind === "graph" ? part.cells : []));
  return { def, parts, index, cells, text: `${def.text} ${parts.map(partText).join(" ")}` };
}

/** One leaf of a tree taken apart. */
export function partOf(leaf: unknown, path: Path, index: GraphIndex, listener?: WalkListener): Part {
  if (isGraph(leaf)) {
    const { def, places } = flattenGraph(leaf, index, [], listener);
    return { path, kind: "graph", def, cells: places.map((place) => cellOf(place, path)), value: leaf };
  }
  if (isData(leaf)) return { path, kind: "data", tensor: asTensor(leaf, path.join(".")) };
  return { path, kind: "static", value: leaf };
}

function partText(part: Part): string {
  return part.kind === "graph" ? part.def.text : part.kind === "data" ? "*" : staticText(part.value);
}

function cellOf({ path, leaf, owner }: Place, root: Path): Cell {
  if (leaf instanceof Variable) {
    const variable: AnyVariable = leaf;
    return {
      path,
      variable,
      get: () => peek(variable),
      swap: (value) => swapValue(variable, value),
    };
  }
  const key = path.at(-1) ?? "";
  const put = (value: unknown): void => setChild(owner ?? {}, key, value);
  const get = (): unknown =>
    owner instanceof Map ? owner.get(key) : Object.getOwnPropertyDescriptor(owner ?? {}, key)?.value;
  return { path: [...root, ...path], variable: undefined, get, swap: put };
}

/** The tensors inside a list or object that a Variable holds, each a place of its own; `root` is where the object is. */
export function innerCells({ variable, path }: Cell, root: Path): Cell[] {
  if (variable === undefined || !isPlain(peek(variable))) return [];
  const { leaves, paths } = tree.flattenWithPath(peek(variable));
  return leaves.flatMap((leaf, k): Cell[] => {
    if (!(leaf instanceof Tensor)) return [];
    const inner = paths[k] ?? [];
    return [
      { path: [...root, ...path, ...inner], variable: undefined, holder: variable, ...accessors(variable, inner) },
    ];
  });
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || value instanceof Map || prototype === Object.prototype || prototype === null;
}

function accessors(variable: AnyVariable, inner: Path): Pick<Cell, "get" | "swap"> {
  const text = pathText(inner);
  const look = (): { leaves: unknown[]; def: tree.TreeDef; at: number } => {
    const { leaves, paths, def } = tree.flattenWithPath(peek(variable));
    return { leaves, def, at: paths.findIndex((path) => pathText(path) === text) };
  };
  const get = (): unknown => {
    const { leaves, at } = look();
    return leaves[at];
  };
  const swap = (value: unknown): void => {
    const { leaves, def, at } = look();
    if (at < 0) return;
    // The list itself may be in the user's hands: another takes its place.
    swapValue(
      variable,
      tree.unflatten(
        def,
        leaves.map((leaf, k) => (k === at ? value : leaf)),
      ),
    );
  };
  return { get, swap };
}

/** Refuses a function that was made of an object's method: the object would be captured instead of passed. */
export function checkUnbound(name: string, f: AnyFunction): void {
  if (!f.name.startsWith("bound ")) return;
  const method = f.name.slice("bound ".length);
  throw new ArgumentError(
    `${name}: does not take bound methods, received "${method}" bound to an object; pass a function of the object, (object, ...args) => object.${method}(...args)`,
  );
}

/** Makes cells writable in a trace; gives what moves them back. */
export function enterAll(cells: readonly Cell[], frame: Frame | undefined): () => void {
  const before = cells.map(({ variable, path }) => variable && enter(variable, frame, pathText(path)));
  return () => cells.forEach(({ variable }, k) => variable && enter(variable, before[k]));
}

/** Puts arguments together again, with other tensors for their data. Graphs are the very objects. */
export function rebuild({ def, parts }: Gathered, data: readonly Tensor[]): unknown {
  let position = 0;
  return tree.unflatten(
    def,
    parts.map((part) => (part.kind === "data" ? data[position++] : part.value)),
  );
}

/** The data of the parts, in order. */
export function dataOf({ parts }: Gathered): Tensor[] {
  return parts.flatMap((part) => (part.kind === "data" ? [part.tensor] : []));
}
