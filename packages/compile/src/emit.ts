import {
  at,
  contiguousView,
  copiedView,
  lowerCopy,
  lowerKernel,
  lowerLines,
  lowerMap,
  lowerReduce,
  sizeOf,
  type Expr,
  type LineValue,
  type Output,
  type ResultExpr,
  type Step,
} from "@jnx/tensor/internal";
import type { Limits } from "@jnx/tensor";
import type { GraphNode, OpNode } from "./graph.ts";
import { hookExprs, type Group } from "./group.ts";
import type { Inliner } from "./inline.ts";
import { schedulePasses, type LineGroup } from "./lines.ts";
import type { MemoryPlan } from "./plan.ts";

/** Everything that turning groups into dispatches needs to know. */
export interface EmitContext {
  readonly inliner: Inliner;
  readonly plan: MemoryPlan;
  readonly limits: Limits;
  /** A slot for a kernel's workspace, which nothing else uses while the group runs. */
  workspace(bytes: number): number;
}

/** The dispatches of one group. Loop and index arithmetic are the kernels' and the emitter's, bodies the op records'. */
export function emitGroup(group: Group, context: EmitContext): Step[] {
  const { anchor } = group;
  const written = context.plan.writes.get(group) ?? [];
  if (written.length === 0 || sizeOf(group.shape) === 0) return [];
  const resolver = new Resolver(group, context);
  if (group.lines !== undefined) return [emitLines({ ...group, lines: group.lines }, written, resolver, context)];
  const outputs = written.map((node): Output => ({
    slot: slotOf(node.id, context),
    dtype: node.dtype,
    expr: resolver.member(node),
  }));
  const label = labelOf(group);
  if (anchor === undefined) return emitMaps(label, group, outputs, context.limits);
  if (anchor.op.kind === "reduce") return emitReduce(label, anchor, outputs, resolver, context);
  return emitKernel(label, anchor, outputs, context);
}

/** One dispatch for all maps; a mere change of layout is a copy. */
function emitMaps(label: string, { shape }: Group, outputs: readonly Output[], limits: Limits): Step[] {
  const copied = copiedView(outputs);
  if (copied === undefined) return [lowerMap(label, shape, outputs, limits)];
  const { slot, dtype, view } = copied;
  const last = view.shape.reduce((sum, extent, axis) => sum + (extent - 1) * at(view.strides, axis), view.offset);
  // Storages hold whole vec4s.
  const elements = 4 * Math.ceil((last + 1) / 4);
  return lowerCopy(label, { from: slot, elements, to: at(outputs, 0).slot, dtype, view }, limits);
}

/** Values of a line are variables of the kernel, named by their nodes; what is over the whole is computed where it is needed. */
function emitLines(group: LineGroup, written: readonly GraphNode[], resolver: Resolver, context: EmitContext): Step {
  const { shape, roots, lines } = group;
  const { passOf, passes } = schedulePasses(group);
  const passOfNode = (node: GraphNode): number => passOf.get(node) ?? -1;
  const reductions = [...lines.reductions].map(([node, expr]): LineValue => {
    if (node.op.kind !== "reduce") throw new Error("jnx internal error: not a reduction");
    const { id, dtype, op } = node;
    return {
      name: resolver.nameOf(id),
      dtype,
      expr: resolver.resolve(expr),
      combine: op.combine,
      pass: passOfNode(node),
    };
  });
  // Of one pass, those first that others need: their numbers are in the order of the trace.
  const order = [...roots].sort(([a], [b]) => passOfNode(a) - passOfNode(b) || a.id - b.id);
  const maps = order.map(([node, expr]): LineValue => {
    const { id, dtype } = node;
    return {
      name: resolver.nameOf(id),
      dtype,
      expr: resolver.resolve(expr),
      combine: undefined,
      pass: passOfNode(node),
    };
  });
  const output = (node: GraphNode): Output => ({
    slot: slotOf(node.id, context),
    dtype: node.dtype,
    expr: resolver.member(node),
  });
  const full = written.filter((node) => lines.full.has(node));
  const work = {
    shape: lines.shape,
    border: shape.length,
    values: [...reductions, ...maps],
    passes,
    full: full.map(output),
    fullPass: Math.max(passes - 1, ...full.map((node) => passOfNode(node) + 1)),
    perLine: written.filter((node) => !lines.full.has(node)).map(output),
  };
  return lowerLines(labelOf(group), work, context.limits);
}

function emitReduce(
  label: string,
  anchor: OpNode,
  outputs: readonly Output[],
  resolver: Resolver,
  context: EmitContext,
): Step[] {
  const { op, attrs, inputs } = anchor;
  const operand = at(inputs, 0);
  if (op.kind !== "reduce") throw new Error("jnx internal error: not a reduction");
  const work = {
    shape: operand.shape,
    expr: resolver.resolve(context.inliner.read(operand)),
    axes: op.axes(attrs),
    dtype: anchor.dtype,
    resultShape: anchor.shape,
    outputs,
    workspace: (bytes: number) => context.workspace(bytes),
  };
  return lowerReduce(label, op.combine, work, context.limits);
}

