import {
  alias,
  bind,
  isFloat,
  literal,
  withAttached,
  withLevel,
  type AnyOp,
  type CallOp,
  type Level,
  type Storage,
} from "@jnx/tensor/internal";
import { add, ArgumentError, DtypeError, ShapeError, type Tensor } from "@jnx/tensor";

type Cotangents = readonly (Tensor | undefined)[];

/** One op or call as it ran: enough to go back through it. */
interface TapeEntry {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  pull(cotangents: Cotangents, needs: readonly boolean[]): Cotangents;
}

/**
 * The level that records. It boxes nothing: it watches tensors by identity, so that a model runs as it is, and an
 * op with a watched input is sent further down and written on the tape. The ops of a pullback run below the tape,
 * where an enclosing tape records them in turn: gradients of gradients need no other mechanism.
 */
export class Tape implements Level {
  readonly name: string;
  readonly records = true;
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
    const { vjp } = op;
    const pull = ([ct]: Cotangents, needs: readonly boolean[]): Cotangents =>
      ct === undefined ? [] : vjp({ inputs, output, attrs, needs }, ct);
    this.#entries.push({ inputs, outputs: [output], pull });
    this.#pin([...inputs, output]);
    return output;
  }

  call(op: CallOp, inputs: readonly Tensor[]): readonly Tensor[] | undefined {
    if (op.vjp === undefined) return undefined;
    const { vjp } = op;
    const needs = inputs.map((input) => this.#watched.has(input));
    const operands = inputs.map((input, k) => (needs[k] === true ? alias(input) : input));
    const guard = new Guard(op.name, (x) => this.#watched.has(x));
    const { outputs, residuals, pull } = withLevel(guard, () => vjp(operands, needs));
    // A call may hand an input back; the tape must tell the two apart.
    const own = outputs.map((output) => (isFloat(output.dtype) ? this.watch(output) : output));
    this.#entries.push({ inputs, outputs: own, pull });
    this.#pin([...own, ...residuals]);
    return own;
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
  pullback(outputs: readonly Tensor[], cotangents: Cotangents, leaves: readonly Tensor[]): (Tensor | undefined)[] {
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
      if (entry === undefined) continue;
      const cts = entry.outputs.map((output) => gathered.get(output));
      if (cts.every((ct) => ct === undefined)) continue;
      for (const output of entry.outputs) if (!kept.has(output)) gathered.delete(output);
      this.#back(entry, cts, give);
    }
    return leaves.map((leaf) => gathered.get(leaf));
  }

  #back({ inputs, pull }: TapeEntry, cts: Cotangents, give: (to: Tensor, ct: Tensor) => void): void {
    const needs = inputs.map((input) => this.#watched.has(input));
    const parts = pull(cts, needs);
    inputs.forEach((input, k) => {
      const part = parts[k];
      if (needs[k] === true && part !== undefined) give(input, part);
    });
  }
}

/** Refuses what a rule of a call closes over: below the level that took the call, its derivative would be lost. */
export class Guard implements Level {
  readonly name: string;
  readonly #known: (x: Tensor) => boolean;

  constructor(name: string, known: (x: Tensor) => boolean) {
    this.name = name;
    this.#known = known;
  }

  claims(inputs: readonly Tensor[]): boolean {
    return inputs.some(this.#known);
  }

  process(op: AnyOp): Tensor {
    throw new ArgumentError(
      `${this.name}: the function closes over a value that is being differentiated (met by ${op.name}); pass it as an argument`,
    );
  }
}

/** A cotangent as the caller gave it, checked against the output it belongs to. */
export function checkCotangent(name: string, ct: Tensor, output: Tensor): Tensor {
  if (ct.dtype !== output.dtype)
    throw new DtypeError(
      `${name}: the cotangent is ${ct.dtype}, the output it belongs to ${output.dtype}; convert it with astype()`,
    );
  if (ct.shape.length !== output.shape.length || ct.shape.some((extent, axis) => extent !== output.shape[axis]))
    throw new ShapeError(
      `${name}: the cotangent has shape [${ct.shape.join(", ")}], the output it belongs to [${output.shape.join(", ")}]`,
    );
  return ct;
}

export function zeroOf(x: Tensor): Tensor {
  return literal(0, x.shape, x.dtype);
}
