/** What keys of caches are made of: primitives as text, objects as numbers. */

const identities = new WeakMap<object, number>();
let nextIdentity = 0;

/** A number that stands for an object: the same for the same one. */
export function identityOf(value: object): number {
  const known = identities.get(value);
  if (known !== undefined) return known;
  identities.set(value, nextIdentity);
  return nextIdentity++;
}

/** True for what has an identity of its own, functions included: the caller's to tell apart. */
export function isObject(value: unknown): value is object {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}

/** Text that a primitive shares with its equals alone. */
export function primitiveText(value: unknown): string {
  // Quoted, so that no text can look like the end of one value and the start of another.
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  return Object.is(value, -0) ? "-0" : String(value);
}
