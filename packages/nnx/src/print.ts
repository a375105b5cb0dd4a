import { Tensor } from "@jnx/tensor";
import { containerOf } from "./containers.ts";
import { functionName } from "./identity.ts";
import { nodeClass } from "./node.ts";
import { RngState } from "./variable-types.ts";
import { peek, Variable, type AnyVariable } from "./variable.ts";

const BYTES_PER_ELEMENT = 4;

/** A node as text: a header with sizes by Variable type, then its fields, nested ones indented. */
export function describe(root: object): string {
  const sizes = new Map<string, number>();
  const seen = new Set<object>();
  const lines = describeFields(root, "  ", sizes, seen);
  if (sizes.size > 1)
    sizes.set(
      "Total",
      [...sizes.values()].reduce((a, b) => a + b, 0),
    );
  const totals = [...sizes].map(([type, count]) => `${type}: ${countText(count)}`);
  const name = nodeClass(root)?.name ?? "object";
  const header = `${name} (${totals.length === 0 ? "" : ` # ${totals.join(", ")}`}`;
  return lines.length === 0 ? `${name} ()` : `${header}\n${lines.join("\n")}\n)`;
}

function describeFields(node: object, indent: string, sizes: Map<string, number>, seen: Set<object>): string[] {
  seen.add(node);
  return (containerOf(node)?.entries ?? [])
    .filter(([, child]) => child !== undefined)
    .flatMap(([key, child]) => describeField(key, child, indent, sizes, seen));
}

function describeField(
  key: string | number,
  child: unknown,
  indent: string,
  sizes: Map<string, number>,
  seen: Set<object>,
): string[] {
  const head = `${indent}${key}: `;
  if (child instanceof Variable) {
    if (seen.has(child)) return [`${head}${child.type.name} ... (shared)`];
    seen.add(child);
    countVariable(child, sizes);
    return [`${head}${String(child)}`];
  }
  if (child instanceof Tensor) return [`${head}${String(child)}`];
  const type = nodeClass(child)?.name;
  const open = type === undefined ? (Array.isArray(child) ? "[" : "{") : `${type} (`;
  const close = type === undefined ? (Array.isArray(child) ? "]" : "}") : ")";
  if (type === undefined && !holdsData(child)) return [`${head}${staticName(child)}`];
  const node = child as object; // a node, or a container that holds data
  if (seen.has(node)) return [`${head}${type ?? ""} ... (shared)`];
  return [`${head}${open}`, ...describeFields(node, `${indent}  `, sizes, seen), `${indent}${close}`];
}

function countVariable(variable: AnyVariable, sizes: Map<string, number>): void {
  const value = peek(variable);
  if (!(value instanceof Tensor)) return;
  const kind = kindName(variable);
  sizes.set(kind, (sizes.get(kind) ?? 0) + value.size);
}

/** A Variable's class as summaries count it: keys and counts of random streams together. */
export function kindName(variable: AnyVariable): string {
  return variable instanceof RngState ? RngState.name : variable.type.name;
}

/** True for plain containers in which a Variable, a Tensor or a node lies at any depth. */
function holdsData(value: unknown, within: readonly unknown[] = []): boolean {
  const container = containerOf(value);
  if (container === undefined || within.includes(value)) return false;
  return container.entries.some(
    ([, child]) =>
      child instanceof Variable ||
      child instanceof Tensor ||
      nodeClass(child) !== undefined ||
      holdsData(child, [...within, value]),
  );
}

function staticName(value: unknown): string {
  if (typeof value === "function") return `function ${functionName(value)}`;
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(staticName).join(", ")}]`;
  if (typeof value === "object" && value !== null) return value.constructor?.name ?? "object";
  return String(value);
}

/** `2500` elements → `"2,500 (10.0 KB)"`. */
export function countText(elements: number): string {
  return `${elements.toLocaleString("en")} (${bytesText(elements)})`;
}

/** `2500` elements → `"10.0 KB"`, with thousands as Flax counts them. */
function bytesText(elements: number): string {
  let bytes = elements * BYTES_PER_ELEMENT;
  for (const unit of ["B", "KB", "MB"]) {
    if (bytes < 1000) return unit === "B" ? `${bytes} B` : `${bytes.toFixed(1)} ${unit}`;
    bytes /= 1000;
  }
  return `${bytes.toFixed(1)} GB`;
}
