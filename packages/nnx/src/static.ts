const statics = /* @__PURE__ */ new WeakSet<object>();

/** From now on walks of object graphs take the value as structure, without looking into it. */
export function markStatic(value: object): void {
  statics.add(value);
}

/** True for what `nnx.static` has marked. */
export function isMarkedStatic(value: object): boolean {
  return statics.has(value);
}
