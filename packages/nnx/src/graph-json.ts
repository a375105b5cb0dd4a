import { ArgumentError } from "@jnx/tensor";
import { containerOf } from "./containers.ts";
import { GraphError } from "./errors.ts";
import { GraphDef, type Def, type DefEntry } from "./graph-def.ts";
import { functionName } from "./identity.ts";
import { makeEmpty, pathText, type NodeClass, type Path, type PathPart } from "./node.ts";
import type { Metadata, VariableClass } from "./variable.ts";
import { checkKeys } from "@jnx/tensor/internal";

/** JSON of a value or of a structure. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What `graphdefFromJson` needs besides the text. */
export interface FromJsonOptions {
  /** Every class of nodes and Variables that occurs, by its name. */
  readonly classes: readonly (NodeClass | VariableClass)[];
  /** Functions that fields hold, such as activations, by their names. */
  readonly functions?: readonly ((...args: never[]) => unknown)[];
}

/**
 * A structure as JSON: what `graphdefFromJson` reads. Classes and functions stand by name.
 *
 * @throws GraphError naming the path of a static value that JSON cannot hold, such as an object of a class.
 * @example
 * const text = JSON.stringify(nnx.graphdefToJson(nnx.graphdef(model)));
 * const classes = [MLP, nnx.Linear, nnx.Dropout, nnx.RngStream, nnx.Param, nnx.RngKey, nnx.RngCount];
 * nnx.graphdefFromJson(JSON.parse(text), { classes }).equals(nnx.graphdef(model)); // true
 */
export function graphdefToJson(graphdef: GraphDef): Json {
  return { leaves: graphdef.leafCount, root: defJson(graphdef.root, []) };
}

function defJson(def: Def, path: Path): Json {
  switch (def.kind) {
    case "static":
      return { static: valueJson(def.value, path) };
    case "tensor":
      return "tensor";
    case "reference":
      return { reference: def.index };
    case "variable":
      return { variable: def.type.name, index: def.index, metadata: valueJson(def.metadata, path) };
    case "object":
      return { object: def.type.name, index: def.index, entries: entriesJson(def.entries, path) };
    case "list":
    case "dict":
    case "map":
    case "state":
      return { [def.kind]: entriesJson(def.entries, path) };
    default:
      return def satisfies never;
  }
}

function entriesJson(entries: readonly DefEntry[], path: Path): Json {
  return entries.map(([key, child]) => [key, defJson(child, [...path, key])]);
}

/** Numbers that JSON lacks, and what else has no form of its own there. */
const NAMED: ReadonlyMap<string, unknown> = /* @__PURE__ */ new Map<string, unknown>([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
  ["undefined", undefined],
]);

function valueJson(value: unknown, path: Path): Json {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  for (const [name, special] of NAMED) if (Object.is(value, special)) return { $: name };
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (typeof value === "function" && functionName(value) !== "") return { $function: functionName(value) };
  const container = containerOf(value);
  if (container === undefined || container.kind === "object" || container.kind === "state")
    throw new GraphError(
      `graphdefToJson: "${pathText(path)}" holds ${typeof value === "object" ? `a ${value.constructor.name}` : `a ${typeof value} without a name`}, which JSON cannot hold; leave it out of the saved object and set it after merging`,
    );
  const entries = container.entries.map(([key, child]): Json => [key, valueJson(child, [...path, key])]);
  return { [`$${container.kind}`]: entries };
}

/**
 * The structure that `graphdefToJson` wrote.
 *
 * @throws ArgumentError naming a class or function that was not given, GraphError for JSON of another form.
 * @example
 * const json = nnx.graphdefToJson(nnx.graphdef(model.out));
 * nnx.graphdefFromJson(json, { classes: [nnx.Linear, nnx.Param] }).leafCount; // 2
 */
