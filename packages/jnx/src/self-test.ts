import { executor, hasExecutor, type DeviceInfo } from "@jnx/tensor";
import { init } from "./init.ts";
import { worstOf, type Expected, type KnownAnswer } from "./self-test/check.ts";
import { learning } from "./self-test/learning.ts";
import { values } from "./self-test/values.ts";
import { VERSION } from "./version.ts";

/** What one check found. */
export interface SelfTestCheck {
  readonly name: string;
  readonly ok: boolean;
  /** The worst distance from the known answer, in units of float32's last place; Infinity for a NaN too many or too few. */
  readonly ulp: number;
  /** How far it may be. */
  readonly within: number;
  /** The element that is off, or the error that was thrown; absent when all is well. */
  readonly message?: string;
}

/** What `selfTest` found; `String(report)` is its text, for a bug report. */
export interface SelfTestReport {
  readonly ok: boolean;
  readonly version: string;
  /** Where it ran: Node's version, or the browser's own name for itself. */
  readonly host: string;
  readonly device: DeviceInfo;
  readonly seconds: number;
  readonly checks: readonly SelfTestCheck[];
  toString(): string;
}

/**
 * Tries this device: elementwise functions where drivers err, whole numbers, 16-bit floats, reductions, sorting, indices, JAX's
 * random numbers, matrix products, convolution, softmax and solving with their gradients, a compiled training step, batches and
 * a loop. Each is held against an answer in float64, or JAX's own. It takes a few seconds, most of them compiling, and calls
 * `init()` if there is no device yet.
 *
 * @returns A report with each check and its worst error; a check that fails is told there and not thrown.
 * @throws NoAdapterError when there is nothing to compute on.
 * @example
 * const report = await selfTest();
 * report.ok;                          // true
 * String(report).includes("matmul");  // true
 */
export async function selfTest(): Promise<SelfTestReport> {
  const device = hasExecutor() ? executor().info : await init();
  const started = performance.now();
  // All are queued before any is awaited: their kernels compile side by side.
  const queued = [...values, ...learning].map((answer) => ({ answer, results: attempt(answer) }));
  const checks: SelfTestCheck[] = [];
  for (const { answer, results } of queued) checks.push(await judge(answer, results));
  const report = {
    ok: checks.every(({ ok }) => ok),
    version: VERSION,
    host: hostName(),
    device,
    seconds: (performance.now() - started) / 1000,
    checks,
  };
  return { ...report, toString: () => textOf(report) };
}

function attempt({ run }: KnownAnswer): readonly Expected[] | Error {
  try {
    return run();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function judge({ name, within }: KnownAnswer, results: readonly Expected[] | Error): Promise<SelfTestCheck> {
  if (results instanceof Error) return { name, ok: false, ulp: Infinity, within, message: results.message };
  try {
    let worst = { ulp: 0, message: "" };
    for (const result of results) {
      const found = await worstOf(result);
      if (found.ulp > worst.ulp) worst = found;
    }
    const ok = worst.ulp <= within;
    return { name, ok, ulp: worst.ulp, within, ...(ok ? {} : { message: worst.message }) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { name, ok: false, ulp: Infinity, within, message };
  }
}

/** Typed as always there, which they are not. */
interface Host {
  readonly process?: { readonly version?: string };
  readonly navigator?: { readonly userAgent?: string };
}

function hostName(): string {
  const host: Host = globalThis;
  const { process, navigator } = host;
  return process?.version === undefined ? (navigator?.userAgent ?? "unknown") : `Node ${process.version}`;
}

function textOf({ ok, version, host, device, seconds, checks }: Omit<SelfTestReport, "toString">): string {
  const where = device.description === "" ? device.adapter : `${device.adapter}, ${device.description}`;
  const lines = checks.map(({ name, ok, ulp, within, message }) => {
    const outcome = `${ok ? "ok  " : "FAIL"} ${name}: ${Number(ulp.toPrecision(3))} of ${within} ulp`;
    return message === undefined ? outcome : `${outcome}; ${message}`;
  });
  return [
    `jnx ${version} selfTest: ${ok ? "all is well" : "something is wrong"} (${seconds.toFixed(1)} s)`,
    `${device.kind}: ${where}${device.isFallback ? " (computes on the CPU)" : ""}; ${device.features.join(", ") || "no features"}`,
    host,
    ...lines,
  ].join("\n");
}
