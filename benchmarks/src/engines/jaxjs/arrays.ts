/** Arrays of jax-js and trees of them. */
import type * as Jax from "@jax-js/jax";
import type { Input } from "../../tasks/index.ts";
import { need } from "../engine.ts";

export type Arr = Jax.Array;
export type Tree = Record<string, Arr>;

export function upload(jax: typeof Jax, { data, shape }: Input): Arr {
  const dtype = data instanceof Int32Array ? jax.numpy.int32 : jax.numpy.float32;
  return jax.numpy.array(data, { shape: [...shape], dtype });
}

export function leaf(tree: Tree, name: string): Arr {
  return need(tree[name], `parameter ${name}`);
}

/** `f` of the leaves of the same name. */
export function mapTree(f: (...leaves: Arr[]) => Arr, first: Tree, ...others: Tree[]): Tree {
  const out: Tree = {};
  for (const name of Object.keys(first)) out[name] = f(...[first, ...others].map((tree) => leaf(tree, name)));
  return out;
}
