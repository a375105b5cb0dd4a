import type { VariableClass } from "./variable.ts";

/** What a module has sown while `capture` runs: values by Variable class and name. */
export type CaptureBuffers = Map<VariableClass, Map<string, unknown>>;

const open = /* @__PURE__ */ new WeakMap<object, CaptureBuffers>();

/** The buffers that a module sows into now; undefined outside `capture`. */
export function buffersOf(module: object): CaptureBuffers | undefined {
  return open.get(module);
}

/** From now on a module sows into these buffers, or, given none, into its own fields. */
export function setBuffers(module: object, buffers: CaptureBuffers | undefined): void {
  if (buffers === undefined) open.delete(module);
  else open.set(module, buffers);
}
