import { isObject, primitiveText } from "./content.ts";
import { executor } from "./device/current.ts";
import type { Executor } from "./device/executor.ts";
import type { Step } from "./lower/expr.ts";
import type { AnyOp } from "./op.ts";
import { sameShape } from "./shape.ts";
import type { Aval, Tensor } from "./tensor.ts";
import type { View } from "./view.ts";

/** How an op runs on operands of certain shapes and layouts: linked kernels, uniforms and grids over numbered storages. */
export interface Recipe {
  readonly steps: readonly Step[];
  /** Bytes of each workspace. */
  readonly workspaces: readonly number[];
  /** What it gives, in a storage of so many bytes. */
  readonly aval: Aval;
  readonly view: View;
  readonly bytes: number;
}

/** Loops repeat a few dozen ops; what changes every turn, such as a step count, must not push those out for long. */
const MOST = 256;
/** Calls that are recognized by their operands alone, without the text of a key. */
const RECENT = 4;

/** The recipes of an op on one device. */
export interface Recipes {
  readonly byKey: Map<string, Recipe>;
  /** Calls of late, the last one first. */
  readonly recent: Call[];
}

/** What an op was called with. */
export interface Call {
  readonly attrs: unknown;
  readonly operands: readonly Operand[];
  /** Which of the operands bring the storages that the recipe numbers from 1 on. */
  readonly stored: readonly number[];
  readonly recipe: Recipe;
}

interface Operand extends Aval {
  /** Undefined for a literal. */
  readonly view: View | undefined;
  readonly value: number;
  /** Bytes of its storage, and the first operand with the same storage. */
  readonly bytes: number;
  readonly first: number;
}

type ByOp = WeakMap<AnyOp, Recipes>;

const all = new WeakMap<Executor, ByOp>();
/** Those of the device that was asked for last. */
let last: { readonly device: Executor; readonly byOp: ByOp } | undefined;

/** The recipes of an op on the device in use. */
export function recipesOf(op: AnyOp): Recipes {
  const device = executor();
  if (last?.device !== device) {
    const byOp: ByOp = all.get(device) ?? new WeakMap<AnyOp, Recipes>();
    all.set(device, byOp);
    last = { device, byOp };
  }
  let recipes = last.byOp.get(op);
  if (recipes === undefined) last.byOp.set(op, (recipes = { byKey: new Map(), recent: [] }));
  return recipes;
}

export function keepRecipe({ byKey }: Recipes, key: string, recipe: Recipe): void {
  if (byKey.size >= MOST) {
    const [oldest] = byKey.keys();
    if (oldest !== undefined) byKey.delete(oldest);
  }
  byKey.set(key, recipe);
}

/** A call of late like this one: an op that comes again needs neither its shape rule nor a key. */
export function recall({ recent }: Recipes, inputs: readonly Tensor[], attrs: unknown): Call | undefined {
  for (let k = 0; k < recent.length; k++) {
    const call = recent[k];
    if (call === undefined || !matches(call, inputs, attrs)) continue;
    if (k > 0) {
      recent.splice(k, 1);
      recent.unshift(call);
    }
    return call;
  }
  return undefined;
}

/** Has `recall` know this call, whose attributes have a text. */
export function remember({ recent }: Recipes, inputs: readonly Tensor[], attrs: unknown, recipe: Recipe): void {
  const operands = inputs.map(({ payload, shape, dtype, weak }, k): Operand => {
    const device = payload.kind === "device";
    return {
      shape,
      dtype,
      weak,
      view: device ? payload.view : undefined,
      value: payload.kind === "literal" ? payload.value : 0,
      bytes: device ? payload.storage.bytes : 0,
      first: firstLike(inputs, k),
    };
  });
  // A copy: lists in attributes may be the caller's to change. What has a key is plain data.
  const stored = operands.flatMap(({ view, first }, k) => (view !== undefined && first === k ? [k] : []));
  recent.unshift({ attrs: structuredClone(attrs), operands, stored, recipe });
  if (recent.length > RECENT) recent.pop();
}

function matches(call: Call, inputs: readonly Tensor[], attrs: unknown): boolean {
  const { operands } = call;
  if (operands.length !== inputs.length) return false;
  for (let k = 0; k < inputs.length; k++) {
    const input = inputs[k];
    const known = operands[k];
    if (input === undefined || known === undefined) return false;
    const { payload } = input;
    if (input.dtype !== known.dtype || input.weak !== known.weak) return false;
    if (payload.kind === "device") {
      const { storage, view } = payload;
      if (known.view === undefined || storage.bytes !== known.bytes || !sameView(view, known.view)) return false;
      if (firstLike(inputs, k) !== known.first) return false;
    } else if (payload.kind === "literal") {
      if (known.view !== undefined || !Object.is(payload.value, known.value)) return false;
      if (!sameShape(input.shape, known.shape)) return false;
    } else return false;
  }
  return sameContent(attrs, call.attrs);
}

function sameView(a: View, b: View): boolean {
  if (a === b) return true;
  return a.offset === b.offset && sameShape(a.shape, b.shape) && sameShape(a.strides, b.strides);
}

/** Whether attributes that have a text hold the same. */
function sameContent(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (typeof a === "function") return false;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  if (left.length !== right.length) return false;
  return left.every(([name, value], k) => right[k]?.[0] === name && sameContent(value, right[k]?.[1]));
}

/** The number of the first input with the storage of input `k`; `k` itself if that is no storage. */
function firstLike(inputs: readonly Tensor[], k: number): number {
  const own = inputs[k]?.payload;
  if (own?.kind !== "device") return k;
  for (let other = 0; other < k; other++) {
    const payload = inputs[other]?.payload;
    if (payload?.kind === "device" && payload.storage === own.storage) return other;
  }
  return k;
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
    const { payload, dtype, shape, weak } = operand;
    key += `|${dtype}${weak ? "?" : ""}`;
    if (payload.kind === "device") {
      const { storage, view } = payload;
      key += `${firstLike(operands, k)}@${view.offset}[${shape.join()}][${view.strides.join()}]${storage.bytes}`;
    } else if (payload.kind === "literal") key += `=${primitiveText(payload.value)}[${shape.join()}]`;
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
