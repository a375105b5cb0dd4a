import { watch, type Fault } from "./debug-nans.ts";
import { disableJit, watchResults } from "./dispatch.ts";
import { ArgumentError } from "./errors.ts";

/** Switches by JAX's names, with their defaults. */
const DEFAULTS = {
  /** Threefry's counters: element i of a draw depends on i alone. False gives the numbers of JAX before 0.5. */
  jax_threefry_partitionable: true,
  /** The mode that random.gumbel, categorical and choice take when told none: "high" instead of "low". */
  jax_high_dynamic_range_gumbel: false,
  /** Warns on the console when a key is used a second time, with the places of both uses. */
  jax_debug_key_reuse: false,
  /**
   * Throws FloatingPointError, at the next await of a value, if an op made a NaN, with the stack of that op's call; compiled
   * functions run op by op, loops as a whole. Slow: for finding out where a NaN comes from.
   */
  jax_debug_nans: false,
  /** The same for infinities. */
  jax_debug_infs: false,
  /** Functions under jit run op by op, as they are written: for debuggers and console.log. */
  jax_disable_jit: false,
};

/** A switch of {@link config}. */
export type ConfigName = keyof typeof DEFAULTS;

const values: Record<ConfigName, boolean> = { ...DEFAULTS };

/** What a switch is set to, for our own code: whoever uses `config` itself brings along all that switches do. */
export function setting(name: ConfigName): boolean {
  return values[name];
}

let mark = "";

/** What is set otherwise than by default: part of what a compiled function was compiled for. */
export function configMark(): string {
  return mark;
}

/** What else is to be done when a switch was set. */
function apply(): void {
  // Object.keys forgets the type of the keys.
  const names = Object.keys(DEFAULTS) as ConfigName[];
  mark = names.map((name) => (values[name] === DEFAULTS[name] ? "" : ` ${name}`)).join("");
  const faults: Fault[] = [];
  if (values.jax_debug_nans) faults.push("nan");
  if (values.jax_debug_infs) faults.push("inf");
  watchResults(
    faults.length === 0
      ? undefined
      : (name, inputs, results) => {
          for (const fault of faults) watch(fault, name, inputs, results);
        },
  );
  disableJit(values.jax_disable_jit);
}

/**
 * Switches that change what functions do from then on, jitted ones too: these are traced again. Source: jax.config.
 */
export const config = {
  /**
   * Sets a switch. Source: jax.config.update.
   *
   * @throws ArgumentError for a name or a value that it does not take.
   * @example
   * config.update("jax_threefry_partitionable", false);
   * const words = await random.bits(random.key(1701), [3]).toArray();
   * config.update("jax_threefry_partitionable", true);
   * words; // [56197195, 4200222568, 961309823]
   */
  update(name: ConfigName, value: boolean): void {
    if (!Object.hasOwn(values, name))
      throw new ArgumentError(
        `config.update: unknown switch ${JSON.stringify(name)}; there are ${Object.keys(values).join(", ")}`,
      );
    if (typeof value !== "boolean")
      throw new ArgumentError(`config.update: ${name} takes true or false, received ${String(value)}`);
    values[name] = value;
    apply();
  },

  /**
   * What a switch is set to. Source: jax.config.read.
   * @example config.read("jax_threefry_partitionable"); // true
   */
  read(name: ConfigName): boolean {
    return values[name];
  },
};
