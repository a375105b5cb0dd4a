import { asTensor, isData } from "@jnx/tensor/internal";
import { ArgumentError, ShapeError, tree, type Tensor, type TensorLike } from "@jnx/tensor";

/** A function's arguments as tensors and what is none: names, functions, options. */
export interface Arguments {
  readonly tensors: readonly Tensor[];
  /** The arguments with other tensors in the places of `tensors`. */
  rebuild(tensors: readonly unknown[]): unknown[];
  /** For each argument, the tensors in it, as positions in `tensors`. */
  readonly places: readonly (readonly number[])[];
}

export function argumentsOf(name: string, args: readonly unknown[]): Arguments {
  const { leaves, paths, def } = tree.flattenWithPath(args);
  const tensors: Tensor[] = [];
  const places = args.map((): number[] => []);
  const position = leaves.map((leaf, k) => {
    if (!isData(leaf)) return undefined;
    places[Number(paths[k]?.[0])]?.push(tensors.length);
    return tensors.push(asTensor(leaf, name)) - 1;
  });
  return {
    tensors,
    places,
    rebuild: (others) => {
      const filled = leaves.map((leaf, k) => pick(others, position[k], leaf));
      return tree.unflatten(def, filled) as unknown[]; // the list of arguments that was flattened
    },
  };
}

function pick(others: readonly unknown[], position: number | undefined, leaf: unknown): unknown {
  return position === undefined ? leaf : others[position];
}

/** A function's result as tensors, and the way back to its tree. */
export class Result {
  readonly tensors: readonly Tensor[];
  readonly def: tree.TreeDef;

  constructor(name: string, value: unknown) {
    const [leaves, def] = tree.flatten(value);
    this.tensors = leaves.map((leaf) => asTensor(leaf as TensorLike, name)); // asTensor refuses what is no array
    this.def = def;
  }

  rebuild(tensors: readonly unknown[]): unknown {
    return tree.unflatten(this.def, tensors);
  }

  /** Throws unless another result has the same tree, shapes and dtypes. */
  checkSame(name: string, what: string, other: Result): void {
    if (other.def.text !== this.def.text)
      throw new ArgumentError(
        `${name}: ${what} has the tree ${other.def.text} where the function's is ${this.def.text}`,
      );
    this.tensors.forEach((want, k) => {
      const got = other.tensors[k];
      if (got === undefined || (sameExtents(want, got) && want.dtype === got.dtype)) return;
      throw new ShapeError(
        `${name}: ${what} has ${got.dtype}[${got.shape.join(", ")}] where the function has ${want.dtype}[${want.shape.join(", ")}]`,
      );
    });
  }
}

function sameExtents(a: Tensor, b: Tensor): boolean {
  return a.shape.length === b.shape.length && a.shape.every((extent, k) => extent === b.shape[k]);
}
