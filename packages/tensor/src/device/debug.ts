/** What `DEBUG=n` in Node and `globalThis.JNX_DEBUG = n` in browsers ask for: 1 kernels and their times, 2 fusion, 3 WGSL, 4 graphs. */
export function debugLevel(): number {
  // Other tools put words such as "vite:*" into DEBUG: those are no level.
  const level = Number(asked() ?? 0);
  return Number.isFinite(level) ? level : 0;
}

function asked(): unknown {
  // As unknown globals: neither is there everywhere, and `process` has no type in browsers.
  const host = globalThis as { JNX_DEBUG?: unknown; process?: { env?: Record<string, string | undefined> } };
  try {
    return host.JNX_DEBUG ?? host.process?.env?.["DEBUG"];
  } catch {
    // Deno shows the environment only to those that it is allowed to.
    return undefined;
  }
}

/** Where debug output goes. */
export function debugLog(text: string): void {
  console.debug(text);
}
