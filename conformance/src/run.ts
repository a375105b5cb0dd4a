import { executor } from "@jnx/tensor";
import { VERSION, type DeviceInfo } from "jnx";
import type { Compiled } from "./messages.ts";
import { probeFaults } from "./faults.ts";
import { allChecks, type Check } from "./suite.ts";

/** The outcome of one check. */
export interface Result extends Omit<Check, "run"> {
  readonly ok: boolean;
  /** The worst distance from the oracle, in units in the last place. */
  readonly ulp: number;
  /** What went wrong. */
  readonly message?: string;
}

/** What one implementation of WebGPU did with the whole table: what the page offers for download. */
export interface Report {
  readonly jnx: string;
  readonly date: string;
  /** What ran it: "Dawn in Node", "Chromium 147", a user agent. */
  readonly engine: string;
  readonly device: DeviceInfo;
  readonly seconds: number;
  /** Texts of kernels that were compiled, and what the compiler said of any of them; absent where there is no WGSL compiler. */
  readonly compiled?: Compiled;
  /** What the language's own functions give there where drivers err, by the text of the probe. */
  readonly faults: Readonly<Record<string, string>>;
  readonly results: readonly Result[];
}

export interface RunOptions {
  readonly engine: string;
  readonly device: DeviceInfo;
  /** Only checks whose family or function contains this text. */
  readonly only?: string;
  /** Tells what was compiled, at the end. */
  readonly compiled?: () => Promise<Compiled>;
  readonly onProgress?: (done: number, total: number, latest: Result) => void;
}

/** Runs the checks on the device in use, one after another, each with the errors that the device reports for it. */
export async function runSuite({ engine, device, only, compiled, onProgress }: RunOptions): Promise<Report> {
  const checks = allChecks().filter(({ family, label }) => only === undefined || `${family} ${label}`.includes(only));
  const started = performance.now();
  const results: Result[] = [];
  for (const check of checks) {
    const result = await outcome(check);
    results.push(result);
    onProgress?.(results.length, checks.length, result);
  }
  const faults = await probeFaults();
  const seconds = (performance.now() - started) / 1000;
  const said = device.kind === "webgpu" ? await compiled?.() : undefined;
  return {
    jnx: VERSION,
    date: new Date().toISOString(),
    engine,
    device,
    seconds,
    ...(said && { compiled: said }),
    faults,
    results,
  };
}

async function outcome({ run, ...about }: Check): Promise<Result> {
  try {
    const ulp = await run();
    await executor().settled();
    return { ...about, ok: true, ulp };
  } catch (error) {
    return { ...about, ok: false, ulp: 0, message: error instanceof Error ? error.message : String(error) };
  }
}
