import { ArgumentError } from "./errors.ts";

/** What an option takes: true or false ("flag"), a number, or what the function itself looks at (true). */
type Kind<V> = [V] extends [boolean] ? "flag" : [V] extends [number] ? "number" : true;

/** Every key of an options object with its kind: a type that misses one, or calls a flag something else, does not compile. */
export type OptionKinds<O> = { readonly [K in keyof O]-?: Kind<Exclude<O[K], undefined>> };

/** Throws unless `options` is an object of known keys: what is misspelt, or given by position, would be passed over in silence. */
export function checkOptions<O extends object>(name: string, options: O, known: OptionKinds<NoInfer<O>>): void {
  if (!isRecord(options)) throw notAnObject(name, options, known);
  for (const key in options) {
    if (!(key in known)) throw unknownKey(name, key, known);
    checkKind(name, key, known[key], options[key]);
  }
}

/** "false" would count as true, and "2" as a number now and then. */
function checkKind(name: string, key: string, kind: unknown, value: unknown): void {
  if (value === undefined || kind === true || typeof value === (kind === "flag" ? "boolean" : kind)) return;
  const meant = kind === "flag" ? "true or false" : "a number";
  throw new ArgumentError(`${name}: ${key} is ${meant}, received ${shown(value)}`);
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return Array.isArray(value) ? `[${value.join(", ")}]` : String(value);
}

type Words<S extends string> = S extends `${infer First} ${infer Rest}` ? First | Words<Rest> : S;

/** O's keys as words: that of a flag ends in a question mark. */
type Keys<O> = { [K in keyof O & string]-?: Kind<Exclude<O[K], undefined>> extends "flag" ? `${K}?` : K }[keyof O &
  string];

/** Nothing to ask for when the words of S are O's keys, every one and no other; otherwise what differs. */
type AllKeys<O, S extends string> = [Exclude<Keys<O>, Words<S>>, Exclude<Words<S>, Keys<O>>] extends [never, never]
  ? unknown
  : { readonly missing: Exclude<Keys<O>, Words<S>>; readonly unknown: Exclude<Words<S>, Keys<O>> };

/**
 * checkOptions with the keys as words, flags with a question mark, `checkKeys("adam", options, "b1 b2 nesterov?")`: for
 * functions whose options are many. Words that are not the keys do not compile.
 */
export function checkKeys<O extends object, S extends string>(
  name: string,
  options: O,
  ...keys: readonly (S & AllKeys<O, S>)[]
): void {
  const words = keys.flatMap((one) => one.split(" "));
  const known = Object.fromEntries(words.map((key) => (key.endsWith("?") ? [key.slice(0, -1), "flag"] : [key, true])));
  checkOptions(name, options, known as OptionKinds<O>); // as AllKeys says
}

function isRecord(options: unknown): boolean {
  if (typeof options !== "object" || options === null) return false;
  const prototype: unknown = Object.getPrototypeOf(options);
  // One of another realm has another Object.prototype, whose own prototype is null.
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

function notAnObject(name: string, options: unknown, known: object): ArgumentError {
  const [first = ""] = Object.keys(known);
  const received = Array.isArray(options)
    ? "a list"
    : typeof options === "object" && options !== null
      ? `a ${options.constructor.name}`
      : String(options);
  return new ArgumentError(
    `${name}: options go in an object such as { ${first}: … }, received ${received} in its place`,
  );
}

function unknownKey(name: string, key: string, known: object): ArgumentError {
  const names = Object.keys(known);
  const plain = (text: string): string => text.replaceAll("_", "").toLowerCase();
  const meant = names.find((one) => plain(one) === plain(key));
  const remedy = meant === undefined ? `there are ${names.join(", ")}` : `did you mean "${meant}"?`;
  return new ArgumentError(`${name}: there is no option "${key}"; ${remedy}`);
}
