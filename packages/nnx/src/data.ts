import { ArgumentError, array, Tensor } from "@jnx/tensor";
import { containerOf } from "./containers.ts";
import { GraphError } from "./errors.ts";
import { nodeClass, pathText, type Path } from "./node.ts";
import { isMarkedStatic, markStatic } from "./static.ts";
import { isVariable } from "./variable.ts";

/**
 * True for what transforms treat as data wherever it hangs: Variables, Tensors and nodes (Modules, Rngs, Optimizers).
 * Plain arrays and objects are not data themselves; they are looked into. Source: flax.nnx.is_data.
 *
 * @example
 * [nnx.isData(array([1])), nnx.isData(model), nnx.isData([array([1])]), nnx.isData("relu")]; // [true, true, false, false]
 */
export function isData(value: unknown): boolean {
  return isVariable(value) || value instanceof Tensor || nodeClass(value) !== undefined;
}

/**
 * The data inside a value: itself if it is data, or what its plain arrays, objects and Maps hold at any depth.
 * Source: flax.nnx.has_data.
 *
 * @example nnx.hasData({ a: [array([1]), "x"] }).length; // 1
 */
export function hasData(value: unknown): unknown[] {
  return dataIn(value).map(([, found]) => found);
}

function dataIn(value: unknown, path: Path = [], within: readonly unknown[] = []): [Path, unknown][] {
  if (isData(value)) return [[path, value]];
  const container = containerOf(value);
  if (container === undefined || within.includes(value)) return [];
  return container.entries.flatMap(([key, child]) => dataIn(child, [...path, key], [...within, value]));
}

/**
 * Marks a value as data. What is data by its kind stays as it is; a number or boolean, which would be part of the
 * structure, becomes an array of no axes, so that a change of it causes no new trace. Source: flax.nnx.data.
 *
 * @example
 * class Annealed extends nnx.Module {
 *   temperature = nnx.data(0.5);
 * }
 * nnx.state(new Annealed()).temperature.shape; // []
 */
export function data(value: number | boolean): Tensor;
export function data<T>(value: T): T;
export function data(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? array(value) : value;
}

/**
 * Marks a value as structure: an array or object that is compared by content and never looked into.
 *
 * @throws GraphError when there is data in it. Source: flax.nnx.static.
 * @example nnx.static([3, 3]); // [3, 3]
 */
function asStatic<T>(value: T): T {
  const [found] = dataIn(value);
  if (found !== undefined)
    throw new GraphError(
      `static: found data${found[0].length > 0 ? ` at "${pathText(found[0])}"` : ""}; data cannot be structure: leave out nnx.static`,
    );
  if (typeof value === "object" && value !== null) markStatic(value);
  return value;
}
export { asStatic as static };

/**
 * Checks that nothing marked as static in an object's fields has come to hold data since.
 *
 * @throws GraphError naming the field; ArgumentError for what is no node. Source: flax.nnx.check_pytree.
 * @example nnx.checkPytree(model);
 */
export function checkPytree(node: object): void {
  const container = containerOf(node);
  if (container?.kind !== "object")
    throw new ArgumentError(`checkPytree: expected a Module or another node, received ${typeof node}`);
  for (const [key, child] of container.entries) {
    if (typeof child !== "object" || child === null || !isMarkedStatic(child)) continue;
    const [found] = dataIn(child);
    if (found !== undefined)
      throw new GraphError(
        `checkPytree: "${pathText([key, ...found[0]])}" is data in a field marked as static; leave out nnx.static`,
      );
  }
}
