import { DeviceError, DeviceLostError, OutOfMemoryError } from "../../errors.ts";
import type { Counters } from "../executor.ts";
import { formatLabels } from "../format.ts";
import { Failures } from "../failures.ts";
import type { Stretch } from "./memory.ts";
import type { Wait } from "./options.ts";

/** WebGPU's usage flags; the globals of that name are missing in Node. */
export const USAGE = {
  mapRead: 0x1,
  copySrc: 0x4,
  copyDst: 0x8,
  uniform: 0x40,
  storage: 0x80,
  indirect: 0x100,
  queryResolve: 0x200,
} as const;
export const VISIBLE_TO_COMPUTE = 0x4;
export const MAP_READ = 0x1;

/** The device with what all parts of the executor share: counters, errors and whether it is lost. */
export class Gpu {
  readonly device: GPUDevice;
  readonly wait: Wait;
  readonly failures = new Failures();
  readonly counters: { -readonly [K in keyof Counters]: Counters[K] } = {
    dispatches: 0,
    submits: 0,
    passes: 0,
    pipelines: 0,
    bindGroups: 0,
    bufferCreations: 0,
    writes: 0,
    reads: 0,
  };
  lost: DeviceLostError | undefined;
  /** How many bytes a dispatch can be given without a buffer; 0 where WebGPU has no immediates yet. */
  readonly immediateBytes: number;
  /** Bytes in live buffers, for messages; set by the memory part. */
  liveBytes: () => number = () => 0;
  /** Of the dispatches, how many were waited for. */
  private awaited = 0;
  private readonly checks = new Set<Promise<void>>();
  private keys = 1;

  constructor(device: GPUDevice, wait: Wait = (pending) => pending, immediates = true) {
    this.device = device;
    this.wait = wait;
    this.immediateBytes = immediates ? mostImmediates(device) : 0;
    device.addEventListener("uncapturederror", this.uncaptured);
  }

  /** Stops listening: a device that the user lent lives on. */
  detach(): void {
    this.device.removeEventListener("uncapturederror", this.uncaptured);
  }

  /** Unique numbers for bind group keys. */
  nextKey(): number {
    return this.keys++;
  }

  alive(): void {
    // A new object each time, so that its stack is the caller's.
    if (this.lost !== undefined) throw new DeviceLostError(this.lost.message, this.lost.labels, { cause: this.lost });
  }

  buffer(size: number, usage: number, label: string): GPUBuffer {
    this.counters.bufferCreations++;
    return this.device.createBuffer({ size, usage, label });
  }

  upload(buffer: GPUBuffer, offset: number, data: Uint8Array<ArrayBuffer>): void {
    this.counters.writes++;
    this.device.queue.writeBuffer(buffer, offset, data, 0, data.byteLength);
  }

  /** Copies before what is only encoded or queued. */
  copyNow(label: string, from: GPUBuffer, fromOffset: number, to: Stretch, bytes: number): void {
    const report = this.watch();
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, fromOffset, to.gpu, to.offset, bytes);
    this.counters.submits++;
    this.device.queue.submit([encoder.finish()]);
    report((error) => this.failures.record(this.describe(error, [label]), 0));
  }

  /** Opens error scopes; the function returned closes them and reports the first error there was. */
  watch(): (report: (error: GPUError) => void) => void {
    this.device.pushErrorScope("out-of-memory");
    this.device.pushErrorScope("validation");
    return (report) => {
      for (let i = 0; i < 2; i++) this.check(this.device.popErrorScope(), report);
    };
  }

  /** Waits for what was submitted, telling the platform how many dispatches that is. */
  async waitForWork<T>(pending: Promise<T>): Promise<T> {
    const { dispatches } = this.counters;
    const result = await this.wait(pending, dispatches - this.awaited);
    this.awaited = Math.max(this.awaited, dispatches);
    return result;
  }

  /** Resolves when the outcome of everything done so far is known. */
  async checked(): Promise<void> {
    await Promise.all(this.checks);
  }

  /** Turns WebGPU's error into ours. */
  describe(error: GPUError, labels: readonly string[], asked = 0): DeviceError {
    const ops = labels.length === 0 ? "device" : formatLabels(labels);
    const text = error.message.trim();
    if (error.constructor.name === "GPUOutOfMemoryError") {
      const message = `${ops}: the device is out of memory (${text}); free tensors, use smaller batches, or run the step under jit`;
      return new OutOfMemoryError(message, asked, this.liveBytes(), labels);
    }
    return new DeviceError(`${ops}: the device refused a command, results are invalid: ${text}`, labels);
  }

  private check(scope: Promise<GPUError | null>, report: (error: GPUError) => void): void {
    const done = scope.then(
      (error) => {
        this.checks.delete(done);
        if (error !== null) report(error);
      },
      // Rejected only when the device is lost, which is reported on its own.
      () => void this.checks.delete(done),
    );
    this.checks.add(done);
  }

  private readonly uncaptured = (event: GPUUncapturedErrorEvent): void => {
    event.preventDefault();
    this.failures.record(this.describe(event.error, []), 0);
  };
}

function mostImmediates({ limits }: GPUDevice): number {
  // Newer than some browsers, which may have the limit before the language has the feature; Node has no navigator.
  const host = globalThis as { navigator?: { gpu?: { wgslLanguageFeatures?: ReadonlySet<string> } } };
  if (host.navigator?.gpu?.wgslLanguageFeatures?.has("immediate_address_space") === false) return 0;
  return (limits as { readonly maxImmediateSize?: number }).maxImmediateSize ?? 0; // as some have it
}
