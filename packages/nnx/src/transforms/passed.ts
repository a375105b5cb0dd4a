import { containerOf } from "../containers.ts";
import type { GraphIndex } from "../graph-def.ts";
import { adoptMetadata, isVariable } from "../variable.ts";

/**
 * Notes the structure of objects that a function is given: their fields, the arrays, objects and Maps in these, and the
 * metadata of Variables. Gives what puts it all back, for a function that throws must leave nothing half done.
 */
export function noteStructure(passed: GraphIndex): () => void {
  const undo: (() => void)[] = [];
  const seen = new Set<unknown>();
  const note = (value: unknown): void => {
    if (seen.has(value)) return;
    seen.add(value);
    if (Array.isArray(value)) {
      const items: readonly unknown[] = [...value];
      undo.push(() => value.splice(0, value.length, ...items));
      items.forEach(noteInside);
    } else if (value instanceof Map) {
      const entries = [...value] as [unknown, unknown][]; // of whatever it maps
      undo.push(() => putEntries(value, entries));
      for (const [, child] of entries) noteInside(child);
    } else {
      const holder = value as object; // a node or a plain object
      const [names, values] = [Object.keys(holder), Object.values(holder)];
      undo.push(() => putFields(holder, names, values));
      values.forEach(noteInside);
    }
  };
  // Nodes inside nodes are among those passed.
  const noteInside = (value: unknown): void => {
    if (typeof value !== "object" || value === null || isVariable(value)) return;
    const kind = containerOf(value)?.kind;
    if (kind !== undefined && kind !== "object") note(value);
  };
  for (const one of passed.keys()) {
    if (!isVariable(one)) note(one);
    else {
      const { metadata } = one;
      undo.push(() => adoptMetadata(one, metadata));
    }
  }
  return () => {
    for (const step of undo) step();
  };
}

function putEntries(map: Map<unknown, unknown>, entries: readonly (readonly [unknown, unknown])[]): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

/** Fields by name as they were; others are taken away. */
export function putFields(holder: object, names: readonly string[], values: readonly unknown[]): void {
  for (const name of Object.keys(holder)) if (!names.includes(name)) Reflect.deleteProperty(holder, name);
  names.forEach((name, k) => {
    if (!Object.hasOwn(holder, name) || Reflect.get(holder, name) !== values[k]) Reflect.set(holder, name, values[k]);
  });
}
