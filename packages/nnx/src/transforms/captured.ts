import { currentFrame } from "@jnx/tensor/internal";
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

type Fields = Readonly<Record<string, unknown>>;

/**
 * JavaScript tells nobody of a write to a field, so the fields of all live nodes but those passed (and what they hold)
 * are compared before and after: once a trace, not once a call.
 */
export function guardCaptured(passed: GraphIndex): CaptureGuard {
  const before: (readonly [object, Fields])[] = [];
  for (const node of liveNodes()) {
    // An Rngs is a proxy of what was noted, and its fields are streams, which tell of their own use.
    if (passed.has(node) || node instanceof RngsNode || node instanceof RngStream) continue;
    before.push([node, { ...node }]);
  }
  const changed = (): [object, Fields, string][] =>
    before.flatMap(([node, fields]) => {
      const name = changedField(fields, { ...node });
      return name === undefined ? [] : [[node, fields, name]];
    });
  const restore = (): void => {
    for (const [node, fields] of changed()) {
      for (const name of Object.keys(node)) if (!Object.hasOwn(fields, name)) Reflect.deleteProperty(node, name);
      Object.assign(node, fields);
    }
  };
  const check = (): void => {
    const [first] = changed();
    if (first === undefined) return;
    restore();
    const [node, , name] = first;
    const cls = nodeClass(node)?.name ?? "node";
    throw new TraceContextError(
      `the field "${name}" of a ${cls} was written inside ${currentFrame()?.level.name ?? "jit"}, to which the ${cls} was not passed; pass it as an argument of the transformed function`,
    );
  };
  return { check, restore };
}

function changedField(before: Fields, after: Fields): string | undefined {
  for (const name of Object.keys(after)) if (!Object.is(after[name], before[name])) return name;
  return Object.keys(before).find((name) => !Object.hasOwn(after, name));
}
