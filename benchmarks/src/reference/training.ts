/** Training in float64: parameters, their gradients, and the two updates. */
import { at } from "./ops.ts";
import { input, type Inputs } from "../tasks/task.ts";

export interface TrainReference {
  /** The loss before each update. */
  readonly losses: readonly number[];
  /** The parameters before the first step and after the last. */
  readonly start: readonly Float64Array[];
  readonly params: readonly Float64Array[];
}

/** Parameters by name, and where a backward pass leaves their gradients. */
export class Parameters {
  readonly values: ReadonlyMap<string, Float64Array>;
  readonly gradients = new Map<string, Float64Array>();

  constructor(names: readonly string[], inputs: Inputs) {
    this.values = new Map(names.map((name) => [name, Float64Array.from(input(inputs, name).data)]));
  }

  value(name: string): Float64Array {
    const found = this.values.get(name);
    if (found === undefined) throw new Error(`reference: no parameter ${name}`);
    return found;
  }
}

/** Changes the parameters in place by their gradients; steps count from 1. */
export type Update = (params: Parameters, step: number) => void;

/** p -= rate * g. */
export function sgd(rate: number): Update {
  return ({ values, gradients }) => {
    for (const [name, p] of values) {
      const g = gradients.get(name) ?? [];
      for (let i = 0; i < p.length; i++) p[i] = at(p, i) - rate * at(g, i);
    }
  };
}

/** p -= rate * m̂ / (sqrt(v̂) + eps), bias-corrected, with b1 0.9, b2 0.999, eps 1e-8. */
export function adam(rate: number): Update {
  const [b1, b2, eps] = [0.9, 0.999, 1e-8];
  const moments = new Map<string, [Float64Array, Float64Array]>();
  return ({ values, gradients }, step) => {
    for (const [name, p] of values) {
      const g = gradients.get(name) ?? [];
      const [m, v] = moments.get(name) ?? [new Float64Array(p.length), new Float64Array(p.length)];
      moments.set(name, [m, v]);
      for (let i = 0; i < p.length; i++) {
        m[i] = b1 * at(m, i) + (1 - b1) * at(g, i);
        v[i] = b2 * at(v, i) + (1 - b2) * at(g, i) ** 2;
        p[i] = at(p, i) - (rate * (at(m, i) / (1 - b1 ** step))) / (Math.sqrt(at(v, i) / (1 - b2 ** step)) + eps);
      }
    }
  };
}

/** Trains for some steps. `pass` gives the loss and leaves the gradients. */
export function train(
  names: readonly string[],
  inputs: Inputs,
  steps: number,
  pass: (params: Parameters) => number,
  update: Update,
): TrainReference {
  const params = new Parameters(names, inputs);
  const start = [...params.values.values()].map((p) => p.slice());
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    losses.push(pass(params));
    update(params, step);
  }
  return { losses, start, params: [...params.values.values()] };
}
