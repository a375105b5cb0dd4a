import { printGraph, hookExprs, made, type Built, type Graph, type GraphNode, type Group } from "@jnx/compile/internal";
import { isIdentity, sizeOf, type Expr, type Step, type View } from "@jnx/tensor/internal";
import { evaluateOp, indexed, reduceValue, scalar } from "./interpreter.ts";
import { fill, valueOf, type Value } from "./values.ts";

/** A buffer of the simulated device. */
interface Memory {
  readonly data: Float64Array;
}

/**
 * Runs a fused and planned graph on the host: the groups, their expressions and views, and the slots they were given,
 * with no WGSL in between. Memory starts as NaN and is reused as the plan says, so that a value overwritten too early,
 * a wrong view or a missing input shows at once. Returns the graph's computed outputs by node id.
 */
export function simulate(built: Built, graph: Graph, inputs: readonly Value[], limit: number): Map<number, Value> {
  checkSteps(built.steps, limit);
  const machine = new Machine(built, graph, inputs);
  for (const group of built.order) machine.run(group);
  const outputs = graph.outputs.filter((node) => node.kind === "op" && sizeOf(node.shape) > 0);
  return new Map(outputs.map((node) => [node.id, machine.stored(node)]));
}

/** WebGPU's rules: so many storage buffers, and none both written and bound a second time. */
export function checkSteps(steps: readonly Step[], limit: number): void {
  for (const { label, kernel, slots, grid } of steps) {
    if (grid.includes(0)) throw new Error(`${label}: a grid of ${grid.join(" x ")}`);
    const bindings = kernel.bindings.filter(({ access }) => access !== "uniform");
    if (bindings.length !== slots.length)
      throw new Error(`${label}: ${bindings.length} storage bindings, ${slots.length} slots`);
    if (bindings.length > limit) throw new Error(`${label}: binds ${bindings.length} buffers, over ${limit}`);
    bindings.forEach(({ access, name }, k) => {
      if (access === "read_write" && slots.indexOf(slots[k] ?? -1) !== slots.lastIndexOf(slots[k] ?? -1))
        throw new Error(`${label}: slot ${slots[k] ?? -1} is written as ${name} and bound a second time`);
    });
  }
}

class Machine {
  readonly #built: Built;
  readonly #graph: Graph;
  readonly #memory: Memory[];

  constructor(built: Built, graph: Graph, inputs: readonly Value[]) {
    this.#built = built;
    this.#graph = graph;
    this.#memory = Array.from({ length: built.slotCount }, () => ({ data: new Float64Array(0) }));
    for (const [slot, bytes] of [...built.plan.temporaries, ...built.plan.fresh])
      this.#memory[slot] = { data: new Float64Array(bytes / 4).fill(Number.NaN) };
    for (const input of graph.inputs)
      this.#memory[input.index] = { data: inputs[input.index]?.data.slice() ?? new Float64Array(0) };
    for (const node of built.fuser.inliner.nodes) {
      const slot = built.plan.constants.get(node.id);
      if (slot !== undefined && node.kind === "constant") this.#memory[slot] = { data: constant(node) };
    }
  }

