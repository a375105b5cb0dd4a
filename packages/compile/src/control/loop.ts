import { contiguous, Storage, type DeviceBuffer } from "@jnx/tensor/internal";
import type { Tensor } from "@jnx/tensor";
import type { Graph } from "../graph.ts";
import { printGraph } from "../print.ts";
import type { RunOptions } from "../program.ts";
import type { Runnable } from "../segments.ts";
import { programOf } from "./bodies.ts";
import { freeRooms, moveRow, room, roomForRows, rowOf, stackedRows } from "./buffers.ts";
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
  const program = (gated: boolean): Runnable => programOf(body, "scan", gated ? ifEqual(1) : undefined);
  return {
    avals: () =>
      body.outputs.map(({ shape, dtype }, k) => ({
        shape: k < carries ? shape : [length, ...shape],
        dtype,
        weak: false,
      })),
    run: (inputs, region) => runLoop(spec, program(region !== undefined), inputs, region),
    cost: () => ({ bodies: length === 0 ? [] : [{ report: program(false).report, times: length }], gates: 0 }),
    warmup: () => program(false).warmup(),
    text: () => ` ${length} times${reverse ? " in reverse" : ""}, ${carries} carried:\n${printGraph(body)}`,
  };
}

function runLoop(
  { body, carries, xs, length, reverse }: ScanSpec,
  program: Runnable,
  operands: readonly Tensor[],
  region: DeviceBuffer | undefined,
): Tensor[] {
  const stacks = operands.slice(carries, carries + xs).map(stackedRows);
  const constants = operands.slice(carries + xs).map(contiguous);
  const results = body.outputs.slice(0, carries);
  const stored = body.outputs.slice(carries).map((row) => roomForRows(row, length, "scan"));
  // Each step reads one set and writes the other.
  const sets = [0, 1].map(() => results.map((aval) => room(aval, "scan")));
  const rows = operands.slice(carries, carries + xs).map((stack) => room(rowOf(stack), "scan"));
  const written = body.outputs.slice(carries).map((row) => room(row, "scan"));
  const scratch = region === undefined ? undefined : new Storage(STATE_BYTES, "scan (state)");
  const options: RunOptions = { flush: false, ...(region && scratch && { gate: gateIn(region, scratch.buffer()) }) };
  let carry: readonly Tensor[] = operands.slice(0, carries);
  for (let step = 0; step < length; step++) {
    const index = reverse ? length - 1 - step : step;
    rows.forEach((row, k) => moveRow(row, stacks[k], index, row, 0));
    const next = sets[step % 2] ?? [];
    program.run([...carry, ...rows, ...constants], { ...options, into: [...next, ...written] });
    written.forEach((row, k) => moveRow(row, row, 0, stored[k], index));
    carry = next;
  }
  const last = new Set(carry);
  freeRooms([...sets.flat().filter((one) => !last.has(one)), ...rows, ...written], "a loop has gone past this value");
  scratch?.free("a loop is over");
  return [...carry, ...stored];
}

/** What runs while its region does. */
export function gateIn(region: DeviceBuffer, scratch: DeviceBuffer): NonNullable<RunOptions["gate"]> {
  return { region, choice: region, state: scratch };
}
