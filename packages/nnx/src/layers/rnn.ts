import {
  add,
  arange,
  ArgumentError,
  broadcastTo,
  concatenate,
  expandDims,
  flip,
  laxSlice,
  remainder,
  reshape,
  squeeze,
  stack,
  sub,
  takeAlongAxis,
  tree,
  type Tensor,
  type TensorLike,
} from "@jnx/tensor";
import { asTensor, checkKeys } from "@jnx/tensor/internal";
import { All, type Filter } from "../filter.ts";
import { Module } from "../module.ts";
import { splitRngs } from "../rng-state.ts";
import { Rngs, RngStream } from "../rngs.ts";
import { Carry, type StateAxes } from "../transforms/axes.ts";
import { scan } from "../transforms/scan.ts";
import { RngState } from "../variable-types.ts";
import type { RNNCellBase } from "./cells.ts";
import type { CellCarry } from "./cells.ts";

/** Steps up to which a sequence is written out, and so fused; a longer one is a loop, traced and compiled once. */
const WRITTEN_OUT = 16;

/** Options of `RNN`, each of which a call may give for itself. */
export interface RNNFlags {
  /** Whether time is the first axis; otherwise it is the one before the features. */
  readonly timeMajor?: boolean;
  /** Whether the last carry is given, too, as [carry, outputs]. */
  readonly returnCarry?: boolean;
  /** Whether time runs backwards. */
  readonly reverse?: boolean;
  /** With `reverse`, whether outputs stay in the order of the inputs. */
  readonly keepOrder?: boolean;
}

/** Options of `RNN`. */
export interface RNNOptions extends RNNFlags {
  /** Random streams of the cell that are the same at every step, such as a dropout mask's; each step draws anew unless given. */
  readonly broadcastRngs?: Filter;
  /** Taken for Flax's sake: up to 16 steps are written out and more are a loop, whatever it says. */
  readonly unroll?: number;
  /** How the cell's Variables go through time: each is carried from step to step, which is all there is here. */
  readonly stateAxes?: StateAxes;
  /** Where keys for the first carry come from: true for a stream of its own with seed 0, false for none. */
  readonly rngs?: Rngs | boolean;
}

/** Options of `RNN.call`. */
export interface RNNCallOptions<C extends CellCarry = CellCarry> extends RNNFlags {
  readonly initialCarry?: C;
  /** How long each sequence is, [batch]; what lies beyond is padding. */
  readonly seqLengths?: TensorLike;
  readonly rngs?: Rngs | RngStream;
}

type CarryOf<Cell> = Cell extends RNNCellBase<infer C> ? C : never;

/** What a call gives: outputs alone, or with the carry where that was asked for in the call. */
type RNNResult<C, O> = O extends { readonly returnCarry: true } ? [C, Tensor] : Tensor;

/**
 * Steps a cell through time: inputs [...batch, time, features] → outputs [...batch, time, hidden]. With `seqLengths`,
 * the carry given back is that of each sequence's last step. Source: flax.nnx.RNN.
 *
 * @throws ArgumentError when `rngs` is no Rngs or boolean.
 * @example
 * const rnn = new nnx.RNN(new nnx.LSTMCell(3, 4, { rngs: new nnx.Rngs(0) }));
 * const [carry, outputs] = rnn.call(ones([2, 5, 3]), { returnCarry: true });
 * outputs.shape; // [2, 5, 4]
 */
export class RNN<Cell extends RNNCellBase = RNNCellBase> extends Module {
  readonly cell: Cell;
  readonly timeMajor: boolean;
  readonly returnCarry: boolean;
  readonly reverse: boolean;
  readonly keepOrder: boolean;
  readonly broadcastRngs: Filter;
  readonly rngs: RngStream | null;

