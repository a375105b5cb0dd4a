import { copy, deviceStorage, expectZero, Storage, type DeviceBuffer } from "@jnx/tensor/internal";
import { executor, type Aval, type Executor, type Tensor } from "@jnx/tensor";
import type { Graph } from "../graph.ts";
import { ownStorage } from "../own-storage.ts";
import { printGraph } from "../print.ts";
import type { Runnable } from "../segments.ts";
import { programOf } from "./bodies.ts";
import { freeRooms, room } from "./buffers.ts";
import { close } from "./closed.ts";
import type { DeviceCall } from "./device-call.ts";
import { gateIn } from "./loop.ts";
import { alwaysActive, COUNT_ON, GateProgram, ifEqual, IF_ODD, STATE_BYTES, SUM_UP } from "./gate.ts";

/** A loop until a condition fails. Inputs are the carry, then constants. */
export interface WhileSpec {
  readonly name: string;
  readonly carries: readonly Aval[];
  /** The carry and constants: whether to go on, for the first round. */
  readonly test: Graph;
  /** The carry and constants: the next carry, and whether to go on from there. */
  readonly round: Graph;
  readonly maxIterations: number;
  /** What is thrown if that is not enough; made at the user's call. */
  readonly error: Error;
}

/**
 * A loop on the device: as many rounds as are allowed are queued at once, each behind a gate that looks at what the round
 * before it found. Rounds go from one set of buffers to another and back; after an odd number the result is moved.
 */
export function whileCall(spec: WhileSpec): DeviceCall {
  const { name, carries, test, round, maxIterations } = spec;
  const identity = close(name, carries, (carry) => carry).graph;
  const first = (): Runnable => programOf(test, name, { gate: ifEqual(1) });
  const rounds = (): Runnable => programOf(round, name, { gate: ifEqual(1, COUNT_ON) });
  const mover = (): Runnable => programOf(identity, `${name} (result)`, { gate: IF_ODD });
  return {
    avals: () => carries,
    run: (inputs, region) => runWhile(spec, { rounds: rounds(), mover: mover() }, inputs, region),
    cost: () => ({
      bodies: [
        { report: first().report, times: 1 },
        { report: rounds().report, times: maxIterations },
        { report: mover().report, times: 1 },
      ],
      gates: 2,
    }),
    warmup: async () => {
      await Promise.all([first(), rounds(), mover()].map((program) => program.warmup()));
    },
    graphs: () => [test, round],
    text: () =>
      ` at most ${maxIterations} times, ${carries.length} carried:\nwhile:\n${printGraph(test)}\ndo:\n${printGraph(round)}`,
  };
}

interface Programs {
  readonly rounds: Runnable;
  readonly mover: Runnable;
}

/** Two of everything that a round reads and the next one writes. */
interface Sides {
  readonly carry: readonly Tensor[];
  readonly flag: Tensor;
  readonly state: Storage;
}

function runWhile(
  spec: WhileSpec,
  { rounds, mover }: Programs,
  inputs: readonly Tensor[],
  region: DeviceBuffer | undefined,
): Tensor[] {
  const { name, carries, test, maxIterations, error } = spec;
  const around = region ?? alwaysActive();
  const constants = inputs.slice(carries.length);
  // The first side becomes the result; it starts as a copy, for what came in is somebody else's.
  const own = inputs.slice(0, carries.length).map((x) => (x.size === 0 ? x : copy(x)));
  const [even, odd] = [
    sideOf(name, own),
    sideOf(
      name,
      carries.map((aval) => room(aval, name)),
    ),
  ];
  const scratch = odd.state.buffer();
  programOf(test, name, { gate: ifEqual(1) }).run(inputs, {
    flush: false,
    gate: gateIn(around, scratch),
    into: [even.flag],
  });
  const { begin, over } = gatesOf(name);
  begin.run({ region: around, choice: bufferOf(even.flag), state: even.state.buffer() });
  let [from, to] = [even, odd];
  for (let k = 0; k < maxIterations; k++) {
    const gate = { region: from.state.buffer(), choice: bufferOf(from.flag), state: to.state.buffer() };
    rounds.run([...from.carry, ...constants], { flush: false, gate, into: [...to.carry, to.flag] });
    [from, to] = [to, from];
  }
  const state = from.state.buffer();
  // Going on after the last round is an error, which whoever waits for the device next is told.
  const limit = limitOf(spec);
  over.run({ region: state, choice: bufferOf(from.flag), state: limit.buffer() });
  expectZero(limit, error);
  mover.run(odd.carry, { flush: false, gate: { region: around, choice: state, state: to.state.buffer() }, into: own });
  freeRooms([...odd.carry, odd.flag, even.flag], "a loop is over");
  for (const one of [even.state, odd.state]) one.free("a loop is over");
  return own;
}

function sideOf(name: string, carry: readonly Tensor[]): Sides {
  const flag = room({ shape: [], dtype: "bool", weak: false }, name);
  return { carry, flag, state: new Storage(STATE_BYTES, `${name} (state)`) };
}

function bufferOf(flag: Tensor): DeviceBuffer {
  return deviceStorage(flag).buffer();
}

interface Owned {
  readonly begin: GateProgram;
  readonly over: GateProgram;
  readonly limits: Map<number, Storage>;
}

const owned = new WeakMap<Executor, Map<string, Owned>>();

/** What all loops of a name share on a device. */
function gatesOf(name: string): Owned {
  const known = owned.get(executor()) ?? new Map<string, Owned>();
  owned.set(executor(), known);
  const found = known.get(name) ?? {
    begin: new GateProgram(ifEqual(1), name),
    over: new GateProgram(ifEqual(1, SUM_UP), name),
    limits: new Map<number, Storage>(),
  };
  known.set(name, found);
  return found;
}

/** Where loops of this limit count how often they went over it. */
function limitOf({ name, maxIterations }: WhileSpec): Storage {
  const { limits } = gatesOf(name);
  const found = limits.get(maxIterations) ?? ownStorage(STATE_BYTES, `${name} (limit)`, new Uint32Array(2));
  limits.set(maxIterations, found);
  return found;
}