  stored(node: GraphNode): Value {
    return valueOf(node.shape, node.dtype, this.#buffer(node.id).slice(0, sizeOf(node.shape)));
  }

  run(group: Group): void {
    const written = this.#built.plan.writes.get(group) ?? [];
    if (written.length === 0) return;
    if (group.lines !== undefined) {
      this.#runLines(group, group.lines, written);
      return;
    }
    const { anchor } = group;
    const result = anchor === undefined ? undefined : this.#anchor(group);
    const targets = written.map((node) => this.#buffer(node.id));
    this.#checkInPlace(group, targets);
    const members = new Map([...group.roots].map(([node, expr]) => [node.id, expr]));
    const evaluate = (expr: Expr, flat: number): number => {
      const own = expr.kind === "load" ? members.get(expr.slot) : undefined;
      if (expr.kind === "load" && expr.slot === anchor?.id) return result?.data[flat] ?? Number.NaN;
      return own === undefined ? this.#element(expr, flat, evaluate) : evaluate(own, flat);
    };
    for (let flat = 0; flat < sizeOf(group.shape); flat++) {
      const values = written.map((node) => {
        const expr = group.roots.get(node);
        return expr === undefined ? (result?.data[flat] ?? Number.NaN) : evaluate(expr, flat);
      });
      // The kernel reads everything at a position before it writes anything there.
      values.forEach((value, k) => ((targets[k] ?? new Float64Array(0))[flat] = value));
    }
  }

  /** A walk along lines, each value from those it needs; the kernel writes when everything has been read. */
  #runLines(group: Group, lines: NonNullable<Group["lines"]>, written: readonly GraphNode[]): void {
    const targets = written.map((node) => this.#buffer(node.id));
    this.#checkInPlace(group, targets);
    const exprs = new Map([...lines.full, ...group.roots].map(([node, expr]) => [node.id, expr]));
    const found = new Map<number, Float64Array>();
    const evaluate = (expr: Expr, flat: number): number => {
      if (expr.kind !== "load" || !found.has(expr.slot)) return this.#element(expr, flat, evaluate);
      return found.get(expr.slot)?.[offsetOf(expr.view, unravelOf(expr.view, flat))] ?? Number.NaN;
    };
    const reductions = new Map<GraphNode, Expr>(lines.reductions);
    // Node order is an order in which every value finds what it needs.
    for (const node of made(group).sort((a, b) => a.id - b.id)) {
      const operand = reductions.get(node);
      const expr = operand ?? exprs.get(node.id);
      if (expr === undefined || node.kind !== "op") throw new Error("a member without an expression");
      const over = { shape: operand === undefined ? node.shape : lines.shape, dtype: expr.dtype, weak: false };
      const values = fill(over, (_index, flat) => evaluate(expr, flat));
      const axes = lines.shape.map((_, axis) => axis).slice(group.shape.length);
      const { shape, dtype, weak } = node;
      const reduced = node.op.kind === "reduce" ? node.op.combine : "sum";
      found.set(
        node.id,
        operand === undefined ? values.data : reduceValue(values, reduced, axes, { shape, dtype, weak }).data,
      );
    }
    written.forEach((node, k) => targets[k]?.set(found.get(node.id) ?? []));
  }

  /** What a reduction or kernel computes, from memory as it is before the group writes. */
  #anchor(group: Group): Value {
    const { anchor } = group;
    if (anchor === undefined) throw new Error("no anchor");
    const { inliner } = this.#built.fuser;
    const { shape, dtype, weak } = anchor;
    if (anchor.op.kind === "reduce") {
      const [input] = anchor.inputs;
      if (input === undefined) throw new Error("a reduction of nothing");
      const expr = inliner.read(input);
      const operand = fill({ shape: input.shape, dtype: input.dtype, weak: input.weak }, (_index, flat) =>
        this.#element(expr, flat),
      );
      return reduceValue(operand, anchor.op.combine, anchor.op.axes(anchor.attrs), { shape, dtype, weak });
    }
    const operands = inliner.operandsOf(anchor).map(({ node, view }) => {
      const memory = this.#buffer(node.id);
      return fill(
        { shape: view.shape, dtype: node.dtype, weak: node.weak },
        (index) => memory[offsetOf(view, index)] ?? Number.NaN,
      );
    });
    return evaluateOp(anchor.op, operands, anchor.attrs, { shape, dtype, weak });
  }

  /** What a group writes it may read at the same position only, in its store hook only, and as the same dtype. */
  #checkInPlace(group: Group, targets: readonly Float64Array[]): void {
    const { anchor } = group;
    const { inliner } = this.#built.fuser;
    const before =
      anchor === undefined
        ? []
        : anchor.op.kind === "reduce"
          ? anchor.inputs.flatMap((input) => loads(inliner.read(input)).map(({ slot }) => slot))
          : inliner.operandsOf(anchor).map(({ node }) => node.id);
    for (const id of before)
      if (targets.includes(this.#buffer(id)))
        throw new Error(`${anchor?.op.name ?? ""} overwrites its operand ${id}\n${printGraph(this.#graph)}`);
    const own = new Set(made(group).map((node) => node.id));
    const written = this.#built.plan.writes.get(group) ?? [];
    for (const load of hookExprs(group).flatMap(loads)) {
      if (own.has(load.slot)) continue;
      const k = targets.indexOf(this.#buffer(load.slot));
      if (k < 0) continue;
      if (!isIdentity(load.view)) throw new Error(`value ${load.slot} is overwritten while it is read elsewhere`);
      if (written[k]?.dtype !== load.dtype)
        throw new Error(`value ${load.slot} of ${load.dtype} is overwritten by ${written[k]?.dtype ?? ""} in place`);
    }
  }

  #element(expr: Expr, flat: number, evaluate = (inner: Expr, at: number): number => this.#element(inner, at)): number {
    if (expr.kind === "literal") return expr.value;
    if (expr.kind === "result") throw new Error("a result without an anchor");
    if (expr.kind === "load")
      return this.#buffer(expr.slot)[offsetOf(expr.view, unravelOf(expr.view, flat))] ?? Number.NaN;
    const args = expr.args.map((arg) => evaluate(arg, flat));
    if (expr.op.indexed === true)
      return indexed(expr.op, args, expr.attrs, offsetOf(expr.view, unravelOf(expr.view, flat)));
    return scalar(
      expr.op,
      args,
      expr.attrs,
      expr.args.map((arg) => arg.dtype),
      expr.dtype,
    );
  }

  #buffer(id: number): Float64Array {
    const slot = this.#built.plan.slots.get(id);
    const memory = slot === undefined ? undefined : this.#memory[slot];
    if (memory === undefined) throw new Error(`value ${id} has no memory\n${printGraph(this.#graph)}`);
    return memory.data;
  }
}

function unravelOf(view: View, flat: number): number[] {
  const index: number[] = [];
  let rest = flat;
  for (const extent of [...view.shape].reverse()) {
    index.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return index;
}

function offsetOf(view: View, index: readonly number[]): number {
  return index.reduce((offset, i, axis) => offset + i * (view.strides[axis] ?? 0), view.offset);
}

function loads(root: Expr): Extract<Expr, { kind: "load" }>[] {
  if (root.kind === "load") return [root];
  return root.kind === "map" ? root.args.flatMap(loads) : [];
}

function constant(node: Extract<GraphNode, { kind: "constant" }>): Float64Array {
  const { payload } = node.tensor;
  const host = payload.kind === "device" ? payload.storage.host : undefined;
  if (
    host === undefined ||
    !(host instanceof Float32Array || host instanceof Int32Array || host instanceof Uint32Array) ||
    payload.kind !== "device"
  )
    throw new Error("the simulation needs constants the host knows");
  return fill(node, (index) => host[offsetOf(payload.view, index)] ?? Number.NaN).data;
}
