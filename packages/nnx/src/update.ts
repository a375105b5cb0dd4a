import { DtypeError, ShapeError, Tensor } from "@jnx/tensor";
import { shapeText } from "@jnx/tensor/internal";
import { DictNode } from "./collections.ts";
import { containerOf, setChild } from "./containers.ts";
import { GraphError } from "./errors.ts";
import { pathText, type Path, type PathPart } from "./node.ts";
import { mergeState, State, toFlatState, type Leaf } from "./state.ts";
import { stateOfSource, type StateSource } from "./state-source.ts";
import { adoptMetadata, checkWritable, isVariable, peek, swapValue, type AnyVariable } from "./variable.ts";

/** What an update will do, and all that stands against it. */
interface Plan {
  readonly writes: (() => void)[];
  readonly problems: Problem[];
}

interface Problem {
  readonly kind: "graph" | "shape" | "dtype";
  readonly text: string;
}

/**
 * Puts the values of States into an object, in place; of several, the later wins. States may be given as nested plain
 * objects or Maps, too. A Variable in a State gives its value and metadata, a bare Tensor must also have the dtype of what it
 * replaces; shapes must agree. At a path that the object lacks a Variable is added to it, a Tensor to plain objects, Maps
 * and Dicts only. Nothing is written unless everything fits. Source: flax.nnx.update, which lets shapes change.
 *
 * @throws ShapeError, DtypeError or GraphError listing every path that does not fit.
 * @example
 * nnx.update(model, nnx.loadSafetensors(await nnx.saveSafetensors(model)));
 */
export function update(node: object, state: StateSource, ...more: readonly StateSource[]): void {
  const plan: Plan = { writes: [], problems: [] };
  const states = [state, ...more].map((one) => stateOfSource("update", one));
  if (isVariable(node)) {
    const given = states.filter((one) => !(one instanceof State) || toFlatState(one).length > 0);
    const [leaf] = given;
    if (leaf === undefined || leaf instanceof State || given.length > 1)
      throw new GraphError("update: a lone Variable takes one Variable or Tensor, received a State or several");
    planWrite(plan, node, leaf, []);
  } else {
    const merged = states.map((one): State => {
      if (one instanceof State) return one;
      throw new GraphError("update: an object takes a State, received a leaf; give it a path with fromFlatState");
    });
    const [first = new State()] = merged;
    planUpdate(plan, node, merged.length === 1 ? first : mergeState(...merged), []);
  }
  refuse(plan.problems);
  for (const write of plan.writes) write();
}

function refuse(problems: readonly Problem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const shown = problems.slice(0, 20).map(({ text }) => text);
  const more = problems.length > shown.length ? `; and ${problems.length - shown.length} more` : "";
  const message = `update: ${shown.join("; ")}${more}; nothing was changed`;
  const kind = problems.every((one) => one.kind === first.kind) ? first.kind : "graph";
  throw new (kind === "shape" ? ShapeError : kind === "dtype" ? DtypeError : GraphError)(message);
}

function planUpdate(plan: Plan, node: object, state: State, path: Path): void {
  const container = containerOf(node);
  const children = new Map(container?.entries.map(([key, child]): [PathPart, unknown] => [key, child]));
  const grows = container?.kind === "dict" || container?.kind === "map" || node instanceof DictNode;
  const problem = (text: string): void => void plan.problems.push({ kind: "graph", text });
  for (const [key, entry] of state) {
    const at = [...path, key];
    const child = children.get(key);
    if (entry instanceof State) {
      if (containerOf(child) === undefined) problem(`the object has nothing to look into at "${pathText(at)}"`);
      else planUpdate(plan, child as object, entry, at); // containers are objects
    } else if (isVariable(child)) planWrite(plan, child, entry, at);
    else if (child instanceof Tensor) planField(plan, node, key, child, entry, at);
    else if (child !== undefined && child !== null)
      problem(`a leaf was given for "${pathText(at)}", where the object has structure`);
    else if (isVariable(entry)) plan.writes.push(() => setChild(node, key, entry.copy()));
    else if (grows) plan.writes.push(() => setChild(node, key, entry));
    else problem(`the object has no array at "${pathText(at)}"; it has ${namesOf(children)}`);
  }
}

function namesOf(children: ReadonlyMap<PathPart, unknown>): string {
  const names = [...children].filter(([, child]) => typeof child === "object" && child !== null);
  return names.map(([key]) => `"${key}"`).join(", ") || "none";
}

function planWrite(plan: Plan, variable: AnyVariable, leaf: Leaf, path: Path): void {
  checkWritable(variable);
  if (isVariable(leaf)) {
    const [old, next] = [peek(variable), peek(leaf)];
    if (old instanceof Tensor && next instanceof Tensor) checkShape(plan, old, next, path);
    plan.writes.push(() => {
      swapValue(variable, peek(leaf));
      adoptMetadata(variable, leaf.metadata);
    });
    return;
  }
  const old = peek(variable);
  if (old instanceof Tensor) checkFits(plan, old, leaf, path);
  plan.writes.push(() => variable.setRawValue(leaf));
}

function planField(plan: Plan, node: object, key: PathPart, old: Tensor, leaf: Leaf, path: Path): void {
  const next = isVariable(leaf) ? peek(leaf) : leaf;
  if (next instanceof Tensor) checkFits(plan, old, next, path);
  plan.writes.push(() => setChild(node, key, next));
}

function checkShape({ problems }: Plan, old: Tensor, next: Tensor, path: Path): boolean {
  if (shapeText(old.shape) === shapeText(next.shape)) return true;
  const text = `"${pathText(path)}" has shape ${shapeText(old.shape)}, received ${shapeText(next.shape)}`;
  problems.push({ kind: "shape", text });
  return false;
}

function checkFits(plan: Plan, old: Tensor, next: Tensor, path: Path): void {
  if (!checkShape(plan, old, next, path) || old.dtype === next.dtype) return;
  const text = `"${pathText(path)}" is ${old.dtype}, received ${next.dtype}; convert it first`;
  plan.problems.push({ kind: "dtype", text });
}
