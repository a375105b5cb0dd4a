/**
 * Exact counts of what an engine asks of WebGPU, taken by wrapping the methods of WebGPU's own prototypes.
 * They are the same on every adapter, so they compare engines even where times do not.
 */

/** What was asked of WebGPU, in calls and in bytes. */
export interface Counts {
  readonly dispatches: number;
  readonly passes: number;
  readonly submits: number;
  readonly bindGroups: number;
  readonly writeBuffer: number;
  readonly copies: number;
  readonly buffersCreated: number;
  readonly pipelines: number;
  readonly wgslBytes: number;
}

/** Bytes of GPU buffers created and not destroyed: now, and the most since `resetPeak`. */
export interface LiveBytes {
  readonly alive: number;
  readonly peak: number;
}

/** Reads the counters; `since` gives the difference to an earlier reading. */
export interface Counter {
  read(): Counts;
  since(before: Counts): Counts;
  liveBytes(): LiveBytes;
  resetPeak(): void;
  /** Errors no error scope caught, on any device made since the wrapping. */
  readonly errors: readonly string[];
  /** `adapter.info` of each adapter that gave a device, as "vendor architecture description". */
  readonly devices: readonly string[];
}

type Tally = { -readonly [K in keyof Counts]: number };
type After = (self: unknown, args: readonly unknown[], result: unknown) => void;
type Method = (this: unknown, ...args: unknown[]) => unknown;

interface State {
  readonly tally: Tally;
  readonly live: { alive: number; peak: number };
  readonly errors: string[];
  readonly devices: string[];
  /** Bytes alive by device, so that destroying a device releases what it held. */
  readonly perDevice: WeakMap<object, { bytes: number }>;
  /** The live buffers: their size and whose they are. */
  readonly buffers: WeakMap<object, { size: number; device: { bytes: number } }>;
}

const zero: Counts = {
  dispatches: 0,
  passes: 0,
  submits: 0,
  bindGroups: 0,
  writeBuffer: 0,
  copies: 0,
  buffersCreated: 0,
  pipelines: 0,
  wgslBytes: 0,
};

const fields: readonly (keyof Counts)[] = [
  "dispatches",
  "passes",
  "submits",
  "bindGroups",
  "writeBuffer",
  "copies",
  "buffersCreated",
  "pipelines",
  "wgslBytes",
];

/** Combines two readings field by field. */
export function mapCounts(a: Counts, b: Counts, f: (x: number, y: number) => number): Counts {
  const out: Tally = { ...zero };
  for (const field of fields) out[field] = f(a[field], b[field]);
  return out;
}

function isObject(x: unknown): x is object {
  return typeof x === "object" && x !== null;
}

/** Replaces `classes[className].prototype[method]` by itself followed by `after`. */
function wrap(classes: object, className: string, method: string, after: After): void {
  const constructor: unknown = Reflect.get(classes, className);
  if (typeof constructor !== "function") return;
  const prototype: unknown = constructor.prototype;
  if (!isObject(prototype)) return;
  const original: unknown = Reflect.get(prototype, method);
  if (typeof original !== "function") return;
  const wrapped: Method = function (...args) {
    const result: unknown = Reflect.apply(original, this, args);
    after(this, args, result);
    return result;
  };
  Object.defineProperty(prototype, method, { value: wrapped, configurable: true, writable: true });
}

function wrapCalls(classes: object, tally: Tally): void {
  const one = (field: keyof Counts, className: string, ...methods: string[]): void => {
    for (const method of methods) wrap(classes, className, method, () => tally[field]++);
  };
  one("dispatches", "GPUComputePassEncoder", "dispatchWorkgroups", "dispatchWorkgroupsIndirect");
  one("passes", "GPUCommandEncoder", "beginComputePass");
  one("copies", "GPUCommandEncoder", "copyBufferToBuffer", "clearBuffer");
  one("submits", "GPUQueue", "submit");
  one("writeBuffer", "GPUQueue", "writeBuffer");
  one("bindGroups", "GPUDevice", "createBindGroup");
  one("pipelines", "GPUDevice", "createComputePipeline", "createComputePipelineAsync");
  wrap(classes, "GPUDevice", "createShaderModule", (_self, [descriptor]) => {
    const code: unknown = isObject(descriptor) ? Reflect.get(descriptor, "code") : "";
    if (typeof code === "string") tally.wgslBytes += Buffer.byteLength(code);
  });
}

