import { ArgumentError } from "./errors.ts";

/** Every key that an options object may have: a type that misses one does not compile. */
export type OptionNames<O> = Readonly<Record<keyof O, true>>;

/** Throws unless `options` is an object of known keys: what is misspelt, or given by position, would be passed over in silence. */
export function checkOptions<O extends object>(name: string, options: O, known: OptionNames<O>): void {
  if (!isRecord(options)) throw notAnObject(name, options, known);
  for (const key in options) if (!(key in known)) throw unknownKey(name, key, known);
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
