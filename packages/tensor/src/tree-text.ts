import { flattenWithPath, type TreeDef } from "./flatten.ts";

/** A structure with a word for each of its leaves. */
export interface WordedTree {
  readonly def: TreeDef;
  readonly words: readonly string[];
}

/** A tree as a reader would write it, with words for leaves: `{ a: float32[2], b: [int32[], null] }`. */
export function treeText({ def, words }: WordedTree): string {
  return written(def.rebuild(words.map((word) => new Leaf(word))));
}

class Leaf {
  readonly word: string;
  constructor(word: string) {
    this.word = word;
  }
}

function written(value: unknown): string {
  if (value instanceof Leaf) return value.word;
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value !== "object") return String(value);
  const entries: readonly (readonly [unknown, unknown])[] =
    value instanceof Map ? [...value.entries()] : Object.entries(value);
  const name = value.constructor === Object ? "" : `${value.constructor.name} `;
  return `${name}{ ${entries.map(([key, child]) => `${String(key)}: ${written(child)}`).join(", ")} }`;
}

/** Where two trees of one structure, or of two, first differ, and what is there; undefined if they do not. */
export function firstDifference(
  a: WordedTree,
  b: WordedTree,
): { readonly place: string; readonly a: string; readonly b: string } | undefined {
  const [left, right] = [placesOf(a), placesOf(b)];
  for (let k = 0; k < Math.max(left.length, right.length); k++) {
    const [x, y] = [left[k], right[k]];
    if (x !== undefined && y !== undefined && x.place === y.place) {
      if (x.word !== y.word) return { place: x.place, a: x.word, b: y.word };
      continue;
    }
    const place = x === undefined || right.some((other) => other.place === x.place) ? (y?.place ?? "") : x.place;
    const at = (list: readonly Place[]): string => list.find((one) => one.place === place)?.word ?? "nothing";
    return { place, a: at(left), b: at(right) };
  }
  return a.def.text === b.def.text ? undefined : { place: "", a: treeText(a), b: treeText(b) };
}

interface Place {
  readonly place: string;
  readonly word: string;
}

function placesOf({ def, words }: WordedTree): Place[] {
  const { leaves, paths } = flattenWithPath(
    def.rebuild(words.map((word) => new Leaf(word))),
    (value) => value instanceof Leaf,
  );
  return leaves.flatMap((leaf, k) =>
    leaf instanceof Leaf ? [{ place: (paths[k] ?? []).join("."), word: leaf.word }] : [],
  );
}

/** Both trees, under their names, and where they first differ: what errors about two trees end in. */
export function differenceText(
  a: { readonly label: string; readonly tree: WordedTree },
  b: { readonly label: string; readonly tree: WordedTree },
): string | undefined {
  const difference = firstDifference(a.tree, b.tree);
  if (difference === undefined) return undefined;
  const place = difference.place === "" ? "" : ` at ${difference.place}`;
  return `${a.label} ${treeText(a.tree)}, ${b.label} ${treeText(b.tree)}; the first difference${place}: ${difference.a} and ${difference.b}`;
}
