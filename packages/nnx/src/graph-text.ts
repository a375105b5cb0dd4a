import { containerOf } from "./containers.ts";
import type { Def, DefEntry } from "./graph-def.ts";
import { identityOf, isObject, primitiveText } from "@jnx/tensor/internal";
import { functionText } from "./identity.ts";
import type { Metadata } from "./variable.ts";

/** A structure in one line. */
export function defText(def: Def): string {
  switch (def.kind) {
    case "static":
      return staticText(def.value);
    case "tensor":
      return "tensor";
    case "reference":
      return `@${def.index}`;
    case "variable":
      return `${className(def.type)}#${def.index}${metadataText(def.metadata)}`;
    case "object":
      return `${className(def.type)}#${def.index}(${entriesText(def.entries)})`;
    case "list":
    case "dict":
    case "map":
    case "state":
      return `${def.kind}(${entriesText(def.entries)})`;
    default:
      return def satisfies never;
  }
}

function entriesText(entries: readonly DefEntry[]): string {
  return entries.map(([key, child]) => `${JSON.stringify(key)}:${defText(child)}`).join(",");
}

function metadataText(metadata: Metadata): string {
  const entries = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? "" : `{${entries.map(([key, value]) => `${key}:${staticText(value)}`).join(",")}}`;
}

/** A class by name and identity: two classes may share a name. */
function className(cls: object & { readonly name: string }): string {
  return `${cls.name}<${identityOf(cls)}>`;
}

/** A static value as text: primitives by content, arrays and plain objects by theirs, the rest by identity. */
export function staticText(value: unknown): string {
  if (typeof value === "function") return functionText(value);
  if (!isObject(value)) return primitiveText(value);
  const container = containerOf(value);
  if (container === undefined || container.kind === "object")
    return `${value.constructor?.name ?? "object"}<${identityOf(value)}>`;
  return `${container.kind}(${container.entries.map(([key, child]) => `${key}:${staticText(child)}`).join(",")})`;
}
