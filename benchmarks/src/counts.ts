/**
 * Exact counts of what an engine asks of WebGPU, taken by wrapping the methods of WebGPU's own prototypes.
 * They are the same on every adapter, so they compare engines even where times do not.
 */

import { field, isObject, wrap } from "./wrap.ts";

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
  /** Storage that the dispatches had bound, each binding once for each dispatch: what they could move at most. */
  readonly bytesBound: number;
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

interface State {
  readonly tally: Tally;
  readonly live: { alive: number; peak: number };
  readonly errors: string[];
  readonly devices: string[];
  /** Bytes alive by device, so that destroying a device releases what it held. */
  readonly perDevice: WeakMap<object, { bytes: number }>;
  /** The live buffers: their size and whose they are. */
  readonly buffers: WeakMap<object, { size: number; storage: boolean; device: { bytes: number } }>;
  /** Bytes of storage in a bind group; bind groups of a pass by index. */
  readonly groups: WeakMap<object, number>;
  readonly bound: WeakMap<object, Map<unknown, number>>;
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
  bytesBound: 0,
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
  "bytesBound",
];

/** Combines two readings field by field. */
export function mapCounts(a: Counts, b: Counts, f: (x: number, y: number) => number): Counts {
  const out: Tally = { ...zero };
  for (const name of fields) out[name] = f(a[name], b[name]);
  return out;
}

function wrapCalls(classes: object, tally: Tally): void {
  const one = (name: keyof Counts, className: string, ...methods: string[]): void => {
    for (const method of methods) wrap(classes, className, method, () => tally[name]++);
  };
  one("passes", "GPUCommandEncoder", "beginComputePass");
  one("copies", "GPUCommandEncoder", "copyBufferToBuffer", "clearBuffer");
  one("submits", "GPUQueue", "submit");
  one("writeBuffer", "GPUQueue", "writeBuffer");
  one("bindGroups", "GPUDevice", "createBindGroup");
  one("pipelines", "GPUDevice", "createComputePipeline", "createComputePipelineAsync");
  wrap(classes, "GPUDevice", "createShaderModule", (_self, [descriptor]) => {
    const code = field(descriptor, "code");
    if (typeof code === "string") tally.wgslBytes += Buffer.byteLength(code);
  });
}

function wrapBuffers(classes: object, state: State): void {
  wrap(classes, "GPUDevice", "createBuffer", (self, [descriptor], buffer) => {
    state.tally.buffersCreated++;
    const [size, usage] = [field(descriptor, "size"), field(descriptor, "usage")];
    if (!isObject(self) || !isObject(buffer) || typeof size !== "number") return;
    const device = state.perDevice.get(self) ?? { bytes: 0 };
    state.perDevice.set(self, device);
    device.bytes += size;
    const storage = typeof usage === "number" && (usage & storageUsage) !== 0;
    state.buffers.set(buffer, { size, storage, device });
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

/** GPUBufferUsage.STORAGE. */
const storageUsage = 0x80;

/** Bytes of one binding; 0 for what is no storage. */
function bindingBytes(state: State, resource: unknown): number {
  const inner = field(resource, "buffer") ?? resource;
  const buffer = isObject(inner) ? state.buffers.get(inner) : undefined;
  if (buffer?.storage !== true) return 0;
  const [size, offset] = [field(resource, "size"), field(resource, "offset")];
  if (inner !== resource && typeof size === "number") return size;
  return buffer.size - (inner !== resource && typeof offset === "number" ? offset : 0);
}

function wrapDispatches(classes: object, state: State): void {
  const pass = "GPUComputePassEncoder";
  wrap(classes, "GPUDevice", "createBindGroup", (_self, [descriptor], group) => {
    const entries = field(descriptor, "entries");
    if (!isObject(group) || !Array.isArray(entries)) return;
    const sizes = entries.map((entry: unknown) => bindingBytes(state, field(entry, "resource")));
    state.groups.set(
      group,
      sizes.reduce((a, b) => a + b, 0),
    );
  });
  wrap(classes, pass, "setBindGroup", (self, [index, group]) => {
    if (!isObject(self)) return;
    const bound = state.bound.get(self) ?? new Map<unknown, number>();
    state.bound.set(self, bound);
    bound.set(index, isObject(group) ? (state.groups.get(group) ?? 0) : 0);
  });
  for (const method of ["dispatchWorkgroups", "dispatchWorkgroupsIndirect"]) {
    wrap(classes, pass, method, (self) => {
      state.tally.dispatches++;
      const bound = isObject(self) ? state.bound.get(self) : undefined;
      for (const bytes of bound?.values() ?? []) state.tally.bytesBound += bytes;
    });
  }
}

function describe(adapter: unknown): string {
  const info = field(adapter, "info");
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
        (event: unknown) => state.errors.push(String(field(field(event, "error"), "message") ?? event)),
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
    groups: new WeakMap(),
    bound: new WeakMap(),
  };
  wrapCalls(classes, state.tally);
  wrapBuffers(classes, state);
  wrapDispatches(classes, state);
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
