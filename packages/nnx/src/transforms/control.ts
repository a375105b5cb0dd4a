import { cond as choose, foriLoop as count, laxSwitch, whileLoop as repeat, type WhileOptions } from "@jnx/compile";
import { ArgumentError, ShapeError, type Tensor, type TensorLike } from "@jnx/tensor";
import { sameShape, type AnyFunction, checkKeys } from "@jnx/tensor/internal";
import { GraphError } from "../errors.ts";
import { carriedData, checkSameStructure, lastOutputs, sameKind } from "./carried.ts";
import { checkUnbound } from "./lift.ts";
import { callLifted, Lifted, placeOf, type Run } from "./lifted.ts";

/**
 * trueFun(...operands) where `pred` is true, else falseFun(...operands), over objects: what the branch that is taken
 * writes into Variables of the operands is written. Both are traced, and must give the same structure.
 *
 * @throws GraphError when a branch changes the structure of an operand, ArgumentError or ShapeError when the branches
 * give different things. Source: flax.nnx.cond.
 * @example
 * const layer = new nnx.Linear(2, 2, { rngs: new nnx.Rngs(0) });
 * const apply = (net: nnx.Linear, v: Tensor): Tensor => net.call(v);
 * nnx.cond(array(1), apply, (_net: nnx.Linear, v: Tensor) => v, layer, x).shape; // [3, 2]
 */
export function cond<A extends readonly unknown[], R>(
  pred: TensorLike,
  trueFun: (...operands: A) => R,
  falseFun: (...operands: A) => R,
  ...operands: A
): R {
  const branches = [falseFun, trueFun];
  const names = ["falseFun", "trueFun"];
  return branched("cond", names, branches, operands, ([no, yes], tensors) =>
    choose(pred, yes ?? missing(), no ?? missing(), tensors),
  ) as R; // what the branches give
}

/**
 * branches[index](...operands) over objects, `index` held between 0 and the last branch; otherwise as {@link cond}. In the
 * namespace `nnx` its name is `switch`.
 *
 * @throws as {@link cond}. Source: flax.nnx.switch.
 * @example
 * const branches = [(net: MLP, v: Tensor) => net.call(v), (_net: MLP, v: Tensor) => sum(v, { axis: 1, keepdims: true })];
 * nnx.switch(array(1), branches, model, x); // [[2], [2], [2]]
 */
export function switchBranch<A extends readonly unknown[], R>(
  index: TensorLike,
  branches: readonly ((...operands: A) => R)[],
  ...operands: A
): R {
  const names = branches.map((_, k) => `branch ${k}`);
  return branched("switch", names, branches, operands, (pure, tensors) => laxSwitch(index, pure, tensors)) as R; // as above
}

type Outputs = readonly [ends: Tensor[], result: Tensor[]];
type Branch = (tensors: readonly Tensor[]) => Outputs;

function branched(
  name: string,
  names: readonly string[],
  branches: readonly AnyFunction[],
  operands: readonly unknown[],
  choice: (branches: readonly Branch[], tensors: readonly Tensor[]) => Outputs,
): unknown {
  for (const f of branches) checkUnbound(name, f);
  const lifted = new Lifted(name, operands);
  return callLifted(lifted, () => {
    const runs: Run[] = [];
    const pure = branches.map((f, k): Branch => {
      return (tensors) => {
        const run = lifted.run(f, tensors);
        checkSameStructure(lifted, run);
        const [first] = runs.filter((_, other) => other !== k);
        if (first !== undefined) checkAlike(lifted, run, first, names[k] ?? "");
        runs[k] = run;
        return [[...run.ends], resultOf(run)];
      };
    });
    const [ends, result] = choice(pure, lifted.tensors);
    const known = runs.filter((run) => run !== undefined);
    const last = known.at(-1) ?? missing();
    const seen = new Set<unknown>();
    // A Variable is written if any branch writes it.
    const written = known.flatMap(({ slots }) =>
      slots.filter((slot) => {
        if (slot.side === "result" || seen.has(slot.cell?.variable ?? slot.at.concat(slot.path).join(".")))
          return false;
        seen.add(slot.cell?.variable ?? slot.at.concat(slot.path).join("."));
        return true;
      }),
    );
    const run = { ...last, slots: [...written, ...last.slots.filter(({ side }) => side === "result")] };
    return lifted.finish(run, lastOutputs(lifted, run, ends, result));
  });
}

function resultOf({ slots }: Run): Tensor[] {
  return slots.filter(({ side }) => side === "result").map(({ tensor }) => tensor);
}

function checkAlike(lifted: Lifted, run: Run, first: Run, branch: string): void {
  const { name } = lifted;
  if (structureText(run) !== structureText(first))
    throw new ArgumentError(
      `${name}: the branches must give the same structure; ${branch} gives ${structureText(run)}, another ${structureText(first)}`,
    );
  run.ends.forEach((end, k) => {
    const slot = lifted.inputs[k] ?? missing();
    checkType(name, `leave ${placeOf(slot)} with`, end, first.ends[k] ?? end);
  });
  const others = resultOf(first);
  const slots = run.slots.filter(({ side }) => side === "result");
  slots.forEach((slot, k) => checkType(name, `give for ${placeOf(slot)}`, slot.tensor, others[k] ?? slot.tensor));
}

