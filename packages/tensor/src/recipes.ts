import { isObject, primitiveText } from "./content.ts";
import { executor } from "./device/current.ts";
import type { Executor } from "./device/executor.ts";
import type { Step } from "./lower/expr.ts";
import type { AnyOp } from "./op.ts";
import type { Tensor } from "./tensor.ts";

/** How an op runs on operands of certain shapes and layouts: linked kernels, uniforms and grids over numbered storages. */
export interface Recipe {
  readonly steps: readonly Step[];
  /** Bytes of each workspace. */
  readonly workspaces: readonly number[];
}

/** Loops repeat a few dozen ops; what changes every turn, such as a step count, must not push those out for long. */
const MOST = 256;

const all = new WeakMap<Executor, WeakMap<AnyOp, Map<string, Recipe>>>();

/** The recipes of an op on the device in use, by key. */
export function recipesOf(op: AnyOp): Map<string, Recipe> {
  const device = executor();
  let ofDevice = all.get(device);
  if (ofDevice === undefined) all.set(device, (ofDevice = new WeakMap()));
  let recipes = ofDevice.get(op);
  if (recipes === undefined) ofDevice.set(op, (recipes = new Map()));
  return recipes;
}

export function keepRecipe(recipes: Map<string, Recipe>, key: string, recipe: Recipe): void {
  if (recipes.size >= MOST) {
    const [oldest] = recipes.keys();
    if (oldest !== undefined) recipes.delete(oldest);
  }
  recipes.set(key, recipe);
}

/**
 * Everything that a recipe depends on: attributes, and each operand's dtype, layout, or value if it is one number
 * repeated; which operands share a storage. Undefined when the attributes hold what has no text of its own.
 */
export function recipeKey(operands: readonly Tensor[], attrs: unknown): string | undefined {
  const text = attrs === undefined ? "" : textOf(attrs);
  if (text === undefined) return undefined;
  let key = text;
  for (let k = 0; k < operands.length; k++) {
    const operand = operands[k];
    if (operand === undefined) continue;
    const { payload, dtype, shape } = operand;
    if (payload.kind === "device") {
      const { storage, view } = payload;
      const first = operands.findIndex((other) => other.payload.kind === "device" && other.payload.storage === storage);
      key += `|${first}${dtype}@${view.offset}[${shape.join()}][${view.strides.join()}]${storage.bytes}`;
    } else if (payload.kind === "literal") key += `|${dtype}=${primitiveText(payload.value)}[${shape.join()}]`;
    else return undefined;
  }
  return key;
}

/** Text that equal attributes share and others do not; undefined for functions and objects that are no plain records. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "symbol") return undefined;
  if (!isObject(value)) return primitiveText(value);
  const list = Array.isArray(value);
  if (!list && Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  let text = list ? "[" : "{";
  for (const [name, part] of Object.entries(value)) {
    const inner = textOf(part);
    if (inner === undefined) return undefined;
    text += list ? `${inner},` : `${name}:${inner},`;
  }
  return `${text}${list ? "]" : "}"}`;
}
