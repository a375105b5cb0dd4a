import { Tensor, TracedTensorError, type Aval } from "@jnx/tensor";
import { deviceStorage, literal, roundTo, sizeOf, withLevel, type AnyOp, type Level } from "@jnx/tensor/internal";
import type { Graph, GraphNode, InputNode } from "./graph.ts";

/**
 * The level that records instead of running: every op inside a traced function lands here, below the tapes, and
 * becomes a node. Equal ops on equal inputs are one node from the start.
 */
export class Capture implements Level {
  readonly name: string;
  readonly #nodes: GraphNode[] = [];
  readonly #inputs: InputNode[] = [];
  readonly #known = new Map<string, GraphNode>();
  readonly #constants = new Map<Tensor, GraphNode>();
  readonly #opIds = new Map<AnyOp, number>();

  constructor(name: string) {
    this.name = name;
  }

  claims(): boolean {
    return true;
  }

  process(op: AnyOp, inputs: readonly Tensor[], attrs: unknown): Tensor {
    const aval = op.infer(inputs, attrs);
    if (sizeOf(aval.shape) === 0) return literal(0, aval.shape, aval.dtype, aval.weak);
    return this.#symbolic(
      this.#apply(
        op,
        inputs.map((input) => this.nodeOf(input)),
        attrs,
        aval,
      ),
    );
  }

  /** A symbolic tensor for argument `index`. */
  input(index: number, { shape, dtype, weak }: Aval): Tensor {
    const node: InputNode = { kind: "input", id: this.#nodes.length, index, shape, dtype, weak };
    this.#nodes.push(node);
    this.#inputs.push(node);
    // An array without elements has nothing to compute, and no buffer to bind.
    return sizeOf(shape) === 0 ? literal(0, shape, dtype, weak) : this.#symbolic(node);
  }

  /** Runs `body` with every op captured. */
  run<T>(body: () => T): T {
    return withLevel(this, body);
  }

  /** The node of a tensor met in the traced function: traced, closed over, or a number. */
  nodeOf(tensor: Tensor): GraphNode {
    const { payload, shape, dtype, weak } = tensor;
    if (payload.kind === "symbolic") {
      if (payload.trace !== this)
        throw new TracedTensorError(
          `${this.name}: met a ${dtype}[${shape.join(", ")}] that belongs to another trace; pass it as an argument instead of closing over it`,
        );
      // This trace made the value, out of its own nodes.
      return payload.value as GraphNode;
    }
    if (payload.kind === "literal") return this.#literal(payload.value, tensor);
    if (sizeOf(shape) === 0) return this.nodeOf(literal(0, shape, dtype, weak));
    const known = this.#constants.get(tensor);
    if (known !== undefined) return known;
    // The compiled program reads it at every call: nobody may reuse its memory.
    deviceStorage(tensor).pins++;
    deviceStorage(tensor).exposed = true;
    const node: GraphNode = { kind: "constant", id: this.#nodes.length, tensor, shape, dtype, weak };
    this.#nodes.push(node);
    this.#constants.set(tensor, node);
    return node;
  }

  finish(outputs: readonly Tensor[]): Graph {
    return { outputs: outputs.map((output) => this.nodeOf(output)), nodes: this.#nodes, inputs: this.#inputs };
  }

  #apply(op: AnyOp, inputs: readonly GraphNode[], attrs: unknown, { shape, dtype, weak }: Aval): GraphNode {
    const value = foldLiterals(op, inputs, attrs);
    if (value !== undefined) return this.#literal(roundTo(dtype, value), { shape, dtype, weak });
    const key = `${this.#opId(op)} ${inputs.map((input) => input.id).join(",")} ${JSON.stringify(attrs, exactNumber) ?? ""}`;
    return this.#intern(key, { kind: "op", id: this.#nodes.length, op, inputs, attrs, shape, dtype, weak });
  }

  #literal(value: number, { shape, dtype, weak }: Aval): GraphNode {
    const key = `literal ${dtype} ${weak ? "weak" : ""} ${shape.join(",")} ${Object.is(value, -0) ? "-0" : value}`;
    return this.#intern(key, { kind: "literal", id: this.#nodes.length, value, shape, dtype, weak });
  }

  #intern(key: string, node: GraphNode): GraphNode {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, node);
    this.#nodes.push(node);
    return node;
  }

  #opId(op: AnyOp): number {
    const known = this.#opIds.get(op);
    if (known !== undefined) return known;
    this.#opIds.set(op, this.#opIds.size);
    return this.#opIds.size - 1;
  }

  #symbolic(node: GraphNode): Tensor {
    const { shape, dtype, weak } = node;
    return new Tensor({ shape, dtype, weak }, { kind: "symbolic", trace: this, value: node });
  }
}

/** JSON has no −0, NaN or infinities; ops that differ in them alone are not the same. */
function exactNumber(_key: string, value: unknown): unknown {
  return typeof value === "number" && (Object.is(value, -0) || !Number.isFinite(value))
    ? `#${Object.is(value, -0) ? "-0" : value}`
    : value;
}

/** The one value of a result whose operands are all numbers; a view of equal elements is those elements. */
function foldLiterals(op: AnyOp, inputs: readonly GraphNode[], attrs: unknown): number | undefined {
  const values = inputs.flatMap((input) => (input.kind === "literal" ? [input.value] : []));
  if (values.length < inputs.length) return undefined;
  return op.kind === "view" ? values[0] : op.fold?.(values, inputs, attrs);
}