function structureText({ result }: Run): string {
  return result.text;
}

function checkType(name: string, what: string, one: Tensor, other: Tensor): void {
  if (sameShape(one.shape, other.shape) && (one.dtype === other.dtype || one.weak || other.weak)) return;
  const [a, b] = [one, other].map(({ dtype, shape }) => `${dtype}[${shape.join(", ")}]`);
  throw new ShapeError(`${name}: the branches ${what} different types, ${a} and ${b}; make them the same`);
}

/** A body as a function of tensors: the next value of every input. */
function stepOf(lifted: Lifted, f: AnyFunction, initial: unknown, note: (run: Run) => void): AnyFunction {
  return (tensors: readonly Tensor[]): Tensor[] => {
    const run = lifted.run(f, tensors);
    checkSameStructure(lifted, run);
    note(run);
    const data = carriedData(lifted.name, initial, run.returned);
    return lifted.inputs.map((slot, k) => {
      const end = slot.cell === undefined ? data.shift() : run.ends[k];
      return sameKind(lifted.name, slot, tensors[k] ?? missing(), end ?? missing());
    });
  };
}

function loopResult<V>(lifted: Lifted, run: Run | undefined, last: readonly Tensor[], init: V): V {
  // A loop of no steps has not looked at its body.
  if (run === undefined) return init;
  const data = last.filter((_, k) => lifted.inputs[k]?.cell === undefined);
  return lifted.finish(run, lastOutputs(lifted, run, last, data)) as V; // the carry that the body gives back
}

/**
 * body(i, value) for i = lower, …, upper − 1, starting from init, over objects, which the body must give back as they
 * were passed: what it writes into their Variables goes on from step to step. Bounds on the device make it a `whileLoop`.
 *
 * @throws GraphError when the body gives another object or changes a structure, ShapeError when a carry changes.
 * Source: flax.nnx.fori_loop.
 * @example
 * const count = new nnx.Variable(array(0.5));
 * nnx.foriLoop(0, 4, (_i: Tensor, one: nnx.Variable) => {
 *   one.value = mul(one, 2);
 *   return one;
 * }, count);
 * await count.value.item(); // 8
 */
export function foriLoop<V>(
  lower: TensorLike,
  upper: TensorLike,
  body: (i: Tensor, value: V) => V,
  init: V,
  options: WhileOptions = {},
): V {
  checkKeys("foriLoop", options, "maxIterations");
  checkUnbound("foriLoop", body);
  const lifted = new Lifted("foriLoop", [init]);
  return callLifted(lifted, () => {
    let run: Run | undefined;
    const step = (i: Tensor, tensors: Tensor[]): Tensor[] =>
      stepOf(
        lifted,
        (value: V) => body(i, value),
        init,
        (one) => (run = one),
      )(tensors);
    const last = count(lower, upper, step, lifted.tensors, options);
    return loopResult(lifted, run, last, init);
  });
}

/**
 * body(value) as long as condFun(value) is true, starting from init, over objects, which the body must give back as they
 * were passed. How many steps there are need not be known on the host; `maxIterations`, 1000 unless given, bounds them, and
 * to reach it is an error where the result is read: see `lax.whileLoop`.
 *
 * @throws as {@link foriLoop}; GraphError when condFun writes. Source: flax.nnx.while_loop.
 * @example
 * const state = { count: new nnx.Variable(array(0.5)) };
 * const doubled = (one: typeof state): typeof state => {
 *   one.count.value = mul(one.count, 2);
 *   return one;
 * };
 * nnx.whileLoop((one: typeof state) => less(one.count, 10), doubled, state);
 * await state.count.value.item(); // 16
 */
export function whileLoop<V>(
  condFun: (value: V) => TensorLike,
  body: (value: V) => V,
  init: V,
  options: WhileOptions = {},
): V {
  checkKeys("whileLoop", options, "maxIterations");
  checkUnbound("whileLoop", condFun);
  checkUnbound("whileLoop", body);
  const lifted = new Lifted("whileLoop", [init]);
  return callLifted(lifted, () => {
    let run: Run | undefined;
    const test = (tensors: Tensor[]): Tensor => {
      const { slots } = lifted.run(condFun, tensors);
      const [result] = slots.filter(({ side }) => side === "result");
      const [written] = slots.filter(({ side }) => side === "argument");
      if (written !== undefined)
        throw new GraphError(`whileLoop: condFun writes ${placeOf(written)}, which would be lost; write in the body`);
      return result?.tensor ?? missing();
    };
    const step = stepOf(lifted, body, init, (one) => (run = one));
    const last = repeat(test, step, lifted.tensors, options);
    return loopResult(lifted, run, last, init);
  });
}

function missing(): never {
  throw new Error("jnx internal error: a branch or loop has fewer tensors than places");
}
