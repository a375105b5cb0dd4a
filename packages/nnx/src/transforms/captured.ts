import { TraceContextError } from "../errors.ts";
import type { GraphIndex } from "../graph-def.ts";
import { liveNodes } from "../live-nodes.ts";
import { nodeClass } from "../node.ts";
import { RngsNode, RngStream } from "../rngs.ts";

/** Guards the objects that a trace was not given. */
export interface CaptureGuard {
  /**
   * Throws if a field of one was written since.
   *
   * @throws TraceContextError with class and field, after all are as they were.
   */
  check(): void;
  /** Puts their fields back. */
  restore(): void;
}

/** A node's fields as they were: by name, and each with its value. */
interface Before {
  readonly node: object;
  readonly names: readonly string[];
  readonly values: readonly unknown[];
}

/**
 * JavaScript tells nobody of a write to a field, so the fields of all live nodes but those passed (and what they hold)
 * are compared before and after: once for each run of the function, so once a trace where it is traced.
 */
export function guardCaptured(transform: string, passed: GraphIndex): CaptureGuard {
  const before: Before[] = [];
  for (const node of liveNodes()) {
    // An Rngs is a proxy of what was noted, and its fields are streams, which tell of their own use.
    if (passed.has(node) || node instanceof RngsNode || node instanceof RngStream) continue;
    before.push({ node, names: Object.keys(node), values: Object.values(node) });
  }
  const restore = (): void => {
    for (const one of before) if (changedField(one) !== undefined) putBack(one);
  };
  const check = (): void => {
    const first = before.find((one) => changedField(one) !== undefined);
    if (first === undefined) return;
    const name = changedField(first) ?? "";
    restore();
    const cls = nodeClass(first.node)?.name ?? "node";
    throw new TraceContextError(
      `the field "${name}" of a ${cls} was written inside ${transform}, to which the ${cls} was not passed; pass it as an argument of the transformed function`,
    );
  };
  return { check, restore };
}

function changedField({ node, names, values }: Before): string | undefined {
  for (let k = 0; k < names.length; k++) {
    const name = names[k] ?? "";
    const value: unknown = Reflect.get(node, name);
    // One that is gone may have been undefined.
    if (!Object.is(value, values[k]) || (value === undefined && !Object.hasOwn(node, name))) return name;
  }
  const now = Object.keys(node);
  return now.length === names.length ? undefined : now.find((name) => !names.includes(name));
}

function putBack({ node, names, values }: Before): void {
  for (const name of Object.keys(node)) if (!names.includes(name)) Reflect.deleteProperty(node, name);
  names.forEach((name, k) => Reflect.set(node, name, values[k]));
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
