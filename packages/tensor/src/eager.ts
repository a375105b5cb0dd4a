import type { Expr, Output, Step } from "./lower/expr.ts";
import { executor } from "./device/current.ts";
import type { DeviceBuffer } from "./device/executor.ts";
import { BYTES_PER_ELEMENT, packedBits } from "./dtype.ts";
import { TracedTensorError } from "./errors.ts";
import { lowerCopy } from "./lower/copy.ts";
import { lowerKernel } from "./lower/kernel.ts";
import { lowerMap } from "./lower/lower.ts";
import { lowerReduce } from "./lower/reduce.ts";
import type { KernelOp, MapOp, OpDef, ReduceOp, ViewOp } from "./op.ts";
import { filledArray, roundTo } from "./packing.ts";
import { shapeText, sizeOf } from "./shape.ts";
import { keepRecipe, recall, recipeKey, recipesOf, remember, type Recipe, type Recipes } from "./recipes.ts";
import { checkedBytes, checkElements } from "./sizes.ts";
import { Storage } from "./storage.ts";
import { deviceStorage, originOf, Tensor, type Aval } from "./tensor.ts";
import { at, contiguousView, isContiguous, type View } from "./view.ts";

/** The bottom interpreter: allocates the result, links the kernel, queues it. Nothing is submitted or read here. */
export function evaluate<A>(op: OpDef<A>, inputs: readonly Tensor[], attrs: A): Tensor {
  // Views have no recipes to find.
  const recipes = recipesOf(op);
  const known = op.kind === "view" ? undefined : recall(recipes, inputs, attrs);
  if (known !== undefined) {
    const { stored } = known;
    const storages: Storage[] = [];
    for (let k = 0; k < stored.length; k++) storages.push(deviceStorage(at(inputs, at(stored, k))));
    return perform(op.name, known.recipe, storages);
  }
  const aval = op.infer(inputs, attrs);
  refuseTraced(op.name, inputs);
  const folded = foldLiterals(op, inputs, attrs);
  if (folded !== undefined) return literalOf(aval, folded);
  checkElements(op.name, aval);
  if (op.kind === "view") return evaluateView(op, inputs, attrs, aval);
  if (sizeOf(aval.shape) === 0) return literalOf(aval, 0);
  const operands = op.kind === "kernel" ? settled(op, inputs, attrs) : inputs;
  const work = new EagerWork(op.name, resultOf(op.name, aval), operands);
  // A kernel binds its operands; an empty one is given a storage of the moment.
  const lasting = op.kind !== "kernel" || operands.every((operand) => operand.payload.kind === "device");
  const key = lasting ? recipeKey(operands, attrs) : undefined;
  const recipe = work.recipe(recipes, key, () => stepsOf(op, operands, attrs, aval, work));
  if (key !== undefined && operands.every((operand, k) => operand === inputs[k]))
    remember(recipes, inputs, attrs, recipe);
  return work.run(recipe);
}

/** A kernel op and a map of its result and another array of that shape in one launch, as a compiled step would run them. */
export function evaluateThen<A>(
  op: KernelOp<A>,
  inputs: readonly Tensor[],
  attrs: A,
  then: MapOp<undefined>,
  other: Tensor,
): Tensor {
  const aval = op.infer(inputs, attrs);
  refuseTraced(op.name, [...inputs, other]);
  checkElements(op.name, aval);
  const operands = settled(op, inputs, attrs);
  const all = [...operands, other];
  const work = new EagerWork(op.name, resultOf(op.name, aval), all);
  const known = recipeKey(all, attrs);
  const key = known === undefined ? undefined : `${then.name}+${known}`;
  const recipe = work.recipe(recipesOf(op), key, () => {
    const { dtype, shape } = aval;
    const args: Expr[] = [{ kind: "result", dtype }, work.operand(other)];
    const expr: Expr = { kind: "map", op: then, attrs: undefined, args, dtype, view: contiguousView(shape) };
    return kernelSteps(op, operands, attrs, aval, work, expr);
  });
  return work.run(recipe);
}

function stepsOf<A>(
  op: MapOp<A> | ReduceOp<A> | KernelOp<A>,
  operands: readonly Tensor[],
  attrs: A,
  aval: Aval,
  work: EagerWork,
): readonly Step[] {
  if (op.kind === "map") return [mapStep(op, operands, attrs, aval, work)];
  if (op.kind === "reduce") return reduceSteps(op, operands, attrs, aval, work);
  return kernelSteps(op, operands, attrs, aval, work);
}

function literalOf(aval: Aval, value: number): Tensor {
  return new Tensor(aval, { kind: "literal", value: roundTo(aval.dtype, value) });
}

