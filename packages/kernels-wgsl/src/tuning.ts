/** How one family's workgroups are cut. */
export interface FamilyTuning {
  /** Invocations in a workgroup: a power of two from 8 to 256. */
  readonly group?: number;
  /** Multiply-adds up to which the kernel without tiles is taken: it compiles faster. */
  readonly small?: number;
}

/**
 * What plans choose otherwise on one adapter, found by measuring there. Results stay right with any of it: it decides how work
 * is cut, not what is computed.
 */
export interface Tuning {
  readonly matmul?: FamilyTuning;
  readonly conv?: FamilyTuning;
  readonly reduce?: Pick<FamilyTuning, "group">;
}

const ALLOWED: Readonly<Record<keyof Tuning, readonly string[]>> = {
  matmul: ["group", "small"],
  conv: ["group", "small"],
  reduce: ["group"],
};

/**
 * The value as a Tuning.
 *
 * @throws Error that says what is wrong with it.
 * @example
 * parseTuning({ matmul: { group: 64 } });
 */
export function parseTuning(value: unknown): Tuning {
  for (const [family, choices] of entries("the tuning", value)) {
    const allowed = Object.entries(ALLOWED).find(([name]) => name === family)?.[1];
    if (allowed === undefined) throw new Error(`"${family}" is none of ${Object.keys(ALLOWED).join(", ")}`);
    for (const [name, choice] of entries(`"${family}"`, choices)) {
      if (!allowed.includes(name)) throw new Error(`"${family}.${name}" is none of ${allowed.join(", ")}`);
      if (!isChoice(name, choice)) throw new Error(`"${family}.${name}" cannot be ${JSON.stringify(choice)}`);
    }
  }
  // Every field of it has just been checked.
  return value as Tuning;
}

function entries(what: string, value: unknown): [string, unknown][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw new Error(`${what} is no object`);
}

function isChoice(name: string, value: unknown): boolean {
  if (typeof value !== "number" || !Number.isInteger(value)) return false;
  if (name === "small") return value >= 0 && value <= 2 ** 30;
  return value >= 8 && value <= 256 && Number.isInteger(Math.log2(value));
}
