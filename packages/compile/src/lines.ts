import { fitsLines } from "@jnx/kernels-wgsl";
import { isIdentity, packedBits, sizeOf, type Expr, type View } from "@jnx/tensor/internal";
import type { Limits } from "@jnx/tensor";
import { loadsOf, made, overShape, type Group, type Lines } from "./group.ts";
import type { AnchorNode, GraphNode } from "./graph.ts";
import type { Inliner } from "./inline.ts";

/** A group as a walk along lines: what it would be if it joined one. */
export type LineGroup = Group & { readonly lines: Lines };

/**
 * A reduction along the last axes as a walk along lines, with the maps that follow it; undefined if it is none, or if
 * one invocation a line would leave the device idle.
 */
export function asLines(group: Group, inliner: Inliner, limits: Limits): LineGroup | undefined {
  const { anchor, roots } = group;
  const [operand] = anchor?.inputs ?? [];
  if (group.lines !== undefined) return { ...group, lines: group.lines };
  if (anchor?.op.kind !== "reduce" || operand === undefined || anchor.dtype !== "float32") return undefined;
  if (packs(roots)) return undefined;
  const axes = anchor.op.axes(anchor.attrs);
  const border = operand.shape.length - axes.length;
  const trailing = axes.every((axis) => axis >= border);
  const [count, reduce] = [sizeOf(operand.shape.slice(0, border)), sizeOf(operand.shape.slice(border))];
  if (!trailing || count === 0 || reduce === 0 || !fitsLines({ count, reduce }, limits)) return undefined;
  const lineShape = operand.shape.slice(0, border);
  const own = overShape(roots, lineShape);
  if (own === undefined) return undefined;
  const reductions = new Map([[anchor, inliner.read(operand)]]);
  return {
    anchor: undefined,
    shape: lineShape,
    roots: own,
    lines: { shape: operand.shape, reductions, full: new Map() },
  };
}

/** Packed arrays are written four elements at a time, which a walk along a line cannot promise. */
function packs(roots: ReadonlyMap<GraphNode, Expr>): boolean {
  return [...roots.keys()].some(({ dtype }) => packedBits(dtype) !== undefined);
}

/** The group over the shapes of `target`, as reductions or maps of the whole or of the lines; undefined if it cannot be. */
export function fitInto(target: LineGroup, group: Group, inliner: Inliner, limits: Limits): LineGroup | undefined {
  const none = { shape: target.lines.shape, reductions: new Map<AnchorNode, Expr>(), full: new Map<GraphNode, Expr>() };
  const base = { anchor: undefined, shape: target.shape, roots: new Map<GraphNode, Expr>(), lines: none };
  const [size, lineCount] = [sizeOf(target.lines.shape), sizeOf(target.shape)];
  const walk = asLines(group, inliner, limits);
  if (walk !== undefined) {
    if (sizeOf(walk.lines.shape) !== size || sizeOf(walk.shape) !== lineCount) return undefined;
    const reductions = overShape(walk.lines.reductions, target.lines.shape);
    const full = overShape(walk.lines.full, target.lines.shape);
    const roots = overShape(walk.roots, target.shape);
    if (reductions === undefined || full === undefined || roots === undefined) return undefined;
    return { ...base, roots, lines: { ...none, reductions, full } };
  }
  if (group.anchor !== undefined || packs(group.roots)) return undefined;
  if (sizeOf(group.shape) === size) {
    const full = overShape(group.roots, target.lines.shape);
    return full && { ...base, lines: { ...none, full } };
  }
  if (sizeOf(group.shape) !== lineCount) return undefined;
  const roots = overShape(group.roots, target.shape);
  return roots && { ...base, roots };
}

/** Two groups over the same shapes as one. */
export function joinLines(a: LineGroup, b: LineGroup): LineGroup {
  return {
    ...a,
    roots: new Map([...a.roots, ...b.roots]),
    lines: {
      shape: a.lines.shape,
      reductions: new Map([...a.lines.reductions, ...b.lines.reductions]),
      full: new Map([...a.lines.full, ...b.lines.full]),
    },
  };
}

/** True if what is made here is read where it is made: values of a line along it, values of the whole at their position. */
export function readsAlongLines({ shape, roots, lines }: LineGroup): boolean {
  const whole = new Set([...lines.full.keys()].map((node) => node.id));
  const perLine = new Set([...lines.reductions.keys(), ...roots.keys()].map((node) => node.id));
  const border = shape.length;
  const over = [...lines.reductions.values(), ...lines.full.values()].flatMap(loadsOf);
  const ofLines = [...roots.values()].flatMap(loadsOf);
  return (
    over.every(({ slot, view }) =>
      whole.has(slot) ? isIdentity(view) : !perLine.has(slot) || isSpread(view, border),
    ) && ofLines.every(({ slot, view }) => !whole.has(slot) && (!perLine.has(slot) || isIdentity(view)))
  );
}

/** True if the view repeats one element along each line, line after line. */
function isSpread(view: View, border: number): boolean {
  const lead = { shape: view.shape.slice(0, border), strides: view.strides.slice(0, border), offset: view.offset };
  return (
    isIdentity(lead) && view.shape.every((extent, axis) => axis < border || extent === 1 || view.strides[axis] === 0)
  );
}

/** In which pass each value of a walk is found, maps with the pass they wait for (−1: none), and how many there are. */
export function schedulePasses(group: LineGroup): { passOf: ReadonlyMap<GraphNode, number>; passes: number } {
  const { roots, lines } = group;
  const nodes = new Map(made(group).map((node) => [node.id, node]));
  const passOf = new Map<GraphNode, number>();
  const visit = (node: GraphNode): number => {
    const known = passOf.get(node);
    if (known !== undefined) return known;
    const reduction = [...lines.reductions].find(([anchor]) => anchor === node);
    const expr = reduction?.[1] ?? roots.get(node) ?? lines.full.get(node);
    const needed = expr === undefined ? [] : loadsOf(expr).flatMap(({ slot }) => nodes.get(slot) ?? []);
    const after = Math.max(-1, ...needed.map(visit));
    const pass = reduction === undefined ? after : after + 1;
    passOf.set(node, pass);
    return pass;
  };
  for (const node of nodes.values()) visit(node);
  return { passOf, passes: Math.max(...[...lines.reductions.keys()].map((node) => (passOf.get(node) ?? 0) + 1)) };
}
