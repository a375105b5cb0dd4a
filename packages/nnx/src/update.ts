import { DtypeError, ShapeError, Tensor } from "@jnx/tensor";
import { shapeText } from "@jnx/tensor/internal";
import { containerOf, setChild } from "./containers.ts";
import { GraphError } from "./errors.ts";
import { pathText, type Path, type PathPart } from "./node.ts";
import { mergeState, State, type Leaf } from "./state.ts";
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
 * Puts the values of States into an object, in place; of several, the later wins. A Variable in a State gives its value
 * and metadata; a bare Tensor must have the shape and dtype of what it replaces. A Variable at a path that the object
 * lacks is added to it. Nothing is written unless everything fits. Source: flax.nnx.update.
 *
 * @throws ShapeError, DtypeError or GraphError listing every path that does not fit.
 * @example
 * nnx.update(model, nnx.loadSafetensors(await nnx.saveSafetensors(model)));
 */
export function update(node: object, state: State | Leaf, ...more: readonly State[]): void {
  const plan: Plan = { writes: [], problems: [] };
  if (isVariable(node)) {
    if (state instanceof State)
      throw new GraphError("update: a lone Variable takes a Variable or a Tensor, received a State");
    planWrite(plan, node, state, []);
  } else {
    if (!(state instanceof State))
      throw new GraphError("update: an object takes a State, received a leaf; give it a path with fromFlatState");
    planUpdate(plan, node, more.length === 0 ? state : mergeState(state, ...more), []);
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
  const children = new Map(containerOf(node)?.entries.map(([key, child]): [PathPart, unknown] => [key, child]));
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

function checkFits({ problems }: Plan, old: Tensor, next: Tensor, path: Path): void {
  const at = pathText(path);
  if (shapeText(old.shape) !== shapeText(next.shape))
    problems.push({
      kind: "shape",
      text: `"${at}" has shape ${shapeText(old.shape)}, received ${shapeText(next.shape)}`,
    });
  else if (old.dtype !== next.dtype)
    problems.push({ kind: "dtype", text: `"${at}" is ${old.dtype}, received ${next.dtype}; convert it first` });
}