function emitKernel(label: string, anchor: OpNode, outputs: readonly Output[], context: EmitContext): Step[] {
  const { op, attrs } = anchor;
  if (op.kind !== "kernel") throw new Error("jnx internal error: not a kernel");
  const operands = context.inliner.operandsOf(anchor);
  const work = {
    op,
    attrs,
    operands: operands.map(({ node, view }) => ({ slot: slotOf(node.id, context), aval: node, view })),
    result: { shape: anchor.shape, dtype: anchor.dtype },
    outputs,
    workspace: (bytes: number) => context.workspace(bytes),
  };
  return lowerKernel(label, work, context.limits);
}

function slotOf(id: number, { plan }: EmitContext): number {
  const slot = plan.slots.get(id);
  if (slot === undefined) throw new Error(`jnx internal error: value ${id} has no memory`);
  return slot;
}

/** Replaces node ids by slots, and loads of what the group itself computes by the computation. */
class Resolver {
  readonly #group: Group;
  readonly #context: EmitContext;
  readonly #done = new Map<Expr, Expr>();
  readonly #members = new Map<number, GraphNode>();
  /** Values of a walk along lines: variables by the time that others read them. */
  readonly #named = new Map<number, ResultExpr & { readonly name: string }>();

  constructor(group: Group, context: EmitContext) {
    this.#group = group;
    this.#context = context;
    for (const root of group.roots.keys()) this.#members.set(root.id, root);
    for (const root of group.lines?.full.keys() ?? []) this.#members.set(root.id, root);
    // Numbered within the group, so that equal groups are one pipeline.
    if (group.lines !== undefined)
      for (const { id, dtype } of [...group.lines.reductions.keys(), ...group.roots.keys()])
        this.#named.set(id, { kind: "result", dtype, name: `m${this.#named.size}` });
  }

  nameOf(id: number): string {
    const named = this.#named.get(id);
    if (named === undefined) throw new Error(`jnx internal error: value ${id} is not one of a line`);
    return named.name;
  }

  /** The expression of a value that the group makes. */
  member(node: GraphNode): Expr {
    const named = this.#named.get(node.id);
    if (named !== undefined) return named;
    const expr = this.#group.roots.get(node) ?? this.#group.lines?.full.get(node);
    return expr === undefined ? { kind: "result", dtype: node.dtype } : this.resolve(expr);
  }

  resolve(expr: Expr): Expr {
    const known = this.#done.get(expr);
    if (known !== undefined) return known;
    const resolved = this.#step(expr);
    this.#done.set(expr, resolved);
    return resolved;
  }

  #step(expr: Expr): Expr {
    if (expr.kind === "map") return { ...expr, args: expr.args.map((arg) => this.resolve(arg)) };
    if (expr.kind !== "load") return expr;
    if (expr.slot === this.#group.anchor?.id) return this.#result(expr.dtype);
    const named = this.#named.get(expr.slot);
    if (named !== undefined) return named;
    const member = this.#members.get(expr.slot);
    if (member !== undefined) return this.member(member);
    return this.#load(expr.slot, expr);
  }

  readonly #results = new Map<string, Expr>();
  #result(dtype: Expr["dtype"]): Expr {
    const known = this.#results.get(dtype);
    if (known !== undefined) return known;
    const result: Expr = { kind: "result", dtype };
    this.#results.set(dtype, result);
    return result;
  }

  /** Loads of one element from one buffer are one expression, however often the graph asks for it. */
  readonly #loads = new Map<string, Expr>();
  #load(id: number, expr: Extract<Expr, { kind: "load" }>): Expr {
    const { view } = expr;
    const key = `${id} ${view.offset} ${view.strides.join(",")}`;
    const known = this.#loads.get(key);
    if (known !== undefined) return known;
    const load: Expr = { ...expr, slot: slotOf(id, this.#context), view: { ...contiguousView(view.shape), ...view } };
    this.#loads.set(key, load);
    return load;
  }
}

/** What the group computes, for profiles and errors: "matmul+add+relu". */
export function labelOf(group: Group): string {
  const names: string[] = group.anchor === undefined ? [] : [group.anchor.op.name];
  const visit = (expr: Expr, seen: Set<Expr>): void => {
    if (expr.kind !== "map" || seen.has(expr) || names.length > 6) return;
    seen.add(expr);
    for (const arg of expr.args) visit(arg, seen);
    if (!names.includes(expr.op.name)) names.push(expr.op.name);
  };
  const seen = new Set<Expr>();
  for (const { op } of group.lines?.reductions.keys() ?? []) if (!names.includes(op.name)) names.push(op.name);
  for (const expr of hookExprs(group)) visit(expr, seen);
  return names.length === 0 ? "copy" : names.slice(0, 6).join("+") + (names.length > 6 ? "+…" : "");
}
