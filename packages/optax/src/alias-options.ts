import { erase, addDecayedWeights, type Mask } from "./transforms.ts";
import type { GradientTransformation, ScalarOrSchedule } from "./transformation.ts";

/** What the optimizers of this package are: chains. */
export type Optimizer = GradientTransformation<unknown[]>;

/** Options of weight decay. */
export interface DecayOptions {
  /** Strength of the decay, a number or a schedule. */
  readonly weightDecay?: ScalarOrSchedule;
  /** Which parameters decay: a tree of booleans like them, or a function to one. All unless given. */
  readonly mask?: Mask;
}

/** Weight decay as a step of a chain. */
export function decay(weightDecay: ScalarOrSchedule, mask?: Mask): GradientTransformation {
  return erase(addDecayedWeights(weightDecay, { mask }));
}