  constructor(cell: Cell, options: RNNOptions = {}) {
    checkKeys("RNN", options, "rngs broadcastRngs unroll stateAxes timeMajor? returnCarry? reverse? keepOrder?");
    super();
    const { timeMajor = false, returnCarry = false, reverse = false, keepOrder = false, rngs = true } = options;
    this.cell = cell;
    this.timeMajor = timeMajor;
    this.returnCarry = returnCarry;
    this.reverse = reverse;
    this.keepOrder = keepOrder;
    this.broadcastRngs = options.broadcastRngs ?? null;
    if (typeof rngs !== "boolean" && !(rngs instanceof Rngs))
      throw new ArgumentError(`RNN: rngs must be an Rngs or a boolean, received ${typeof rngs}`);
    this.rngs = carryStream(rngs);
    checkSteps(options);
  }

  /** inputs: [...batch, time, features], or [time, ...batch, features] with timeMajor → the same with hidden features */
  call<const O extends RNNCallOptions<CarryOf<Cell>> = object>(
    inputs: TensorLike,
    options?: O,
  ): RNNResult<CarryOf<Cell>, O> {
    const given: RNNCallOptions = options ?? {};
    checkKeys("RNN.call", given, "initialCarry seqLengths rngs timeMajor? returnCarry? reverse? keepOrder?");
    const settings: RNNCallOptions = { ...flagsOf(this), ...defined(given) };
    // Only whoever made the cell knows its carry; the RNN hands it on.
    const cell = this.cell as unknown as RNNCellBase;
    const rngs = settings.rngs ?? this.rngs;
    const run = (): unknown =>
      runCell(cell, asTensor(inputs, "RNN"), { ...settings, ...(rngs === null ? {} : { rngs }) });
    if (this.broadcastRngs === null) return run() as RNNResult<CarryOf<Cell>, O>; // as the options say
    const only = All(RngState, this.broadcastRngs);
    const backups = splitRngs(cell, { splits: 1, squeeze: true, only });
    try {
      return run() as RNNResult<CarryOf<Cell>, O>; // as above
    } finally {
      backups.restore();
    }
  }
}

function checkSteps({ unroll = 1, stateAxes }: RNNOptions): void {
  if (!Number.isInteger(unroll) || unroll < 1)
    throw new ArgumentError(`RNN: unroll must be a whole number of at least 1, received ${unroll}`);
  if (stateAxes === undefined || [...stateAxes].every(([, axis]) => axis === Carry)) return;
  throw new ArgumentError(
    "RNN: stateAxes other than nnx.Carry are not there: use nnx.scan over the cell, or broadcastRngs for random streams",
  );
}

function carryStream(rngs: Rngs | boolean): RngStream | null {
  if (typeof rngs !== "boolean") return rngs.stream("carry").fork();
  return rngs ? new RngStream(0, { tag: "carry" }) : null;
}

function flagsOf({ timeMajor, returnCarry, reverse, keepOrder }: Required<RNNFlags>): Required<RNNFlags> {
  return { timeMajor, returnCarry, reverse, keepOrder };
}

/** Options without those that are undefined. */
function defined(options: RNNCallOptions): RNNCallOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function runCell(cell: RNNCellBase, given: Tensor, options: RNNCallOptions): unknown {
  const { timeMajor = false, reverse = false, keepOrder = false, returnCarry = false, seqLengths } = options;
  const timeAxis = timeMajor ? 0 : given.ndim - cell.numFeatureAxes - 1;
  const turned = (x: Tensor): Tensor => flipSequences(x, seqLengths, timeAxis);
  const inputs = reverse ? turned(given) : given;
  const stepShape = inputs.shape.filter((_, axis) => axis !== timeAxis);
  const rngs = options.rngs instanceof Rngs ? options.rngs.stream("carry").fork() : options.rngs;
  const carry: CellCarry = options.initialCarry ?? cell.initializeCarry(stepShape, { rngs: rngs ?? null });
  const steps = inputs.shape[timeAxis] ?? 0;
  if (steps === 0) throw new ArgumentError("RNN: the inputs have no steps; give a time axis of at least 1");
  const along = steps > WRITTEN_OUT ? scanned : writtenOut;
  const [last, stacked, carries] = along(cell, carry, inputs, timeAxis, returnCarry && seqLengths !== undefined);
  const result = reverse && keepOrder ? turned(stacked) : stacked;
  if (!returnCarry) return result;
  return [seqLengths === undefined ? last : lastCarry(carries, asTensor(seqLengths, "RNN")), result];
}

