import type { Tensor } from "./tensor.ts";
import type { CallOp } from "./call.ts";
import type { AnyOp, OpDef } from "./op.ts";
import { evaluate } from "./eager.ts";
import { DtypeError } from "./errors.ts";
import { shapeText } from "./shape.ts";

/**
 * An interpreter of ops: a tape records them, a capture writes them into a graph. Levels form a stack, innermost on
 * top; an op goes to the first level from the top that claims it, and whatever ops that level calls in turn start
 * one level further down. At the bottom, ops run on the device.
 */
export interface Level {
  /** The transform as the user called it, for error messages: "grad", "jit". */
  readonly name: string;
  /** True if this level must see an op with these inputs. */
  claims(inputs: readonly Tensor[]): boolean;
  process(op: AnyOp, inputs: readonly Tensor[], attrs: unknown): Tensor;
  /** Takes a call as a whole, below this level; undefined to let it pass. Asked only if it claims the inputs. */
  call?(op: CallOp, inputs: readonly Tensor[]): readonly Tensor[] | undefined;
  /** True if what this level sees is gone back through: what is computed costs memory until then. */
  readonly records?: true;
  /** Tensors that this level keeps beside one of its own: a tangent, a whole batch. They live as long as it does. */
  attached?(tensor: Tensor): readonly Tensor[];
}

/** One level on the stack, with those below it. */
export interface Frame {
  readonly level: Level;
  readonly below: Frame | undefined;
}

let top: Frame | undefined;

/** The level a call made now would meet first; undefined outside every transform. Its identity tells traces apart. */
export function currentFrame(): Frame | undefined {
  return top;
}

/**
 * Applies an op to tensors: the one door through which every computation passes.
 */
export function bind<A>(op: OpDef<A>, inputs: readonly Tensor[], attrs: A): Tensor {
  for (let k = 0; k < inputs.length; k++) {
    const input = inputs[k];
    if (input?.composition !== undefined) return bindParts(op, inputs, attrs, input);
  }
  for (let frame = top; frame !== undefined; frame = frame.below) {
    if (!frame.level.claims(inputs)) continue;
    const { level, below } = frame;
    return withFrame(below, () => level.process(op, inputs, attrs));
  }
  // Outside all transforms there is nothing to put back.
  return top === undefined ? run(op, inputs, attrs) : withFrame(undefined, () => run(op, inputs, attrs));
}

function run<A>(op: OpDef<A>, inputs: readonly Tensor[], attrs: A): Tensor {
  const result = evaluate(op, inputs, attrs);
  if (watcher !== undefined && op.kind !== "view") watcher(op.name, inputs, [result]);
  return result;
}

/** Is shown what every op makes that runs, and what every loop makes as a whole. */
export type Watcher = (name: string, inputs: readonly Tensor[], results: readonly Tensor[]) => void;

let watcher: Watcher | undefined;

/** From now on `next` watches; one at a time. */
export function watchResults(next: Watcher | undefined): void {
  watcher = next;
}

let jitDisabled = false;

/** Whether compiled functions run as they are written from now on. */
export function disableJit(disabled: boolean): void {
  jitDisabled = disabled;
}

/** Whether a compiled function is to run its ops one by one: another transform wants to see them, or a watcher, or the user. */
export function runsOpByOp(): boolean {
  return top !== undefined || watcher !== undefined || jitDisabled;
}

/** Shows the watcher what a call made that is no ordinary ops. */
export function showWatcher(name: string, inputs: readonly Tensor[], results: readonly Tensor[]): void {
  if (watcher !== undefined) withFrame(undefined, () => watcher?.(name, inputs, results));
}

/** Keys may be moved about, part by part; nothing else is done with them. */
function bindParts<A>(op: OpDef<A>, inputs: readonly Tensor[], attrs: A, keys: Tensor): Tensor {
  const { composition } = keys;
  if (composition === undefined || (op.kind !== "view" && op.moves !== true))
    throw new DtypeError(
      `${op.name}: does not take keys, received ${keys.dtype}${shapeText(keys.shape)}; draw numbers with jax.random, or take the keys' words with random.keyData(keys)`,
    );
  const bound = composition.parts.map((_, k) =>
    bind(
      op,
      inputs.map((input) => input.composition?.parts[k] ?? input),
      attrs,
    ),
  );
  return composition.remake(bound);
}

/** Whether a level goes back through what is computed from these tensors. */
export function isRecorded(inputs: readonly Tensor[]): boolean {
  let seen = inputs;
  for (let frame = top; frame !== undefined; frame = frame.below) {
    const { level } = frame;
    if (level.records === true && level.claims(seen)) return true;
    // Levels further down know what stands for them.
    seen = [...seen, ...seen.flatMap((x) => level.attached?.(x) ?? [])];
  }
  return false;
}

/** Runs `body` with `level` on top of the stack. */
export function withLevel<T>(level: Level, body: () => T): T {
  return withFrame({ level, below: top }, body);
}

/** Runs `body` with the stack as it was at `frame`: a pullback runs below the tape it belongs to. */
export function withFrame<T>(frame: Frame | undefined, body: () => T): T {
  const saved = top;
  top = frame;
  try {
    return body();
  } finally {
    top = saved;
  }
}
