import {
  BYTES_PER_ELEMENT,
  contiguous,
  contiguousView,
  deviceStorage,
  literal,
  sizeOf,
  Storage,
} from "@jnx/tensor/internal";
import { executor, Tensor, type Aval, type Executor } from "@jnx/tensor";
import type { Graph } from "../graph.ts";
import { printGraph } from "../print.ts";
import { compileGraph, type Runnable } from "../segments.ts";

/** A loop: a body of inputs [carry, one row of each xs, constants] and outputs [carry, one row of each ys]. */
export interface ScanSpec {
  readonly body: Graph;
  readonly carries: number;
  readonly xs: number;
  readonly length: number;
  readonly reverse: boolean;
}

/** Compiled bodies kept; the one unused for longest goes first. */
const BODIES_KEPT = 64;
const bodies = new WeakMap<Executor, Map<string, Runnable>>();
/** A graph's own, so that a loop of a compiled program does not print its body at every call. */
const compiled = new WeakMap<Graph, { readonly owner: Executor; readonly runnable: Runnable }>();

/** The body's program. Bodies that read the same compile once: an eager loop traces its function anew at every call. */
function programOf(body: Graph): Runnable {
  const owner = executor();
  const own = compiled.get(body);
  if (own?.owner === owner) return own.runnable;
  const known = bodies.get(owner) ?? new Map<string, Runnable>();
  bodies.set(owner, known);
  // Calls are told apart by identity alone.
  const calls = body.nodes.some((node) => node.kind === "result");
  const text = `${printGraph(body)} ${body.inputs.map((input) => (input.weak ? "*" : ".")).join("")}`;
  const found = calls ? undefined : known.get(text);
  const runnable =
    found ??
    compileGraph(
      body,
      body.inputs.map(() => false),
      "scan",
    );
  compiled.set(body, { owner, runnable });
  if (calls) return runnable;
  known.delete(text);
  known.set(text, runnable);
  if (known.size > BODIES_KEPT) known.delete([...known.keys()][0] ?? "");
  return runnable;
}

const bytesOf = ({ shape }: Aval): number => sizeOf(shape) * BYTES_PER_ELEMENT;

/** Runs a loop on the device: the body's program once for each row, queued without waiting. */
export function runLoop(spec: ScanSpec, operands: readonly Tensor[]): Tensor[] {
  const { body, carries, xs, length, reverse } = spec;
  const program = programOf(body);
  let carry = operands.slice(0, carries);
  const stacks = operands.slice(carries, carries + xs).map(contiguous);
  const constants = operands.slice(carries + xs).map(contiguous);
  const rows = body.outputs.slice(carries);
  const stored = rows.map((row) => stackOf(row, length));
  const born = new Set<Storage>();
  for (let step = 0; step < length; step++) {
    const index = reverse ? length - 1 - step : step;
    const row = stacks.map((stack) => rowOf(stack, index));
    const outputs = program.run([...carry, ...row, ...constants], { flush: false });
    rows.forEach((_, k) => storeRow(outputs[carries + k], stored[k], index));
    const next = outputs.slice(0, carries);
    const kept = new Set([...next, ...operands].flatMap(storageOf));
    for (const tensor of [...row, ...outputs]) for (const storage of storageOf(tensor)) born.add(storage);
    for (const storage of born) {
      if (kept.has(storage) || storage.pins > 0) continue;
      storage.free("a loop has gone past this value");
      born.delete(storage);
    }
    carry = next;
  }
  return [...carry, ...stored];
}

function storageOf({ payload }: Tensor): Storage[] {
  return payload.kind === "device" ? [payload.storage] : [];
}

/** Room for one row after another. */
function stackOf(row: Aval, length: number): Tensor {
  const shape = [length, ...row.shape];
  if (sizeOf(shape) === 0) return literal(0, shape, row.dtype);
  const storage = new Storage(bytesOf({ ...row, shape }), "scan");
  return new Tensor({ shape, dtype: row.dtype, weak: false }, { kind: "device", storage, view: contiguousView(shape) });
}

/** Row `index` in a storage of its own, as kernels expect their operands. */
function rowOf(stack: Tensor, index: number): Tensor {
  const { dtype, payload } = stack;
  const shape = stack.shape.slice(1);
  if (payload.kind !== "device") return literal(payload.kind === "literal" ? payload.value : 0, shape, dtype);
  const bytes = sizeOf(shape) * BYTES_PER_ELEMENT;
  const storage = new Storage(bytes, "scan");
  executor().copyRange(payload.storage.buffer(), index * bytes, storage.buffer(), 0, bytes);
  return new Tensor({ shape, dtype, weak: false }, { kind: "device", storage, view: contiguousView(shape) });
}

function storeRow(row: Tensor | undefined, stack: Tensor | undefined, index: number): void {
  if (row === undefined || stack === undefined || row.size === 0) return;
  const bytes = bytesOf(row);
  const source = deviceStorage(contiguous(row));
  executor().copyRange(source.buffer(), 0, deviceStorage(stack).buffer(), index * bytes, bytes);
}