/** The last carry, the outputs stacked along the time axis, and, if they are wanted, all carries stacked along the first. */
type Along = (
  cell: RNNCellBase,
  carry: CellCarry,
  inputs: Tensor,
  timeAxis: number,
  all: boolean,
) => readonly [CellCarry, Tensor, CellCarry | undefined];

const writtenOut: Along = (cell, first, inputs, timeAxis, all) => {
  let carry = first;
  const [outputs, carries]: [Tensor[], CellCarry[]] = [[], []];
  for (let t = 0; t < (inputs.shape[timeAxis] ?? 0); t++) {
    const [next, y] = cell.call(carry, stepOf(inputs, timeAxis, t));
    carry = next;
    outputs.push(y);
    if (all) carries.push(next);
  }
  const [head, ...rest] = carries;
  const every =
    head === undefined ? undefined : tree.map((...steps: Tensor[]) => stack(steps, { axis: 0 }), head, ...rest);
  return [carry, stack(outputs, { axis: timeAxis }), every as CellCarry | undefined]; // the carry's own tree, stacked
};

const scanned: Along = (cell, first, inputs, timeAxis, all) => {
  type State = [RNNCellBase, CellCarry];
  const step = ([own, carry]: State, x: Tensor): [State, Tensor, CellCarry | []] => {
    const [next, y] = own.call(carry, x);
    return [[own, next], y, all ? next : []];
  };
  const loop = scan(step, { inAxes: [Carry, timeAxis], outAxes: [Carry, timeAxis, 0] });
  const [[, carry], outputs, every] = loop([cell, first], inputs);
  return [carry, outputs, all ? (every as CellCarry) : undefined]; // with `all` it is one
};

function stepOf(x: Tensor, axis: number, t: number): Tensor {
  const start = x.shape.map((_, k) => (k === axis ? t : 0));
  const end = x.shape.map((extent, k) => (k === axis ? t + 1 : extent));
  return squeeze(laxSlice(x, start, end), axis);
}

/** Of carries over time, [time, batch, …], each sequence's at its last step. */
function lastCarry(carries: CellCarry | undefined, lengths: Tensor): unknown {
  return tree.map((all: Tensor) => {
    const last = reshape(sub(lengths, 1), [1, ...lengths.shape, ...all.shape.slice(lengths.ndim + 1).map(() => 1)]);
    return squeeze(takeAlongAxis(all, broadcastTo(last, [1, ...all.shape.slice(1)]), 0), 0);
  }, carries);
}

/**
 * Inputs backwards in time. With lengths, [batch], each sequence is turned within its own and padding stays at the end.
 * Source: flax.nnx.nn.recurrent.flip_sequences.
 *
 * @example
 * const x = array([[1, 0, 0], [2, 3, 0], [4, 5, 6]]);
 * nnx.flipSequences(x, array([1, 2, 3]), 1); // [[1, 0, 0], [3, 2, 0], [6, 5, 4]]
 */
export function flipSequences(inputs: TensorLike, lengths: TensorLike | undefined, timeAxis: number): Tensor {
  const x = asTensor(inputs, "flipSequences");
  if (lengths === undefined) return flip(x, { axis: timeAxis });
  const steps = x.shape[timeAxis] ?? 0;
  const own = expandDims(asTensor(lengths, "flipSequences"), timeAxis);
  const backwards = reshape(
    arange(steps - 1, -1, -1),
    own.shape.map((_, axis) => (axis === timeAxis ? steps : 1)),
  );
  const index = remainder(add(backwards, own), steps);
  const full = reshape(index, [...index.shape, ...x.shape.slice(index.ndim).map(() => 1)]);
  return takeAlongAxis(x, broadcastTo(full, x.shape), timeAxis);
}

