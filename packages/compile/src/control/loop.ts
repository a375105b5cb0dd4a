import { bytesOf, contiguous, contiguousView, deviceStorage, Storage, type DeviceBuffer } from "@jnx/tensor/internal";
import { Tensor } from "@jnx/tensor";
import type { Graph } from "../graph.ts";
import { printGraph } from "../print.ts";
import type { RunOptions } from "../program.ts";
import type { Runnable } from "../segments.ts";
import { programOf } from "./bodies.ts";
import { duplicate, freeRooms, moveRow, room, roomForRows, rowOf, stackedRows } from "./buffers.ts";
import type { DeviceCall } from "./device-call.ts";
import { ifEqual, STATE_BYTES } from "./gate.ts";

/** A loop: a body of inputs [carry, one row of each xs, constants] and outputs [carry, one row of each ys]. */
export interface ScanSpec {
  readonly body: Graph;
  readonly carries: number;
  readonly xs: number;
  readonly length: number;
  readonly reverse: boolean;
}

/** A loop on the device: the body's program once for each row, queued without waiting. */
export function loopCall(spec: ScanSpec): DeviceCall {
  const { body, carries, length, reverse } = spec;
  const program = (gated: boolean): Runnable =>
    programOf(body, "scan", { gate: gated ? ifEqual(1) : undefined, inPlace: carries });
  return {
    avals: () =>
      body.outputs.map(({ shape, dtype }, k) => ({
        shape: k < carries ? shape : [length, ...shape],
        dtype,
        weak: false,
      })),
    run: (inputs, region, free = []) =>
      length === 0
        ? [...inputs.slice(0, carries).map((x) => duplicate(x, "scan")), ...stacksOf(spec)]
        : runLoop(spec, program(region !== undefined), inputs, region, free),
    cost: () => ({ bodies: length === 0 ? [] : [{ report: program(false).report, times: length }], gates: 0 }),
    warmup: () => program(false).warmup(),
    graphs: () => [body],
    text: () => ` ${length} times${reverse ? " in reverse" : ""}, ${carries} carried:\n${printGraph(body)}`,
  };
}

/** Room for the rows of each ys. */
function stacksOf({ body, carries, length }: ScanSpec): Tensor[] {
  return body.outputs.slice(carries).map((row) => roomForRows(row, length, "scan"));
}

function runLoop(
  spec: ScanSpec,
  program: Runnable,
  operands: readonly Tensor[],
  region: DeviceBuffer | undefined,
  free: readonly boolean[],
): Tensor[] {
  const { body, carries, xs, length, reverse } = spec;
  const stacks = operands.slice(carries, carries + xs).map(stackedRows);
  const constants = operands.slice(carries + xs).map(contiguous);
  const stored = stacksOf(spec);
  const { start, sets } = carriesOf(spec, program.inPlace, operands, free);
  const rows = operands.slice(carries, carries + xs).map((stack) => room(rowOf(stack), "scan"));
  const written = body.outputs.slice(carries).map((row) => room(row, "scan"));
  const scratch = region === undefined ? undefined : new Storage(STATE_BYTES, "scan (state)");
  const options: RunOptions = { flush: false, ...(region && scratch && { gate: gateIn(region, scratch.buffer()) }) };
  let carry = start;
  for (let step = 0; step < length; step++) {
    const index = reverse ? length - 1 - step : step;
    rows.forEach((row, k) => moveRow(row, stacks[k], index, row, 0));
    const into = [...(sets[step % 2] ?? []), ...written];
    carry = program.run([...carry, ...rows, ...constants], { ...options, into }).slice(0, carries);
    written.forEach((row, k) => moveRow(row, row, 0, stored[k], index));
  }
  const last = new Set(carry);
  const over = sets.flat().flatMap((one) => (one === undefined || last.has(one) ? [] : one));
  freeRooms([...over, ...rows, ...written], "a loop has gone past this value");
  scratch?.free("a loop is over");
  return [...carry, ...stored];
}

interface Carries {
  /** What the first step reads. */
  readonly start: readonly Tensor[];
  /** Where steps write in turn; undefined for carries that every step writes where it found them. */
  readonly sets: readonly (readonly (Tensor | undefined)[])[];
}

/** Each step reads one set and writes the other. An operand that nobody needs any more serves as one of them. */
function carriesOf(
  { body, carries }: ScanSpec,
  inPlace: readonly boolean[],
  operands: readonly Tensor[],
  free: readonly boolean[],
): Carries {
  const results = body.outputs.slice(0, carries);
  const start = results.map((_, k) => {
    const x = operands[k] ?? fail();
    if (x.size === 0) return x;
    if (free[k] === true) return takenOver(x);
    return inPlace[k] === true ? duplicate(x, "scan") : x;
  });
  const sets = [0, 1].map((turn) =>
    results.map((aval, k) => {
      if (inPlace[k] === true) return undefined;
      return turn === 1 && free[k] === true ? start[k] : room(aval, "scan");
    }),
  );
  return { start, sets };
}

/** The array in the same memory, which nobody else sees from now on. */
function takenOver(x: Tensor): Tensor {
  const own = contiguous(x);
  const { shape, dtype, weak } = own;
  const storage = deviceStorage(own).surrender(
    bytesOf(dtype, own.size),
    "scan",
    "this tensor's memory was taken over by a loop in a compiled function; read it before",
  );
  return new Tensor({ shape, dtype, weak }, { kind: "device", storage, view: contiguousView(shape) });
}

function fail(): never {
  throw new Error("jnx internal error: a loop lacks an operand");
}

/** What runs while its region does. */
export function gateIn(region: DeviceBuffer, scratch: DeviceBuffer): NonNullable<RunOptions["gate"]> {
  return { region, choice: region, state: scratch };
}
