import type { Executor } from "@jnx/tensor";
import type { Runnable } from "../segments.ts";

/** Compiled bodies of loops and branches, by their text; apart, so that forgetting them brings along nothing that makes them. */
export const keptBodies = new WeakMap<Executor, Map<string, Runnable>>();
