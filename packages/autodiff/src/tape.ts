import {
  alias,
  bind,
  isFloat,
  literal,
  withAttached,
  withLevel,
  type AnyOp,
  type Level,
  type Storage,
} from "@jnx/tensor/internal";
import { add, DtypeError, ShapeError, type Tensor } from "@jnx/tensor";

/** One op as it ran: enough to go back through it. */
interface TapeEntry {
  readonly op: AnyOp;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly attrs: unknown;
}

/**
 * The level that records. It boxes nothing: it watches tensors by identity, so that a model runs as it is, and an
 * op with a watched input is sent further down and written on the tape. The ops of a pullback run below the tape,
 * where an enclosing tape records them in turn: gradients of gradients need no other mechanism.
 */
export class Tape implements Level {
  readonly name: string;
  readonly #watched = new WeakSet<Tensor>();
  readonly #entries: TapeEntry[] = [];
  readonly #pinned: Storage[] = [];
  #recording = true;

  constructor(name: string) {
    this.name = name;
  }

  /** A tensor of x's value that this tape follows, told apart from x itself. */
  watch(x: Tensor): Tensor {
    const leaf = alias(x);
    this.#watched.add(leaf);
    return leaf;
  }

  claims(inputs: readonly Tensor[]): boolean {
    return this.#recording && inputs.some((input) => this.#watched.has(input));
  }

  process(op: AnyOp, inputs: readonly Tensor[], attrs: unknown): Tensor {
    const output = bind(op, inputs, attrs);
    if (!isFloat(output.dtype) || op.vjp === "nondifferentiable") return output;
    // Identity views may hand back their input; the tape must tell the two apart.
    this.#watched.add(output);
    this.#entries.push({ op, inputs, output, attrs });
    this.#pin([...inputs, output]);
    return output;
  }

  /** Runs f on the tape, once; after a throw nothing is held for a way back. */
  record<T>(f: () => T): T {
    try {
      return withLevel(this, f);
    } catch (error) {
      this.release();
      throw error;
    } finally {
      this.#recording = false;
    }
  }

  /** Storages the entries hold must survive inner transforms; once the tape is gone they need not. */
  release(): void {
    for (const storage of this.#pinned.splice(0)) storage.pins--;
  }

  #pin(tensors: readonly Tensor[]): void {
    // What the levels below keep beside a tensor is needed with it.
    for (const { payload } of withAttached(tensors)) {
      if (payload.kind !== "device") continue;
      payload.storage.pins++;
      this.#pinned.push(payload.storage);
    }
  }

  /**
   * The cotangents of `leaves`, given those of `outputs`: one loop backwards over the tape. Cotangents of a tensor
   * used twice add up; undefined stands for zero.
   */
  pullback(
    outputs: readonly Tensor[],
    cotangents: readonly Tensor[],
    leaves: readonly Tensor[],
  ): (Tensor | undefined)[] {
    const gathered = new Map<Tensor, Tensor>();
    const give = (to: Tensor, ct: Tensor): void => {
      const known = gathered.get(to);
      gathered.set(to, known === undefined ? ct : add(known, ct));
    };
    outputs.forEach((output, k) => {
      const ct = cotangents[k];
      if (ct !== undefined && this.#watched.has(output)) give(output, ct);
    });
    const kept = new Set(leaves);
    for (let k = this.#entries.length - 1; k >= 0; k--) {
      const entry = this.#entries[k];
      const ct = entry && gathered.get(entry.output);
      if (entry === undefined || ct === undefined) continue;
      if (!kept.has(entry.output)) gathered.delete(entry.output);
      this.#back(entry, ct, give);
    }
    return leaves.map((leaf) => gathered.get(leaf));
  }

  #back({ op, inputs, output, attrs }: TapeEntry, ct: Tensor, give: (to: Tensor, ct: Tensor) => void): void {
    if (op.vjp === "nondifferentiable") return;
    const needs = inputs.map((input) => this.#watched.has(input));
    const parts = op.vjp({ inputs, output, attrs, needs }, ct);
    inputs.forEach((input, k) => {
      const part = parts[k];
      if (needs[k] === true && part !== undefined) give(input, part);
    });
  }
}

/** A cotangent as the caller gave it, checked against the output it belongs to. */
export function checkCotangent(name: string, ct: Tensor, output: Tensor): Tensor {
  if (ct.dtype !== output.dtype)
    throw new DtypeError(`${name}: the cotangent is ${ct.dtype}, the output it belongs to ${output.dtype}`);
  if (ct.shape.length !== output.shape.length || ct.shape.some((extent, axis) => extent !== output.shape[axis]))
    throw new ShapeError(
      `${name}: the cotangent has shape [${ct.shape.join(", ")}], the output it belongs to [${output.shape.join(", ")}]`,
    );
  return ct;
}

export function zeroOf(x: Tensor): Tensor {
  return literal(0, x.shape, x.dtype);
}
