/** Wraps methods of WebGPU's own prototypes, so that every engine's calls are seen. */

export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** In place of a call: `call` makes it, with the arguments given. */
export type Around = (self: unknown, args: readonly unknown[], call: (args: readonly unknown[]) => unknown) => unknown;

export function isObject(x: unknown): x is object {
  return typeof x === "object" && x !== null;
}

/** A field of what may be no object. */
export function field(x: unknown, name: string): unknown {
  return isObject(x) ? Reflect.get(x, name) : undefined;
}

/** Replaces `classes[className].prototype[method]` by `around` itself. */
export function wrapAround(classes: object, className: string, method: string, around: Around): void {
  const constructor: unknown = Reflect.get(classes, className);
  if (typeof constructor !== "function") return;
  const prototype: unknown = constructor.prototype;
  if (!isObject(prototype)) return;
  const original: unknown = Reflect.get(prototype, method);
  if (typeof original !== "function") return;
  const wrapped: Method = function (...args) {
    return around(this, args, (given) => Reflect.apply(original, this, given));
  };
  Object.defineProperty(prototype, method, { value: wrapped, configurable: true, writable: true });
}

/** The method, followed by `after`. */
export function wrap(
  classes: object,
  className: string,
  method: string,
  after: (self: unknown, args: readonly unknown[], result: unknown) => void,
): void {
  wrapAround(classes, className, method, (self, args, call) => {
    const result = call(args);
    after(self, args, result);
    return result;
  });
}