/** The one value of the result, if all operands are literals and the op can tell. */
function foldLiterals<A>(op: OpDef<A>, inputs: readonly Tensor[], attrs: A): number | undefined {
  if (op.fold === undefined) return undefined;
  const values = inputs.flatMap(({ payload }) => (payload.kind === "literal" ? [payload.value] : []));
  return values.length === inputs.length ? op.fold(values, inputs, attrs) : undefined;
}

/** Elements in row-major order from the start of a storage of their own: the tensor itself if it already is so. */
export function contiguous(tensor: Tensor): Tensor {
  const { payload } = tensor;
  if (
    payload.kind === "symbolic" ||
    (payload.kind === "device" && isContiguous(payload.view) && payload.view.offset === 0)
  )
    return tensor;
  return tensor.size === 0 ? tensor : copy(tensor);
}

/** The same elements in a storage of their own, row-major. */
export function copy(tensor: Tensor): Tensor {
  const work = new EagerWork("copy", resultOf("copy", tensor), [tensor]);
  const { payload } = tensor;
  if (payload.kind === "literal") {
    const filled = work.run(work.recipeOf([]));
    // Filled from the host: a kernel for each literal would cost a pipeline.
    executor().write(storageOf(filled).buffer(), filledArray(tensor.dtype, payload.value, tensor.size));
    return filled;
  }
  if (payload.kind === "symbolic") throw leaked("copy", tensor);
  const { storage, view } = payload;
  const elements = storage.bytes / BYTES_PER_ELEMENT;
  const copy = { from: work.slot(storage), elements, to: work.resultSlot, dtype: tensor.dtype, view };
  return work.run(work.recipeOf(lowerCopy("copy", copy, executor().limits)));
}

/** A result as a storage of its own holds it. */
type Result = Pick<Recipe, "aval" | "view" | "bytes">;

function resultOf(label: string, { shape, dtype, weak }: Aval): Result {
  const aval = { shape, dtype, weak };
  return { aval, view: contiguousView(shape), bytes: checkedBytes(label, "a result", aval, executor().limits) };
}

/** The storages one op works on, numbered: its result, then the operands', then workspaces. */
class EagerWork {
  readonly resultSlot = 0;
  readonly #workspaces: number[] = [];
  readonly #operands: Storage[] = [];
  readonly #label: string;
  readonly #result: Result;

  constructor(label: string, result: Result, operands: readonly Tensor[]) {
    this.#label = label;
    this.#result = result;
    for (const { payload } of operands) if (payload.kind === "device") this.slot(payload.storage);
  }

