import { ArgumentError } from "./errors.ts";

/** Switches by JAX's names, with their defaults. */
const DEFAULTS = {
  /** Threefry's counters: element i of a draw depends on i alone. False gives the numbers of JAX before 0.5. */
  jax_threefry_partitionable: true,
  /** The mode that random.gumbel, categorical and choice take when told none: "high" instead of "low". */
  jax_high_dynamic_range_gumbel: false,
  /** Warns on the console when a key is used a second time, with the places of both uses. */
  jax_debug_key_reuse: false,
};

/** A switch of {@link config}. */
export type ConfigName = keyof typeof DEFAULTS;

const values: Record<ConfigName, boolean> = { ...DEFAULTS };

/** What is set otherwise than by default: part of what a compiled function was compiled for. */
export function configMark(): string {
  // Object.keys forgets the type of the keys.
  const names = Object.keys(DEFAULTS) as ConfigName[];
  return names.map((name) => (values[name] === DEFAULTS[name] ? "" : ` ${name}`)).join("");
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
  },

  /**
   * What a switch is set to. Source: jax.config.read.
   * @example config.read("jax_threefry_partitionable"); // true
   */
  read(name: ConfigName): boolean {
    return values[name];
  },
};
