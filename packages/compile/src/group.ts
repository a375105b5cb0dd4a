import { remapExpr, reshapeView, type Expr } from "@jnx/tensor/internal";
import type { Shape } from "@jnx/tensor";
import type { AnchorNode, GraphNode } from "./graph.ts";
import type { Inliner } from "./inline.ts";

/**
 * One kernel to be: an anchor (a reduction or a kernel op) with the maps that follow it, maps alone, or a walk along
 * lines. All `roots` have as many elements as `shape`; their expressions are over it. A load of a member's own id is the
 * value computed here.
 */
export interface Group {
  readonly anchor: AnchorNode | undefined;
  readonly shape: Shape;
  readonly roots: ReadonlyMap<GraphNode, Expr>;
  /** What a walk along lines makes besides: `shape` counts the lines, and `roots` have one element for each. */
  readonly lines?: Lines;
}

/** Reductions along the last axes of one shape and maps over the whole of it, in passes over each line. */
export interface Lines {
  readonly shape: Shape;
  /** Their operands' expressions, over `shape`. */
  readonly reductions: ReadonlyMap<AnchorNode, Expr>;
  readonly full: ReadonlyMap<GraphNode, Expr>;
}

const inputsOf = new WeakMap<Group, ReadonlySet<number>>();

/** What a group reads that another group, or nobody here, makes. */
export function groupInputs(group: Group, inliner: Inliner): ReadonlySet<number> {
  const known = inputsOf.get(group) ?? findInputs(group, inliner);
  inputsOf.set(group, known);
  return known;
}

/** What two groups would read as one. */
export function inputsOfBoth(a: Group, b: Group, inliner: Inliner): ReadonlySet<number> {
  const both = new Set([...groupInputs(a, inliner), ...groupInputs(b, inliner)]);
  for (const id of [...members(a), ...members(b)]) both.delete(id);
  return both;
}

function findInputs(group: Group, inliner: Inliner): Set<number> {
  const found = new Set<number>();
  const { anchor } = group;
  if (anchor !== undefined) {
    for (const { node } of inliner.operandsOf(anchor)) found.add(node.id);
    if (anchor.op.kind === "reduce")
      for (const input of anchor.inputs) loadsOf(inliner.read(input)).forEach((load) => found.add(load.slot));
  }
  for (const expr of hookExprs(group)) for (const load of loadsOf(expr)) found.add(load.slot);
  for (const id of members(group)) found.delete(id);
  return found;
}

/** The values that a group makes. */
export function made(group: Group): GraphNode[] {
  const { anchor, lines, roots } = group;
  return [
    ...(anchor === undefined ? [] : [anchor]),
    ...(lines?.reductions.keys() ?? []),
    ...roots.keys(),
    ...(lines?.full.keys() ?? []),
  ];
}

/** Ids of the values that a group makes. */
export function members(group: Group): number[] {
  return made(group).map((node) => node.id);
}

const lasts = new WeakMap<Group, number>();

/** The largest id that a group makes, which no other group makes too. */
export function lastOf(group: Group): number {
  const last = lasts.get(group) ?? Math.max(...members(group));
  lasts.set(group, last);
  return last;
}

/** The expressions that a group's hooks compute, but for the operand of an anchor. */
export function hookExprs({ roots, lines }: Group): Expr[] {
  return [...(lines?.reductions.values() ?? []), ...roots.values(), ...(lines?.full.values() ?? [])];
}

export type Load = Extract<Expr, { kind: "load" }>;

export function loadsOf(root: Expr): Load[] {
  const seen = new Set<Expr>();
  const found: Load[] = [];
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    if (expr.kind === "load") found.push(expr);
    else if (expr.kind === "map") expr.args.forEach(visit);
  };
  visit(root);
  return found;
}

/** The expressions over another shape of the same size; undefined if their strides do not survive that. */
export function overShape<N extends GraphNode>(exprs: ReadonlyMap<N, Expr>, shape: Shape): Map<N, Expr> | undefined {
  try {
    return new Map(
      [...exprs].map(([node, expr]) => [node, remapExpr(expr, (view) => reshapeView(view, shape) ?? refuse())]),
    );
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

class Refused extends Error {}

function refuse(): never {
  throw new Refused("these strides do not survive a reshape");
}
