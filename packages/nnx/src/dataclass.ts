import { ArgumentError } from "@jnx/tensor";
import { data, static as asStatic } from "./data.ts";
import { Module } from "./module.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** Options of a field of a dataclass. */
export interface FieldOptions<T> {
  /** What the field is when it is not given. */
  readonly default?: T;
  /** Makes what the field is when it is not given, for each instance. */
  readonly defaultFactory?: () => T;
  /** Whether the value is structure (`nnx.static`) or data (`nnx.data`); what it is by its kind unless told. */
  readonly kind?: "data" | "static";
}

/** A field of a dataclass: what `field` gives. */
export interface Field<T, Given extends boolean = boolean> {
  readonly options: FieldOptions<T>;
  /** True if it must be given; at compile time only. */
  readonly given?: Given;
}

/**
 * A field of a dataclass that must be given, or, with a default, may be. Source: flax.nnx's field specifiers.
 * @example nnx.field<number>({ default: 3 }).options.default; // 3
 */
export function field<T>(
  options: FieldOptions<T> & ({ readonly default: T } | { readonly defaultFactory: () => T }),
): Field<T, false>;
export function field<T>(options?: FieldOptions<T>): Field<T, true>;
export function field<T>(options: FieldOptions<T> = {}): Field<T> {
  const given: FieldOptions<unknown> = options;
  checkKeys("field", given, "default defaultFactory kind");
  return { options };
}

type Fields = Readonly<Record<string, Field<unknown>>>;
type ValueOf<F> = F extends Field<infer T> ? T : never;
type RequiredNames<F extends Fields> = { [K in keyof F]: F[K] extends Field<unknown, true> ? K : never }[keyof F];

/** What the constructor of a dataclass takes. */
export type ValuesOf<F extends Fields> = { readonly [K in RequiredNames<F>]: ValueOf<F[K]> } & {
  readonly [K in Exclude<keyof F, RequiredNames<F>>]?: ValueOf<F[K]>;
};

/** A class of Modules with typed fields, to be extended. */
export type Dataclass<F extends Fields> = abstract new (
  ...values: RequiredNames<F> extends never ? [values?: ValuesOf<F>] : [values: ValuesOf<F>]
) => Module & { -readonly [K in keyof F]: ValueOf<F[K]> };

/**
 * A base class whose constructor takes its fields by name. Source: flax.nnx.dataclass.
 *
 * @throws ArgumentError naming fields that are missing or unknown; GraphError for data in a field of kind "static".
 * @example
 * class Scaled extends nnx.dataclass({
 *   scale: nnx.field<nnx.Param>(),
 *   power: nnx.field<number>({ default: 2, kind: "static" }),
 * }) {
 *   call(x: Tensor): Tensor {
 *     return mul(power(x, this.power), this.scale);
 *   }
 * }
 * new Scaled({ scale: new nnx.Param(array(0.5)) }).call(array([1, 4])); // [0.5, 8]
 */
export function dataclass<const F extends Fields>(fields: F): Dataclass<F> {
  abstract class Made extends Module {
    constructor(values: Readonly<Record<string, unknown>> = {}) {
      super();
      check(new.target.name, fields, values);
      for (const [name, { options }] of Object.entries(fields)) {
        const value = Object.hasOwn(values, name) ? values[name] : (options.defaultFactory?.() ?? options.default);
        const marked = options.kind === "data" ? data(value) : options.kind === "static" ? asStatic(value) : value;
        Object.defineProperty(this, name, { value: marked, writable: true, enumerable: true, configurable: true });
      }
    }
  }
  return Made as unknown as Dataclass<F>; // its fields are defined above, by name
}

function check(cls: string, fields: Fields, values: object): void {
  const given = Object.keys(values);
  const missing = Object.entries(fields).flatMap(([name, { options }]) =>
    given.includes(name) || "default" in options || "defaultFactory" in options ? [] : [name],
  );
  const unknown = given.filter((name) => !Object.hasOwn(fields, name));
  if (missing.length > 0)
    throw new ArgumentError(`${cls}: missing ${missing.join(", ")}; give every field that has no default`);
  if (unknown.length > 0)
    throw new ArgumentError(`${cls}: no field ${unknown.join(", ")}; there are ${Object.keys(fields).join(", ")}`);
}
