import { evalShape as abstractly, ShapeDtypeStruct } from "@jnx/compile";
import { Tensor, tree } from "@jnx/tensor";
import { currentFrame, type AnyFunction } from "@jnx/tensor/internal";
import { clone } from "../graph.ts";
import type { Pytree } from "../pytree.ts";
import type { AnyVariable } from "../variable.ts";
import { guarded } from "./captured.ts";
import { checkUnbound, dataOf, enterAll, gather, type Cell, type Gathered } from "./lift.ts";
import { checkOwn } from "./lifted.ts";

/** A tree with a ShapeDtypeStruct for every array; objects stay what they are, with such in their Variables. */
export type Abstract<R> = R extends Tensor
  ? ShapeDtypeStruct
  : R extends AnyVariable | Pytree
    ? R
    : R extends object
      ? { [K in keyof R]: Abstract<R[K]> }
      : R;

/**
 * What `f` would give, without computing anything: arrays become ShapeDtypeStructs, also inside the objects it makes, so
 * that a model of any size has its structure and shapes, to be filled by `nnx.update` or a checkpoint. Arguments are
 * copied first: nothing that f writes is written.
 *
 * @throws whatever `f` throws for arguments of these shapes. Source: flax.nnx.eval_shape.
 * @example
 * const abstract = nnx.evalShape(() => new MLP({ rngs: new nnx.Rngs(0) }));
 * abstract.hidden.kernel.shape; // [2, 4]
 * nnx.update(abstract, nnx.state(model));
 * abstract.call(x).shape; // [3, 1]
 */
export function evalShape<F extends AnyFunction>(f: F, ...args: readonly unknown[]): Abstract<ReturnType<F>> {
  checkUnbound("evalShape", f);
  const given = gather(clone([...args]));
  const cells = given.cells.filter((cell) => isAbstractable(cell.get()));
  const leaves = given.parts.map((part) => (part.kind === "data" ? part.tensor : part.value));
  const places = leaves.flatMap((leaf, k) => (given.parts[k]?.kind !== "graph" && isAbstractable(leaf) ? [k] : []));
  let result: Gathered | undefined;
  const run = (...symbols: Tensor[]): Tensor[] => {
    enterAll(given.cells, currentFrame());
    cells.forEach((cell, k) => cell.swap(symbols[k]));
    const filled = [...leaves];
    places.forEach((place, k) => (filled[place] = symbols[cells.length + k]));
    const args = tree.unflatten(given.def, filled) as unknown[]; // the list of arguments
    result = gather(guarded("evalShape", given.index, () => f(...args)));
    for (const cell of result.cells) checkOwn("evalShape", cell);
    return [...held(result).map((cell) => cell.get()), ...dataOf(result)] as Tensor[]; // held says so
  };
  const structs: readonly ShapeDtypeStruct[] = abstractly(
    run,
    ...cells.map((cell) => cell.get()),
    ...places.map((place) => leaves[place]),
  );
  return finish(result ?? gather(undefined), structs) as Abstract<ReturnType<F>>; // f's own tree
}

function isAbstractable(value: unknown): boolean {
  return value instanceof Tensor || value instanceof ShapeDtypeStruct;
}

function held(result: Gathered): Cell[] {
  return result.cells.filter((cell) => cell.get() instanceof Tensor);
}

/** Puts shapes in the place of symbols. */
function finish(result: Gathered, structs: readonly ShapeDtypeStruct[]): unknown {
  const cells = held(result);
  cells.forEach((cell, k) => cell.swap(structs[k]));
  enterAll(result.cells, currentFrame());
  let position = cells.length;
  return tree.unflatten(
    result.def,
    result.parts.map((part) => (part.kind === "data" ? structs[position++] : part.value)),
  );
}
