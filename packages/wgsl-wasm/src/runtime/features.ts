import { NoAdapterError } from "@jnx/tensor";

/** What this engine's WebAssembly can do. */
export interface Features {
  /** Fused multiply-add on four lanes, in whichever rounding the processor has. */
  readonly relaxedSimd: boolean;
  readonly sharedMemory: boolean;
}

const HEAD = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0];
const ZEROS = [0x41, 0, 0xfd, 0x0f];
/** One function that returns a v128 of zeros. */
const SIMD = Uint8Array.from([...HEAD, 10, 8, 1, 6, 0, ...ZEROS, 0x0b]);
/** And one that gets it from relaxed_madd. */
const RELAXED = Uint8Array.from([...HEAD, 10, 19, 1, 17, 0, ...ZEROS, ...ZEROS, ...ZEROS, 0xfd, 0x85, 0x02, 0x0b]);

/**
 * Finds out what there is.
 *
 * @throws NoAdapterError when there is no WebAssembly SIMD, or when the page's Content-Security-Policy forbids WebAssembly.
 */
export function detectFeatures(): Features {
  if (typeof WebAssembly === "undefined" || !WebAssembly.validate(SIMD)) {
    throw new NoAdapterError(
      'init: "wasm" needs WebAssembly with SIMD: Node 16.4, Chrome 91, Firefox 89, Safari 16.4 or later',
    );
  }
  try {
    new WebAssembly.Module(SIMD);
  } catch (error) {
    throw new NoAdapterError(
      `init: "wasm" cannot compile kernels here: ${error instanceof Error ? error.message : String(error)}. ` +
        "If the page has a Content-Security-Policy, add 'wasm-unsafe-eval' to its script-src",
      { cause: error },
    );
  }
  return { relaxedSimd: WebAssembly.validate(RELAXED), sharedMemory: typeof SharedArrayBuffer !== "undefined" };
}