function wrapBuffers(classes: object, state: State): void {
  wrap(classes, "GPUDevice", "createBuffer", (self, [descriptor], buffer) => {
    state.tally.buffersCreated++;
    const size: unknown = isObject(descriptor) ? Reflect.get(descriptor, "size") : 0;
    if (!isObject(self) || !isObject(buffer) || typeof size !== "number") return;
    const device = state.perDevice.get(self) ?? { bytes: 0 };
    state.perDevice.set(self, device);
    device.bytes += size;
    state.buffers.set(buffer, { size, device });
    state.live.alive += size;
    state.live.peak = Math.max(state.live.peak, state.live.alive);
  });
  wrap(classes, "GPUBuffer", "destroy", (self) => {
    const entry = isObject(self) ? state.buffers.get(self) : undefined;
    if (!isObject(self) || entry === undefined) return;
    state.buffers.delete(self);
    // A device destroyed before its buffers has given its bytes back already.
    if (entry.device.bytes < entry.size) return;
    entry.device.bytes -= entry.size;
    state.live.alive -= entry.size;
  });
  wrap(classes, "GPUDevice", "destroy", (self) => {
    const device = isObject(self) ? state.perDevice.get(self) : undefined;
    if (device === undefined) return;
    state.live.alive -= device.bytes;
    device.bytes = 0;
  });
}

function describe(adapter: unknown): string {
  const info: unknown = isObject(adapter) ? Reflect.get(adapter, "info") : undefined;
  if (!isObject(info)) return "unknown";
  const parts = ["vendor", "architecture", "device", "description"].map((key): unknown => Reflect.get(info, key));
  return parts.filter((part) => typeof part === "string" && part !== "").join(" ");
}

function wrapDevices(classes: object, state: State): void {
  wrap(classes, "GPUAdapter", "requestDevice", (self, _args, promise) => {
    if (!(promise instanceof Promise)) return;
    void promise.then((device: unknown) => {
      state.devices.push(describe(self));
      if (!(device instanceof EventTarget) && !isObject(device)) return;
      const listen: unknown = Reflect.get(device, "addEventListener");
      if (typeof listen !== "function") return;
      Reflect.apply(listen, device, [
        "uncapturederror",
        (event: unknown) => {
          const error: unknown = isObject(event) ? Reflect.get(event, "error") : event;
          const message: unknown = isObject(error) ? Reflect.get(error, "message") : error;
          state.errors.push(String(message));
        },
      ]);
    });
  });
}

const installed = new WeakMap<object, Counter>();

/** For engines on the CPU, where WebGPU is not asked for anything. `device` is what they compute on. */
export function countNothing(device: string): Counter {
  const live = { alive: 0, peak: 0 };
  return {
    read: () => zero,
    since: () => zero,
    liveBytes: () => live,
    resetPeak: () => undefined,
    errors: [],
    devices: [device],
  };
}

/**
 * Wraps WebGPU's prototypes and starts counting. `classes` holds them by name: `globalThis` in a browser,
 * `globals` of the package `webgpu` in Node. Call it before the engine makes its device; a second call with
 * the same classes gives the same counter.
 *
 * @example
 * const counter = countWebGPU(globals);
 * const before = counter.read();
 * await step();
 * counter.since(before).dispatches; // 24
 */
export function countWebGPU(classes: object): Counter {
  const key: unknown = Reflect.get(classes, "GPUDevice");
  if (typeof key !== "function") {
    throw new Error("countWebGPU: no class GPUDevice was given; pass `globals` of the package webgpu");
  }
  const existing = installed.get(key);
  if (existing !== undefined) return existing;
  const state: State = {
    tally: { ...zero },
    live: { alive: 0, peak: 0 },
    errors: [],
    devices: [],
    perDevice: new WeakMap(),
    buffers: new WeakMap(),
  };
  wrapCalls(classes, state.tally);
  wrapBuffers(classes, state);
  wrapDevices(classes, state);
  const counter: Counter = {
    read: () => ({ ...state.tally }),
    since: (before) => mapCounts(state.tally, before, (now, then) => now - then),
    liveBytes: () => ({ ...state.live }),
    resetPeak: () => {
      state.live.peak = state.live.alive;
    },
    errors: state.errors,
    devices: state.devices,
  };
  installed.set(key, counter);
  return counter;
}
