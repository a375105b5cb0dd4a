import { Batch, Forward, zeroOf } from "@jnx/autodiff/internal";
import {
  bindCall,
  convert,
  currentFrame,
  isFloat,
  withFrame,
  withLevel,
  type BatchAxis,
  type CallOp,
} from "@jnx/tensor/internal";
import { equal, stopGradient, where, type Tensor } from "@jnx/tensor";
import { Capture } from "../capture.ts";
import { readsOf, type CondSpec } from "./branch.ts";
import { claimed } from "./claims.ts";
import { close, evaluateNodes, type Closed } from "./closed.ts";
import { condCall, isSmall } from "./cond-call.ts";
import { condPullback } from "./cond-vjp.ts";

/** Traces one function of these operands for each branch, and binds the choice among them. */
export function bindCond(
  name: string,
  index: Tensor,
  operands: readonly Tensor[],
  bodies: readonly ((operands: Tensor[]) => readonly Tensor[])[],
): readonly Tensor[] {
  const traced = bodies.map((body) => close(name, operands, body));
  const weak = (traced[0]?.graph.outputs ?? []).map((_, k) =>
    traced.every(({ graph }) => graph.outputs[k]?.weak === true),
  );
  // One type for what comes out, whichever branch it is.
  const even = traced.every(({ graph }) => graph.outputs.every((output, k) => output.weak === weak[k]));
  const settled = even ? traced : traced.map((branch) => settle(name, branch, operands, weak));
  return bindBranches(name, index, operands, settled);
}

function settle(name: string, branch: Closed, operands: readonly Tensor[], weak: readonly boolean[]): Closed {
  return close(name, operands, (symbols) =>
    evaluateNodes(branch.graph.outputs, [...symbols, ...branch.lifted]).map((x, k) => convert(x, x.dtype, weak[k])),
  );
}

function bindBranches(
  name: string,
  index: Tensor,
  operands: readonly Tensor[],
  closed: readonly Closed[],
): readonly Tensor[] {
  const { payload } = index;
  const known = payload.kind === "literal" ? closed[payload.value] : undefined;
  if (known !== undefined) return evaluateNodes(known.graph.outputs, [...operands, ...known.lifted]);
  const all = [...operands];
  const places = new Map<Tensor, number>();
  const branches = closed.map(({ graph, lifted }) => {
    const more = lifted.map((tensor) => {
      const place = places.get(tensor) ?? all.push(tensor) - 1;
      places.set(tensor, place);
      return place;
    });
    return { graph, reads: [...operands.keys(), ...more] };
  });
  const avals = (closed[0]?.graph.outputs ?? []).map(({ shape, dtype, weak }) => ({ shape, dtype, weak }));
  return bindCall(condOp({ name, branches, avals }), [index, ...all]);
}

/** A choice as one call. Its derivatives and batches are choices among derived branches. */
export function condOp(spec: CondSpec): CallOp {
  const loop = isSmall(spec) ? undefined : condCall(spec);
  return {
    name: spec.name,
    ...(loop && { loop }),
    run: (inputs) => {
      const [index, ...operands] = inputs;
      if (loop === undefined || claimed(inputs)) return selected(spec, required(index), operands);
      return withFrame(undefined, () => loop.run(inputs, undefined));
    },
    vjp: ([index, ...operands], [, ...needs]) => condPullback(spec, required(index), operands, needs, bindCond),
    jvp: ([index, ...operands], [, ...tangents]) => pushed(spec, required(index), operands, tangents),
    batch: ([index, ...operands], [choice = false, ...batched], axis) =>
      choice
        ? chosen(spec, required(index), operands, batched, axis)
        : batch(spec, required(index), operands, batched, axis),
  };
}

export function required(index: Tensor | undefined): Tensor {
  if (index === undefined) throw new Error("jnx internal error: a choice lacks its number");
  return index;
}

/** All branches, and of each result the element that was asked for. */
function selected({ branches }: CondSpec, index: Tensor, operands: readonly Tensor[]): Tensor[] {
  let results: Tensor[] = [];
  branches.forEach((branch, number) => {
    const outputs = evaluateNodes(branch.graph.outputs, readsOf(branch, operands));
    results =
      number === 0 ? outputs : outputs.map((output, k) => where(equal(index, number), output, results[k] ?? output));
  });
  return results;
}

type Tangents = readonly (Tensor | undefined)[];

function pushed(
  { name, branches, avals }: CondSpec,
  index: Tensor,
  operands: readonly Tensor[],
  tangents: Tangents,
): { outputs: readonly Tensor[]; tangents: Tangents } {
  const moves = tangents.flatMap((tangent) => tangent ?? []);
  const bodies = branches.map((branch) => (symbols: Tensor[]) => {
    const level = new Forward(name);
    const queue = symbols.slice(operands.length);
    const moving = operands.map((_, k) => {
      const x = required(symbols[k]);
      const move = tangents[k] === undefined ? undefined : queue.shift();
      return move === undefined ? x : level.perturb(x, move);
    });
    const outputs = withLevel(level, () => evaluateNodes(branch.graph.outputs, readsOf(branch, moving)));
    const slopes = outputs.map((output) => level.tangentOf(output) ?? zeroOf(output));
    return [...outputs, ...slopes.filter(({ dtype }) => isFloat(dtype))];
  });
  const results = bindCond(name, index, [...operands, ...moves], bodies);
  const slopes = results.slice(avals.length);
  return {
    outputs: results.slice(0, avals.length),
    tangents: avals.map(({ dtype }) => (isFloat(dtype) ? slopes.shift() : undefined)),
  };
}

/** One choice for all examples: of branches that take the whole batch. */
function batch(
  { name, branches }: CondSpec,
  index: Tensor,
  operands: readonly Tensor[],
  batched: readonly boolean[],
  { size, axisName }: BatchAxis,
): readonly Tensor[] {
  const bodies = branches.map((branch) => (symbols: Tensor[]) => {
    const level = new Batch(name, size, axisName);
    const examples = symbols.map((x, k) => (batched[k] === true ? level.example(x) : x));
    return level.collect(withLevel(level, () => evaluateNodes(branch.graph.outputs, readsOf(branch, examples))));
  });
  return bindCond(name, index, operands, bodies);
}

/**
 * A choice for each example: all branches run, and each example takes its own. What flows back through a branch stops at
 * the examples that did not take it, so that a NaN of a branch not taken reaches nobody.
 */
function chosen(
  { branches }: CondSpec,
  index: Tensor,
  operands: readonly Tensor[],
  batched: readonly boolean[],
  { size, axisName }: BatchAxis,
): readonly Tensor[] {
  const level = new Batch("cond", size, axisName);
  const guarded = mayBeDifferentiated();
  const example = level.example(index);
  const examples = operands.map((x, k) => (batched[k] === true ? level.example(x) : x));
  return level.collect(
    withLevel(level, () => {
      let results: Tensor[] = [];
      branches.forEach((branch, number) => {
        const taken = equal(example, number);
        const own = readsOf(branch, examples).map((x) =>
          guarded && isFloat(x.dtype) ? where(taken, x, stopGradient(x)) : x,
        );
        const outputs = evaluateNodes(branch.graph.outputs, own);
        results = number === 0 ? outputs : outputs.map((output, k) => where(taken, output, results[k] ?? output));
      });
      return results;
    }),
  );
}

/** True if a tape or a forward level may see these ops, now or when a graph is traced again. */
function mayBeDifferentiated(): boolean {
  for (let frame = currentFrame(); frame !== undefined; frame = frame.below)
    if (!(frame.level instanceof Capture) || frame.level.lifted !== undefined) return true;
  return false;
}
