/** The device's own time: timestamps at the begin and end of every compute pass, whichever engine makes it. */
import { field, isObject, wrap, wrapAround } from "./wrap.ts";

/** Timestamps a device keeps for one measurement: two a pass. */
const stamps = 4096;

interface Clock {
  readonly device: GPUDevice;
  readonly queries: GPUQuerySet;
  used: number;
}

export interface GpuClock {
  /** From here passes are timed; false where the device has no timestamps. */
  start(): boolean;
  /** Ends the timing: the sum of all passes in ms; undefined if there were too many. Call it when the device is done. */
  stop(): Promise<number | undefined>;
}

/** Wraps WebGPU's prototypes; call it before the engine makes its device, which then gets "timestamp-query" if there is one. */
export function clockWebGPU(classes: object): GpuClock {
  const devices = new WeakMap<object, GPUDevice>();
  let latest: GPUDevice | undefined;
  let clock: Clock | undefined;
  wrapAround(classes, "GPUAdapter", "requestDevice", (self, [descriptor], call) => {
    const features: unknown = field(self, "features");
    const has: unknown = features instanceof Set ? features.has("timestamp-query") : hasFeature(features);
    const wanted: unknown = field(descriptor, "requiredFeatures");
    const required = new Set(isIterable(wanted) ? wanted : []);
    if (has === true) required.add("timestamp-query");
    const promise = call([{ ...(isObject(descriptor) ? descriptor : {}), requiredFeatures: [...required] }]);
    if (promise instanceof Promise) {
      // requestDevice gives a GPUDevice or rejects.
      void promise.then((device: GPUDevice) => (latest = device)).catch(() => undefined);
    }
    return promise;
  });
  wrap(classes, "GPUDevice", "createCommandEncoder", (self, _args, encoder) => {
    // The method's `this` is the device.
    if (isObject(encoder)) devices.set(encoder, self as GPUDevice);
  });
  wrapAround(classes, "GPUCommandEncoder", "beginComputePass", (self, [descriptor], call) => {
    const device = isObject(self) ? devices.get(self) : undefined;
    const own: unknown = field(descriptor, "timestampWrites");
    if (clock === undefined || clock.device !== device || own !== undefined) return call([descriptor]);
    const at = clock.used;
    clock.used += 2;
    if (clock.used > stamps) return call([descriptor]);
    const timestampWrites = {
      querySet: clock.queries,
      beginningOfPassWriteIndex: at,
      endOfPassWriteIndex: at + 1,
    };
    return call([{ ...(isObject(descriptor) ? descriptor : {}), timestampWrites }]);
  });
  return {
    start() {
      if (latest?.features.has("timestamp-query") !== true) return false;
      clock = { device: latest, queries: latest.createQuerySet({ type: "timestamp", count: stamps }), used: 0 };
      return true;
    },
    async stop() {
      const ended = clock;
      clock = undefined;
      if (ended === undefined || ended.used === 0 || ended.used > stamps) return undefined;
      return read(ended);
    },
  };
}

function hasFeature(features: unknown): boolean {
  const has: unknown = field(features, "has");
  return typeof has === "function" && Reflect.apply(has, features, ["timestamp-query"]) === true;
}

function isIterable(x: unknown): x is Iterable<unknown> {
  return isObject(x) && Symbol.iterator in x;
}

async function read({ device, queries, used }: Clock): Promise<number> {
  const bytes = used * 8;
  const resolved = device.createBuffer({ size: bytes, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  const host = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.resolveQuerySet(queries, 0, used, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, host, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await host.mapAsync(GPUMapMode.READ);
  const times = new BigUint64Array(host.getMappedRange());
  let sum = 0;
  for (let i = 0; i < used; i += 2) sum += Number((times[i + 1] ?? 0n) - (times[i] ?? 0n)) / 1e6;
  host.unmap();
  for (const one of [resolved, host, queries]) one.destroy();
  return sum;
}
