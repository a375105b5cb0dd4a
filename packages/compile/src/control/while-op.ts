import { Batch, Forward, zeroOf } from "@jnx/autodiff/internal";
import { bindCall, convert, isFloat, withFrame, withLevel, type BatchAxis, type CallOp } from "@jnx/tensor/internal";
import { any, ArgumentError, broadcastTo, reshape, where, type Tensor } from "@jnx/tensor";
import type { Graph } from "../graph.ts";
import { claimed } from "./claims.ts";
import { close, closeTogether, evaluateNodes, type Closable } from "./closed.ts";
import { whileCall, type WhileSpec } from "./while-call.ts";

/** A loop's condition and body, both of the carry and constants. */
export interface WhileBodies {
  readonly test: Graph;
  readonly body: Graph;
}

type Limits = Pick<WhileSpec, "name" | "maxIterations" | "error">;

/** Traces a condition and a body over these operands, and binds the loop. */
export function bindWhile(
  limits: Limits,
  carry: readonly Tensor[],
  constants: readonly Tensor[],
  test: (inputs: Tensor[]) => Tensor,
  body: (inputs: Tensor[]) => readonly Tensor[],
  names: readonly string[] = [],
): readonly Tensor[] {
  const operands = [...carry.map((x) => convert(x, x.dtype, false)), ...constants];
  const functions: Closable[] = [
    [operands, (inputs) => [test(inputs)]],
    [operands, (inputs) => body(inputs).map((x) => convert(x, x.dtype, false))],
  ];
  // Both read the same inputs: carry, constants, and what either closed over.
  const { graphs, lifted } = closeTogether(limits.name, functions, names);
  const [tests, bodies] = graphs;
  if (tests === undefined || bodies === undefined) return fail();
  const op = whileOp(limits, { test: tests, body: bodies }, carry.length);
  return bindCall(op, [...operands, ...lifted]);
}

/** A loop as one call. Its tangents and batches are loops over derived conditions and bodies. */
function whileOp(limits: Limits, { test, body }: WhileBodies, carries: number): CallOp {
  const avals = body.outputs.map(({ shape, dtype }) => ({ shape, dtype, weak: false }));
  const round = close(limits.name, test.inputs, (inputs) => {
    const next = evaluateNodes(body.outputs, inputs);
    return [...next, ...evaluateNodes(test.outputs, [...next, ...inputs.slice(carries)])];
  }).graph;
  const loop = whileCall({ ...limits, carries: avals, test, round });
  const { name } = limits;
  const op: CallOp = {
    name,
    loop,
    run: (inputs) => {
      if (claimed(inputs)) throw new Error(`jnx internal error: ${name} met a level that has no rule for it`);
      return withFrame(undefined, () => loop.run(inputs, undefined));
    },
    vjp: (inputs) => ({
      outputs: bindCall(op, inputs),
      residuals: [],
      pull: () => {
        throw new ArgumentError(
          `${name}: a loop whose number of rounds is not known beforehand cannot be differentiated in reverse (grad, vjp, jacrev), for the way back would need every round's values; ` +
            "use scan, or foriLoop with bounds that are JavaScript numbers, or forward mode (jvp, jacfwd)",
        );
      },
    }),
    jvp: (inputs, tangents) => pushed(limits, { test, body }, carries, inputs, tangents),
    batch: (inputs, batched, axis) => batch(limits, { test, body }, carries, inputs, batched, axis),
  };
  return op;
}

type Tangents = readonly (Tensor | undefined)[];

/** Tangents of all float carries go round with them; of constants, those that there are. */
function pushed(
  limits: Limits,
  { test, body }: WhileBodies,
  carries: number,
  inputs: readonly Tensor[],
  tangents: Tangents,
): { outputs: readonly Tensor[]; tangents: Tangents } {
  const moves = inputs.map((x, k) => (isFloat(x.dtype) && k < carries ? (tangents[k] ?? zeroOf(x)) : tangents[k]));
  const [carry, constants] = [inputs.slice(0, carries), inputs.slice(carries)];
  const some = (list: Tangents): Tensor[] => list.flatMap((x) => x ?? []);
  const moving = [...carry, ...some(moves.slice(0, carries))];
  // Carry, its tangents, constants, theirs.
  const plain = (list: readonly Tensor[]): Tensor[] => [
    ...list.slice(0, carries),
    ...list.slice(moving.length, moving.length + constants.length),
  ];
  const results = bindWhile(
    limits,
    moving,
    [...constants, ...some(moves.slice(carries))],
    (list) => evaluateNodes(test.outputs, plain(list))[0] ?? fail(),
    (list) => {
      const level = new Forward(limits.name);
      const queue = [...list.slice(carries, moving.length), ...list.slice(moving.length + constants.length)];
      const operands = plain(list).map((x, k) =>
        moves[k] === undefined ? x : level.perturb(x, queue.shift() ?? fail()),
      );
      const outputs = withLevel(level, () => evaluateNodes(body.outputs, operands));
      const slopes = outputs.filter((_, k) => moves[k] !== undefined).map((x) => level.tangentOf(x) ?? zeroOf(x));
      return [...outputs, ...slopes];
    },
  );
  const slopes = results.slice(carries);
  return {
    outputs: results.slice(0, carries),
    tangents: moves.slice(0, carries).map((move) => (move === undefined ? undefined : slopes.shift())),
  };
}

/**
 * Which carries differ between examples is found by trying, as for scan. If the condition differs too, the loop runs until it
 * fails for all examples, and those that are done keep what they have.
 */
function batch(
  limits: Limits,
  { test, body }: WhileBodies,
  carries: number,
  inputs: readonly Tensor[],
  batched: readonly boolean[],
  { size, axisName }: BatchAxis,
): readonly Tensor[] {
  const level = new Batch(limits.name, size, axisName);
  const flags = [...batched];
  const whole = (x: Tensor): Tensor => broadcastTo(x, [size, ...x.shape]);
  const operands = (): Tensor[] => inputs.map((x, k) => (flags[k] === true && batched[k] !== true ? whole(x) : x));
  const evaluate = (graph: Graph, list: readonly Tensor[]): Tensor[] =>
    withLevel(level, () =>
      evaluateNodes(
        graph.outputs,
        list.map((x, k) => (flags[k] === true ? level.example(x) : x)),
      ),
    );
  let each = false;
  for (let settled = false; !settled;) {
    settled = true;
    close(limits.name, operands(), (list) => {
      const mark = (k: number): void => {
        settled = settled && flags[k] === true;
        flags[k] = true;
      };
      each ||= evaluate(test, list).some((x) => level.physical(x) !== undefined);
      evaluate(body, list).forEach((x, k) => {
        if (each || level.physical(x) !== undefined) mark(k);
      });
      return [];
    });
  }
  const current = operands();
  const goesOn = (list: readonly Tensor[]): Tensor => evaluate(test, list)[0] ?? fail();
  const results = bindWhile(
    limits,
    current.slice(0, carries),
    current.slice(carries),
    (list) => (each ? any(level.collect([goesOn(list)])[0] ?? fail()) : goesOn(list)),
    (list) => {
      const next = evaluate(body, list).map((x, k) => (flags[k] === true ? (level.collect([x])[0] ?? x) : x));
      if (!each) return next;
      const on = level.collect([goesOn(list)])[0] ?? fail();
      return next.map((x, k) => where(reshape(on, [size, ...x.shape.slice(1).map(() => 1)]), x, list[k] ?? x));
    },
  );
  return results.map((x, k) => (flags[k] === true ? x : whole(x)));
}

function fail(): never {
  throw new Error("jnx internal error: a loop lacks a value");
}
