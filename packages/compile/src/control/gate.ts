import { gate, link, packUniform } from "@jnx/kernels-wgsl";
import {
  BYTES_PER_ELEMENT,
  type DeviceBuffer,
  type Program,
  type ProgramStep,
  type Storage,
} from "@jnx/tensor/internal";
import { executor, type Executor } from "@jnx/tensor";
import { ownStorage } from "../own-storage.ts";

/** When a program runs: while its region does, and `(choice[at] & mask) == which`. See control/gate.wgsl. */
export interface GateSpec {
  readonly at: number;
  readonly mask: number;
  readonly which: number;
  readonly counting: number;
}

/** How a gate counts: not at all, what its region counted and itself, or itself call after call. */
export const [NO_COUNT, COUNT_ON, SUM_UP] = [0, 1, 2] as const;

/** All bits of the word chosen by. */
const WHOLE = 0xffffffff;

/** Runs if the choice is this number. */
export function ifEqual(which: number, counting: number = NO_COUNT): GateSpec {
  return { at: 0, mask: WHOLE, which, counting };
}

/** Runs after an odd number of rounds, by the count of their state. */
export const IF_ODD: GateSpec = { at: 1, mask: 1, which: 1, counting: NO_COUNT };

/** What a gate reads, and the state [active, count] that it writes: another buffer. */
export interface GateBuffers {
  readonly region: DeviceBuffer;
  readonly choice: DeviceBuffer;
  readonly state: DeviceBuffer;
}

/** Bytes of a state. */
export const STATE_BYTES = 2 * BYTES_PER_ELEMENT;
const GRID_WORDS = 3;
const GATE_SLOTS = 5;

/** The launch that decides whether the steps of a program run, and its part of the program's slots, from `first` on. */
export class Gate {
  readonly slots = GATE_SLOTS;
  readonly steps: readonly ProgramStep[];
  readonly #first: number;
  readonly #grids: Storage;
  readonly #args: Storage;

  constructor(spec: GateSpec, steps: readonly ProgramStep[], first: number, label: string) {
    const words = Uint32Array.from(steps.flatMap((step) => (step.kind === "launch" ? step.grid : [0, 0, 0])));
    const bytes = Math.max(1, steps.length) * GRID_WORDS * BYTES_PER_ELEMENT;
    this.#first = first;
    this.#grids = ownStorage(bytes, `${label} (grids)`, words.length === 0 ? new Uint32Array(GRID_WORDS) : words);
    this.#args = ownStorage(bytes, `${label} (grids to run)`);
    const gateStep: ProgramStep = {
      kind: "launch",
      label: "gate",
      kernel: link(gate),
      slots: [first, first + 1, first + 2, first + 3, first + 4],
      uniforms: [packUniform(layout, { n: words.length, ...spec })],
      grid: [1, 1, 1],
    };
    const guarded = steps.map((step, k): ProgramStep => {
      if (step.kind !== "launch") throw new Error("jnx internal error: a copy cannot be gated");
      return { ...step, indirect: { slot: first + 4, offset: k * GRID_WORDS * BYTES_PER_ELEMENT } };
    });
    this.steps = [gateStep, ...guarded];
  }

  bind(buffers: (DeviceBuffer | undefined)[], { region, choice, state }: GateBuffers): void {
    [region, choice, this.#grids.buffer(), state, this.#args.buffer()].forEach((buffer, k) => {
      buffers[this.#first + k] = buffer;
    });
  }

  dispose(): void {
    for (const storage of [this.#grids, this.#args]) storage.free("the compiled program is gone");
  }
}

const layout = /* @__PURE__ */ gateLayout();

function gateLayout(): NonNullable<(typeof gate.bindings)[number]["layout"]> {
  const found = gate.bindings.find((binding) => binding.layout !== undefined)?.layout;
  if (found === undefined) throw new Error("jnx internal error: the gate has no parameters");
  return found;
}

/** A gate that guards nothing: its state is what others read. */
export class GateProgram {
  readonly #gate: Gate;
  readonly #program: Program;
  readonly #executor: Executor;

  constructor(spec: GateSpec, label: string) {
    this.#executor = executor();
    this.#gate = new Gate(spec, [], 0, label);
    this.#program = this.#executor.createProgram(this.#gate.steps, GATE_SLOTS, label);
  }

  run(buffers: GateBuffers): void {
    const bound: DeviceBuffer[] = [];
    this.#gate.bind(bound, buffers);
    this.#executor.replay(this.#program, bound);
  }

  dispose(): void {
    this.#program.dispose();
    this.#gate.dispose();
  }
}

const states = new WeakMap<Executor, Storage>();

/** The state of what no choice encloses. */
export function alwaysActive(): DeviceBuffer {
  const owner = executor();
  const known = states.get(owner) ?? ownStorage(STATE_BYTES, "always", Uint32Array.of(1, 0));
  states.set(owner, known);
  return known.buffer();
}