export function graphdefFromJson(json: Json, options: FromJsonOptions): GraphDef {
  checkKeys("graphdefFromJson", options, "classes functions");
  const reader = new Reader(options);
  const { leaves, root } = record(json);
  if (typeof leaves !== "number" || root === undefined)
    throw new GraphError("graphdefFromJson: expected what graphdefToJson gave, with leaves and root");
  return new GraphDef(reader.def(root), leaves);
}

function record(json: Json | undefined): { readonly [key: string]: Json | undefined } {
  if (typeof json === "object" && json !== null && !Array.isArray(json))
    return json as { readonly [key: string]: Json }; // neither list nor null
  throw new GraphError(`graphdefFromJson: expected an object, received ${JSON.stringify(json)}`);
}

class Reader {
  readonly #classes: ReadonlyMap<string, NodeClass | VariableClass>;
  readonly #functions: ReadonlyMap<string, unknown>;

  constructor({ classes, functions = [] }: FromJsonOptions) {
    this.#classes = new Map(classes.map((cls) => [cls.name, cls]));
    this.#functions = new Map(functions.map((one) => [functionName(one), one]));
  }

  def(json: Json | undefined): Def {
    if (json === "tensor") return { kind: "tensor" };
    const fields = record(json);
    const index = Number(fields["index"]);
    if ("static" in fields) return { kind: "static", value: this.#value(fields["static"]) };
    if ("reference" in fields) return { kind: "reference", index: Number(fields["reference"]) };
    if ("variable" in fields) {
      const type = this.#class(String(fields["variable"]));
      if (makeEmpty in type) throw new ArgumentError(`graphdefFromJson: ${type.name} is no Variable class`);
      // Metadata are a plain object, as written.
      return { kind: "variable", index, type, metadata: this.#value(fields["metadata"]) as Metadata };
    }
    if ("object" in fields) {
      const type = this.#class(String(fields["object"]));
      if (!(makeEmpty in type)) throw new ArgumentError(`graphdefFromJson: ${type.name} is no class of nodes`);
      return { kind: "object", index, type, entries: this.#entries(fields["entries"]) };
    }
    for (const kind of ["list", "dict", "map", "state"] as const)
      if (kind in fields) return { kind, entries: this.#entries(fields[kind]) };
    throw new GraphError(`graphdefFromJson: unknown structure ${JSON.stringify(json)}`);
  }

  #entries(json: Json | undefined): DefEntry[] {
    return pairs(json).map(([key, child]): DefEntry => [key, this.def(child)]);
  }

  #value(json: Json | undefined): unknown {
    if (typeof json !== "object" || json === null) return json;
    const fields = record(json);
    if ("$" in fields) return NAMED.get(String(fields["$"]));
    if ("$bigint" in fields) return BigInt(String(fields["$bigint"]));
    if ("$function" in fields) return this.#function(String(fields["$function"]));
    if ("$list" in fields) return pairs(fields["$list"]).map(([, child]) => this.#value(child));
    const entries = pairs(fields["$dict"] ?? fields["$map"]).map(([key, child]): [PathPart, unknown] => [
      key,
      this.#value(child),
    ]);
    return "$map" in fields ? new Map(entries) : Object.fromEntries(entries);
  }

  #class(name: string): NodeClass | VariableClass {
    const found = this.#classes.get(name);
    if (found !== undefined) return found;
    throw new ArgumentError(
      `graphdefFromJson: the structure has a ${name}, which is not among the classes given: ${[...this.#classes.keys()].join(", ")}; add it`,
    );
  }

  #function(name: string): unknown {
    if (this.#functions.has(name)) return this.#functions.get(name);
    if (this.#classes.has(name)) return this.#classes.get(name);
    throw new ArgumentError(
      `graphdefFromJson: the structure has the function ${name}; give it, { functions: [${name}] }`,
    );
  }
}

function pairs(json: Json | undefined): [PathPart, Json][] {
  if (!Array.isArray(json))
    throw new GraphError(`graphdefFromJson: expected a list of entries, received ${JSON.stringify(json)}`);
  return json as [PathPart, Json][]; // each written as [key, entry]
}