/** Options of `Bidirectional`. */
export interface BidirectionalOptions {
  /** Makes one output of the forward and the backward one; puts features side by side unless given. */
  readonly mergeFn?: (forward: Tensor, backward: Tensor) => Tensor;
  readonly timeMajor?: boolean;
  readonly returnCarry?: boolean;
  /** Where keys for the first carries come from, as in RNN; a stream is used as it is. */
  readonly rngs?: Rngs | RngStream | boolean;
}

/** Options of `Bidirectional.call`. */
export interface BidirectionalCallOptions {
  readonly initialCarry?: readonly [CellCarry, CellCarry];
  readonly seqLengths?: TensorLike;
  readonly timeMajor?: boolean;
  readonly returnCarry?: boolean;
  readonly rngs?: Rngs | RngStream;
}

/**
 * Runs one RNN forwards and another backwards over the same inputs and merges what they give; the backward one's outputs
 * are put in the order of the inputs. Source: flax.nnx.Bidirectional.
 *
 * @example
 * const rnn = (seed: number) => new nnx.RNN(new nnx.GRUCell(3, 4, { rngs: new nnx.Rngs(seed) }));
 * new nnx.Bidirectional(rnn(0), rnn(1)).call(ones([2, 5, 3])).shape; // [2, 5, 8]
 */
export class Bidirectional<F extends RNNCellBase, B extends RNNCellBase> extends Module {
  readonly forwardRnn: RNN<F>;
  readonly backwardRnn: RNN<B>;
  readonly mergeFn: (forward: Tensor, backward: Tensor) => Tensor;
  readonly timeMajor: boolean;
  readonly returnCarry: boolean;
  readonly rngs: RngStream | null;

  constructor(forwardRnn: RNN<F>, backwardRnn: RNN<B>, options: BidirectionalOptions = {}) {
    checkKeys("Bidirectional", options, "rngs mergeFn timeMajor? returnCarry?");
    super();
    const { mergeFn = sideBySide, timeMajor = false, returnCarry = false, rngs = true } = options;
    this.forwardRnn = forwardRnn;
    this.backwardRnn = backwardRnn;
    this.mergeFn = mergeFn;
    this.timeMajor = timeMajor;
    this.returnCarry = returnCarry;
    this.rngs = rngs instanceof RngStream ? rngs : carryStream(rngs);
  }

  /** inputs as an RNN takes them → merged outputs, or [[forward carry, backward carry], outputs] */
  call<const O extends BidirectionalCallOptions = object>(
    inputs: TensorLike,
    options?: O,
  ): RNNResult<[CarryOf<F>, CarryOf<B>], O> {
    const given: BidirectionalCallOptions = options ?? {};
    checkKeys("Bidirectional.call", given, "initialCarry seqLengths timeMajor? returnCarry? rngs");
    const { timeMajor = this.timeMajor, returnCarry = this.returnCarry, initialCarry, seqLengths } = given;
    const source = given.rngs ?? this.rngs;
    const rngs = source instanceof Rngs ? source.stream("carry") : source;
    const run = (rnn: unknown, carry: CellCarry | undefined, backwards: boolean): [CellCarry, Tensor] => {
      const flags = { timeMajor, returnCarry: true as const, reverse: backwards, keepOrder: backwards };
      const more = { ...(seqLengths && { seqLengths }), ...(rngs && { rngs }), ...(carry && { initialCarry: carry }) };
      // Only whoever made the RNN knows its cell's carry, which is handed on.
      return (rnn as RNN).call(inputs, { ...flags, ...more });
    };
    const [forwardCarry, forward] = run(this.forwardRnn, initialCarry?.[0], false);
    const [backwardCarry, backward] = run(this.backwardRnn, initialCarry?.[1], true);
    const merged = this.mergeFn(forward, backward);
    // As the options say.
    return (returnCarry ? [[forwardCarry, backwardCarry], merged] : merged) as RNNResult<[CarryOf<F>, CarryOf<B>], O>;
  }
}

function sideBySide(forward: Tensor, backward: Tensor): Tensor {
  return concatenate([forward, backward], { axis: -1 });
}
