import { debugLog } from "../debug.ts";
import { summary } from "../summary.ts";
import { MAP_READ, USAGE } from "./gpu.ts";
import type { Gpu } from "./gpu.ts";

/** Timed dispatches of one submission; the rest of a longer one goes untimed. */
const MOST_TIMED = 1024;

interface Timed {
  readonly queries: GPUQuerySet;
  readonly resolved: GPUBuffer;
  readonly host: GPUBuffer;
}

/** Prints what each submission ran, with GPU times where the device has timestamps. Only made when DEBUG asks for it. */
export class Profile {
  private readonly gpu: Gpu;
  private readonly timed: boolean;
  private queries: GPUQuerySet | undefined;
  private count = 0;
  private flushes = 0;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
    this.timed = gpu.device.features.has("timestamp-query");
  }

  /** Where the next dispatch's pass writes its times. */
  next(): GPUComputePassTimestampWrites | undefined {
    if (!this.timed || this.count >= MOST_TIMED) return undefined;
    this.queries ??= this.gpu.device.createQuerySet({ type: "timestamp", count: 2 * MOST_TIMED });
    const at = 2 * this.count++;
    return { querySet: this.queries, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
  }

  /** Ends a submission's encoding; call what it returns after the submit. */
  finish(encoder: GPUCommandEncoder, labels: readonly string[]): () => void {
    const number = ++this.flushes;
    const { queries, count } = this;
    this.queries = undefined;
    this.count = 0;
    if (queries === undefined) return () => debugLog(summary(number, labels, undefined));
    const bytes = count * 16;
    const resolved = this.gpu.buffer(bytes, USAGE.queryResolve | USAGE.copySrc, "times");
    const host = this.gpu.buffer(bytes, USAGE.mapRead | USAGE.copyDst, "times");
    encoder.resolveQuerySet(queries, 0, 2 * count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, host, 0, bytes);
    return () => void this.print(number, labels, { queries, resolved, host });
  }

  private async print(number: number, labels: readonly string[], { queries, resolved, host }: Timed): Promise<void> {
    try {
      await host.mapAsync(MAP_READ);
      const stamps = new BigUint64Array(host.getMappedRange());
      const micros = labels.map((_, i) => Number((stamps[2 * i + 1] ?? 0n) - (stamps[2 * i] ?? 0n)) / 1000);
      debugLog(summary(number, labels, micros));
    } catch {
      debugLog(`jnx: flush ${number}: times were lost with the device`);
    }
    queries.destroy();
    resolved.destroy();
    host.destroy();
  }
}
