import { ArgumentError, Tensor, TracedTensorError, type Aval } from "@jnx/tensor";
import {
  currentFrame,
  deviceStorage,
  literal,
  originOf,
  roundTo,
  sizeOf,
  withLevel,
  type AnyOp,
  type CallOp,
  type Level,
  type Storage,
} from "@jnx/tensor/internal";
import { exactNumber, type Graph, type GraphCall, type GraphNode, type InputNode } from "./graph.ts";

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
  readonly #names = new Map<GraphNode, string>();
  /** Held while the function runs: a transform inside it would free what it made for the body of a loop. */
  readonly #pinned: Storage[] = [];

  /** Calls for what they do on the host, in order. */
  readonly effects: GraphCall[] = [];
  /** True if nothing that was captured will run. */
  readonly #idle: boolean;

  /** Tensors from outside that became inputs after those that were asked for; undefined to keep them as constants. */
  readonly lifted: Tensor[] | undefined;

  /** With `closed`, what the function closes over becomes an input, and every call stays whole: the graph can be traced again. */
  constructor(name: string, closed = false, idle = false) {
    this.name = name;
    this.#idle = idle;
    this.lifted = closed ? [] : undefined;
  }

  call(op: CallOp, inputs: readonly Tensor[]): readonly Tensor[] | undefined {
    if (op.effect === true) return this.#effect(op, inputs);
    if (this.lifted === undefined && op.loop === undefined) return undefined;
    const avals = op.loop?.avals() ?? resultsOf(op, inputs);
    const call: GraphCall = { op, inputs: inputs.map((input) => this.nodeOf(input)) };
    return avals.map(({ shape, dtype, weak }, index) => {
      if (sizeOf(shape) === 0) return literal(0, shape, dtype, weak);
      const node: GraphNode = { kind: "result", id: this.#nodes.length, call, index, shape, dtype, weak };
      this.#nodes.push(node);
      return this.#symbolic(node);
    });
  }

  #effect(op: CallOp, inputs: readonly Tensor[]): readonly Tensor[] {
    if (this.lifted !== undefined && !this.#idle)
      throw new ArgumentError(
        `${op.name}: cannot be called in the function that ${this.name} was given, which runs on the device by itself; return the value and look at the result`,
      );
    this.effects.push({ op, inputs: inputs.map((input) => this.nodeOf(input)) });
    return [];
  }

  claims(): boolean {
    return true;
  }

  describe({ payload }: Tensor): string | undefined {
    // This trace made the value, out of its own nodes.
    return payload.kind === "symbolic" ? this.#names.get(payload.value as GraphNode) : undefined;
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

  /** A symbolic tensor for argument `index`, with the name that errors call it by. */
  input(index: number, { shape, dtype, weak }: Aval, name?: string): Tensor {
    const node: InputNode = { kind: "input", id: this.#nodes.length, index, shape, dtype, weak };
    if (name !== undefined) this.#names.set(node, name);
    this.#nodes.push(node);
    this.#inputs.push(node);
    // An array without elements has nothing to compute, and no buffer to bind.
    return sizeOf(shape) === 0 ? literal(0, shape, dtype, weak) : this.#symbolic(node);
  }

  /** Runs `body` with every op captured. What it closes over outlives the transforms inside it that made it. */
  run<T>(body: () => T): T {
    try {
      return withLevel(this, body);
    } finally {
      for (const storage of this.#pinned.splice(0)) storage.pins--;
    }
  }

  /** The node of a tensor met in the traced function: traced, closed over, or a number. */
  nodeOf(tensor: Tensor): GraphNode {
    const { payload, shape, dtype, weak } = tensor;
    if (payload.kind === "symbolic") {
      if (payload.trace !== this && this.lifted !== undefined) return this.#lift(tensor);
      if (payload.trace !== this)
        throw new TracedTensorError(
          `${this.name}: met ${originOf(tensor)}, a ${dtype}[${shape.join(", ")}] that belongs to another trace; pass it as an argument instead of closing over it`,
        );
      // This trace made the value, out of its own nodes.
      return payload.value as GraphNode;
    }
    if (payload.kind === "literal" && this.lifted !== undefined && followed(tensor)) return this.#lift(tensor);
    if (payload.kind === "literal") return this.#literal(payload.value, tensor);
    if (sizeOf(shape) === 0) return this.nodeOf(literal(0, shape, dtype, weak));
    const known = this.#constants.get(tensor);
    if (known !== undefined) return known;
    if (this.lifted !== undefined) return this.#lift(tensor);
    // The compiled program reads it at every call: nobody may reuse its memory.
    deviceStorage(tensor).pins++;
    deviceStorage(tensor).exposed = true;
    const node: GraphNode = { kind: "constant", id: this.#nodes.length, tensor, shape, dtype, weak };
    this.#nodes.push(node);
    this.#constants.set(tensor, node);
    return node;
  }

  #lift(tensor: Tensor): GraphNode {
    const known = this.#constants.get(tensor);
    if (known !== undefined) return known;
    const { shape, dtype, weak } = tensor;
    const node: InputNode = { kind: "input", id: this.#nodes.length, index: this.#inputs.length, shape, dtype, weak };
    this.#nodes.push(node);
    this.#inputs.push(node);
    this.#constants.set(tensor, node);
    this.lifted?.push(tensor);
    if (tensor.payload.kind === "device") {
      tensor.payload.storage.pins++;
      this.#pinned.push(tensor.payload.storage);
    }
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

/** True if a level further down differentiates by a tensor, or maps over it: a number, but not only one. */
function followed(tensor: Tensor): boolean {
  for (let frame = currentFrame(); frame !== undefined; frame = frame.below)
    if (!(frame.level instanceof Capture) && frame.level.claims([tensor])) return true;
  return false;
}

/** What a call gives for operands of these shapes and dtypes, found by tracing it. */
function resultsOf(op: CallOp, inputs: readonly Aval[]): readonly Aval[] {
  const probe = new Capture(op.name, true);
  const symbols = inputs.map((input, index) => probe.input(index, input));
  return probe.run(() => op.run(symbols));
}

/** The one value of a result whose operands are all numbers; a view of equal elements is those elements. */
function foldLiterals(op: AnyOp, inputs: readonly GraphNode[], attrs: unknown): number | undefined {
  const values = inputs.flatMap((input) => (input.kind === "literal" ? [input.value] : []));
  if (values.length < inputs.length) return undefined;
  return op.kind === "view" ? values[0] : op.fold?.(values, inputs, attrs);
}
