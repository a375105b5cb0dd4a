import {
  alias,
  bind,
  inArena,
  isFloat,
  keptStorages,
  withLevel,
  type AnyOp,
  type CallOp,
  type JvpRule,
  type Level,
} from "@jnx/tensor/internal";
import { add, type Tensor } from "@jnx/tensor";
import { Guard, Tape, zeroOf } from "./tape.ts";

type Tangents = readonly (Tensor | undefined)[];
type Context = Parameters<JvpRule<unknown>>[0];

/**
 * The level that carries tangents along. Like the tape it boxes nothing: it knows tensors by identity, sends an op
 * with a perturbed input further down, and then computes the tangent of what comes back. Those ops run below it too,
 * where enclosing levels see them: derivatives of derivatives need no other mechanism, and cannot be confused.
 */
export class Forward implements Level {
  readonly name: string;
  readonly #tangents = new WeakMap<Tensor, Tensor>();

  constructor(name: string) {
    this.name = name;
  }

  /** A tensor of x's value that moves along `tangent`, told apart from x itself. */
  perturb(x: Tensor, tangent: Tensor): Tensor {
    const leaf = alias(x);
    this.#tangents.set(leaf, tangent);
    return leaf;
  }

  tangentOf(x: Tensor): Tensor | undefined {
    return this.#tangents.get(x);
  }

  claims(inputs: readonly Tensor[]): boolean {
    return inputs.some((input) => this.#tangents.has(input));
  }

  process(op: AnyOp, inputs: readonly Tensor[], attrs: unknown): Tensor {
    const output = bind(op, inputs, attrs);
    if (!isFloat(output.dtype)) return output;
    const tangents = inputs.map((input) => this.#tangents.get(input));
    const tangent = pushforward(op, { inputs, output, attrs }, tangents);
    if (tangent !== undefined) this.#tangents.set(output, tangent);
    return output;
  }

  call(op: CallOp, inputs: readonly Tensor[]): readonly Tensor[] | undefined {
    if (op.jvp === undefined) return undefined;
    const { jvp } = op;
    const moves = inputs.map((input) => this.#tangents.get(input));
    const operands = inputs.map((input, k) => (moves[k] === undefined ? input : alias(input)));
    const guard = new Guard(op.name, (x) => this.#tangents.has(x));
    const { outputs, tangents } = withLevel(guard, () => jvp(operands, moves));
    return outputs.map((output, k) => {
      const tangent = tangents[k];
      return tangent === undefined ? output : this.perturb(output, tangent);
    });
  }

  attached(tensor: Tensor): readonly Tensor[] {
    const tangent = this.#tangents.get(tensor);
    return tangent === undefined ? [] : [tangent];
  }
}

/** The tangent of an op's output; undefined for zero. */
function pushforward(op: AnyOp, context: Context, tangents: Tangents): Tensor | undefined {
  if (op.jvp !== undefined) return op.jvp(context, tangents);
  if (op.vjp === "nondifferentiable") return undefined;
  if (op.kind === "map") return elementwise(op, context, tangents);
  if (op.kind === "view") return tangents[0] && bind(op, [tangents[0]], context.attrs);
  return transposed(op, context, tangents);
}

/** A map's derivative is diagonal, which is its own transpose: the reverse rule of each input serves as it is. */
function elementwise(op: AnyOp, context: Context, tangents: Tangents): Tensor | undefined {
  let total: Tensor | undefined;
  tangents.forEach((tangent, k) => {
    if (tangent === undefined || op.vjp === "nondifferentiable") return;
    const part = op.vjp({ ...context, needs: tangents.map((_, other) => other === k) }, tangent)[k];
    if (part !== undefined) total = total === undefined ? part : add(total, part);
  });
  return total;
}

/** The reverse rule is linear in its cotangent: going back through it turns it into the forward rule. */
function transposed(op: AnyOp, context: Context, tangents: Tangents): Tensor | undefined {
  const { vjp } = op;
  if (vjp === "nondifferentiable") return undefined;
  const needs = tangents.map((tangent) => tangent !== undefined);
  return inArena(
    "jvp",
    () => transpose((ct) => vjp({ ...context, needs }, ct), zeroOf(context.output), tangents),
    keptStorages,
  );
}

/** The transpose of a linear function from one tensor like `like` to several, applied to cotangents of those. */
export function transpose(
  linear: (x: Tensor) => readonly (Tensor | undefined)[],
  like: Tensor,
  cotangents: Tangents,
): Tensor | undefined {
  return transposeMany(([x]) => (x === undefined ? [] : linear(x)), [like], cotangents)[0];
}

/** The same for a function of several tensors. */
export function transposeMany(
  linear: (xs: readonly Tensor[]) => readonly (Tensor | undefined)[],
  likes: readonly Tensor[],
  cotangents: Tangents,
): (Tensor | undefined)[] {
  const tape = new Tape("transpose");
  const leaves = likes.map((like) => tape.watch(zeroOf(like)));
  try {
    const parts = tape.record(() => linear(leaves));
    const used = parts.flatMap((part, k) => {
      const ct = cotangents[k];
      return part === undefined || ct === undefined ? [] : [{ part, ct }];
    });
    return tape.pullback(
      used.map(({ part }) => part),
      used.map(({ ct }) => ct),
      leaves,
    );
  } finally {
    tape.release();
  }
}
