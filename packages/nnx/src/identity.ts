import { identityOf } from "@jnx/tensor/internal";

/** A function that is structure may say what it is, so that two made alike are equal: filters do. */
export const describedAs: unique symbol = Symbol("nnx.describedAs");

/** What a function is called: ops made by a factory have the name of their record. */
export function functionName(f: object & { readonly name?: unknown }): string {
  const op: unknown = "op" in f ? f.op : undefined;
  return String(typeof op === "object" && op !== null && "name" in op ? op.name : f.name);
}

/** A function as structure: what it says of itself, or its name and identity. */
export function functionText(f: object): string {
  if (describedAs in f) return String(f[describedAs]);
  return `function ${functionName(f)}<${identityOf(f)}>`;
}