  slot(storage: Storage): number {
    const known = this.#operands.indexOf(storage);
    return 1 + (known >= 0 ? known : this.#operands.push(storage) - 1);
  }

  /** An input as the kernel reads it: a literal from the uniform, anything else from its storage. */
  operand(tensor: Tensor): Expr {
    const { payload } = tensor;
    if (payload.kind === "literal") return { kind: "literal", dtype: tensor.dtype, value: payload.value };
    if (payload.kind === "symbolic") throw leaked(this.#label, tensor);
    return { kind: "load", slot: this.slot(payload.storage), dtype: tensor.dtype, view: payload.view };
  }

  workspace(bytes: number): number {
    return this.#operands.length + this.#workspaces.push(bytes);
  }

  /** The recipe kept under a key, or the one that `make` gives; without a key it serves once. */
  recipe(recipes: Recipes, key: string | undefined, make: () => readonly Step[]): Recipe {
    const known = key === undefined ? undefined : recipes.byKey.get(key);
    if (known !== undefined) return known;
    const recipe = this.recipeOf(make());
    if (key !== undefined) keepRecipe(recipes, key, recipe);
    return recipe;
  }

  recipeOf(steps: readonly Step[]): Recipe {
    return { steps, workspaces: this.#workspaces, ...this.#result };
  }

  run(recipe: Recipe): Tensor {
    return perform(this.#label, recipe, this.#operands);
  }
}

/** Allocates the result and queues the steps; `operands` are the storages numbered from 1 on. */
function perform(label: string, recipe: Recipe, operands: readonly Storage[]): Tensor {
  const { steps, workspaces, aval, view, bytes } = recipe;
  const device = executor();
  const storage = new Storage(bytes, label);
  const buffers: DeviceBuffer[] = [];
  for (let k = 0; k < operands.length; k++) buffers.push(at(operands, k).buffer());
  const result = storage.buffer(buffers);
  const temporaries: Storage[] = [];
  for (let k = 0; k < workspaces.length; k++) {
    const temporary = new Storage(at(workspaces, k), `${label} (workspace)`);
    temporaries.push(temporary);
    buffers.push(temporary.buffer());
  }
  for (let k = 0; k < steps.length; k++) {
    const { label, kernel, slots, uniforms, grid } = at(steps, k);
    const used: DeviceBuffer[] = [];
    for (let j = 0; j < slots.length; j++) used.push(slots[j] === 0 ? result : at(buffers, at(slots, j) - 1));
    device.run({ label, kernel, buffers: used, uniforms, grid });
  }
  for (let k = 0; k < operands.length; k++) at(operands, k).unload();
  for (let k = 0; k < temporaries.length; k++) at(temporaries, k).free(`the workspace of ${label} is gone`);
  return new Tensor(aval, { kind: "device", storage, view });
}

function mapStep<A>(op: MapOp<A>, inputs: readonly Tensor[], attrs: A, aval: Aval, work: EagerWork): Step {
  const args = inputs.map((input) => work.operand(input));
  const expr: Expr = { kind: "map", op, attrs, args, dtype: aval.dtype, view: contiguousView(aval.shape) };
  return lowerMap(op.name, aval.shape, [{ slot: work.resultSlot, dtype: aval.dtype, expr }], executor().limits);
}

function reduceSteps<A>(op: ReduceOp<A>, inputs: readonly Tensor[], attrs: A, aval: Aval, work: EagerWork): Step[] {
  const input = only(op.name, inputs);
  const { dtype } = aval;
  const outputs: Output[] = [{ slot: work.resultSlot, dtype, expr: { kind: "result", dtype } }];
  const reduction = {
    shape: input.shape,
    expr: work.operand(input),
    axes: op.axes(attrs),
    dtype,
    resultShape: aval.shape,
    outputs,
    workspace: (bytes: number) => work.workspace(bytes),
  };
  return lowerReduce(op.name, op.combine, reduction, executor().limits);
}

/** Operands as a kernel takes them: in memory, and laid out in a way that it accepts. */
function settled<A>(op: KernelOp<A>, inputs: readonly Tensor[], attrs: A): readonly Tensor[] {
  return inputs.map((input, k) => {
    const stored = materialize(input);
    const { payload } = stored;
    // What is packed is unpacked on the way, and so laid out anew.
    const fits =
      packedBits(stored.dtype) !== undefined || payload.kind !== "device" || op.accepts(payload.view, k, attrs);
    return fits ? stored : contiguous(stored);
  });
}

function kernelSteps<A>(
  op: KernelOp<A>,
  operands: readonly Tensor[],
  attrs: A,
  aval: Aval,
  work: EagerWork,
  expr: Expr = { kind: "result", dtype: aval.dtype },
): readonly Step[] {
  const { dtype, shape } = aval;
  return lowerKernel(
    op.name,
    {
      op,
      attrs,
      operands: operands.map((operand) => ({
        slot: work.slot(storageOf(operand)),
        aval: operand,
        view: viewOf(operand),
      })),
      result: { shape, dtype },
      outputs: [{ slot: work.resultSlot, dtype, expr }],
      workspace: (bytes) => work.workspace(bytes),
    },
    executor().limits,
  );
}

function evaluateView<A>(op: ViewOp<A>, inputs: readonly Tensor[], attrs: A, aval: Aval): Tensor {
  const input = only(op.name, inputs);
  const { payload } = input;
  if (payload.kind === "literal") return new Tensor(aval, payload);
  if (payload.kind === "symbolic") throw leaked(op.name, input);
  payload.storage.checkAlive();
  const view = op.view(payload.view, attrs);
  if (view !== undefined) return new Tensor(aval, { kind: "device", storage: payload.storage, view });
  const copy = contiguous(input);
  const copied = op.view(viewOf(copy), attrs);
  if (copied === undefined) throw new Error(`jnx internal error: ${op.name} has no view of a contiguous array`);
  return new Tensor(aval, { kind: "device", storage: storageOf(copy), view: copied });
}

/** A tensor with a storage: literals are written out. Kernels with fixed operands need that. */
function materialize(tensor: Tensor): Tensor {
  return tensor.payload.kind === "literal" && tensor.size > 0 ? contiguous(tensor) : tensor;
}

function storageOf(tensor: Tensor): Storage {
  const { payload } = tensor;
  if (payload.kind === "device") return payload.storage;
  return new Storage(0, "empty");
}

function viewOf(tensor: Tensor): View {
  const { payload } = tensor;
  return payload.kind === "device" ? payload.view : contiguousView(tensor.shape);
}

function only(name: string, inputs: readonly Tensor[]): Tensor {
  const [input] = inputs;
  if (input === undefined) throw new Error(`jnx internal error: ${name} has no input`);
  return input;
}

function refuseTraced(name: string, inputs: readonly Tensor[]): void {
  for (const input of inputs) if (input.payload.kind === "symbolic") throw leaked(name, input);
}

function leaked(name: string, tensor: Tensor): TracedTensorError {
  return new TracedTensorError(
    `${name}: received ${originOf(tensor)}, a ${tensor.dtype}${shapeText(tensor.shape)}, a value that existed only while a function was being traced; ` +
      "it leaked out of that function: return it instead of storing it",
  );
}
