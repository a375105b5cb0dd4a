import { TraceContextError } from "../errors.ts";
import type { GraphIndex } from "../graph-def.ts";
import { liveNodes } from "../live-nodes.ts";
import { nodeClass } from "../node.ts";
import { noteStructure, putFields } from "./passed.ts";

/** Guards the objects that a trace was not given, and can undo what it did to the structure of those that it was. */
export interface CaptureGuard {
  /**
   * Throws if a field of one was written since.
   *
   * @throws TraceContextError with class and field, after all are as they were.
   */
  check(): void;
  /** Puts their fields back, and the structure of those that it was given. */
  restore(): void;
}

/** Nodes and their fields as they were, place by place. */
interface Before {
  readonly nodes: object[];
  readonly names: (readonly string[])[];
  readonly values: (readonly unknown[])[];
}

/**
 * JavaScript tells nobody of a write to a field, so the fields of all live nodes but those passed (and what they hold)
 * are compared before and after: once for each run of the function, so once a trace where it is traced. A node costs
 * about a tenth of a microsecond, of which there is little to save: values are listed by the engine itself.
 */
export function guardCaptured(transform: string, passed: GraphIndex): CaptureGuard {
  const before = look(passed);
  const restorePassed = noteStructure(passed);
  const putAllBack = (): void => {
    for (let k = 0; k < before.nodes.length; k++) if (isChanged(before, k)) putBack(before, k);
  };
  const restore = (): void => {
    putAllBack();
    restorePassed();
  };
  const check = (): void => {
    for (let k = 0; k < before.nodes.length; k++) {
      if (!isChanged(before, k)) continue;
      const [name, cls] = [changedField(before, k), nodeClass(before.nodes[k])?.name ?? "node"];
      restore();
      throw new TraceContextError(
        `the field "${name}" of a ${cls} was written inside ${transform}, to which the ${cls} was not passed; pass it as an argument of the transformed function`,
      );
    }
  };
  return { check, restore };
}

function look(passed: GraphIndex): Before {
  const before: Before = { nodes: [], names: [], values: [] };
  for (const live of liveNodes()) {
    const node = live.ref.deref();
    if (node === undefined || passed.has(node)) continue;
    const values = Object.values(node);
    // Fields seldom come or go.
    if (values.length !== live.names.length) live.names = Object.keys(node);
    before.nodes.push(node);
    before.names.push(live.names);
    before.values.push(values);
  }
  return before;
}

function isChanged({ nodes, values }: Before, at: number): boolean {
  const [was, now] = [values[at] ?? [], Object.values(nodes[at] ?? {})];
  if (was.length !== now.length) return true;
  for (let k = 0; k < was.length; k++) if (was[k] !== now[k] && !Object.is(was[k], now[k])) return true;
  return false;
}

/** The first field that has another value, is gone or is new. */
function changedField({ nodes, names, values }: Before, at: number): string {
  const [node, known, was] = [nodes[at] ?? {}, names[at] ?? [], values[at] ?? []];
  const other = known.find((name, k) => !Object.hasOwn(node, name) || !Object.is(Reflect.get(node, name), was[k]));
  return other ?? Object.keys(node).find((name) => !known.includes(name)) ?? "";
}

function putBack({ nodes, names, values }: Before, at: number): void {
  putFields(nodes[at] ?? {}, names[at] ?? [], values[at] ?? []);
}

/** What `f` gives; throws, as `check` does, if it wrote a field of an object that is not among those passed. */
export function guarded<R>(name: string, passed: GraphIndex, f: () => R): R {
  const captured = guardCaptured(name, passed);
  let result: R;
  try {
    result = f();
  } catch (error) {
    captured.restore();
    throw error;
  }
  captured.check();
  return result;
}
