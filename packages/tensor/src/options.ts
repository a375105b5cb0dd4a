import { ArgumentError } from "./errors.ts";

/** Every key that an options object may have: a type that misses one does not compile. */
export type OptionNames<O> = Readonly<Record<keyof O, true>>;

/** Options that are true or false wherever they occur. */
const FLAGS: readonly string[] = [
  "keepdims",
  "descending",
  "stable",
  "isStable",
  "reverse",
  "isCausal",
  "approximate",
  "returnSign",
  "promoteIntegers",
  "returnIndex",
  "returnInverse",
  "returnCounts",
  "equalNan",
  "invert",
  "density",
  "endpoint",
  "rowvar",
  "fullMatrices",
  "computeUv",
  "hermitian",
  "unitDiagonal",
  "leftSide",
];

/** Throws unless `options` is an object of known keys: what is misspelt, or given by position, would be passed over in silence. */
export function checkOptions<O extends object>(name: string, options: O, known: OptionNames<O>): void {
  if (!isRecord(options)) throw notAnObject(name, options, known);
  for (const key in options) {
    if (!(key in known)) throw unknownKey(name, key, known);
    const value = options[key];
    // "false" would count as true.
    if (FLAGS.includes(key) && typeof value !== "boolean" && value !== undefined)
      throw new ArgumentError(`${name}: ${key} is true or false, received ${JSON.stringify(value)}`);
  }
}

type Words<S extends string> = S extends `${infer First} ${infer Rest}` ? First | Words<Rest> : S;

/** Nothing to ask for when the words of S are O's keys, every one and no other; otherwise what differs. */
type AllKeys<O, S extends string> = [Exclude<keyof O, Words<S>>, Exclude<Words<S>, keyof O>] extends [never, never]
  ? unknown
  : { readonly missing: Exclude<keyof O, Words<S>>; readonly unknown: Exclude<Words<S>, keyof O> };

/**
 * checkOptions with the keys as words, `checkKeys("adam", options, "b1 b2 eps")`: for functions whose options are many. Words
 * that are not the keys do not compile.
 */
export function checkKeys<O extends object, S extends string>(
  name: string,
  options: O,
  ...keys: readonly (S & AllKeys<O, S>)[]
): void {
  const known = Object.fromEntries(keys.flatMap((words) => words.split(" ")).map((key) => [key, true]));
  checkOptions(name, options, known as OptionNames<O>); // as AllKeys says
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
