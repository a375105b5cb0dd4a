export { adapterName, initDevice, makeAdapter, makeExecutor, useDevice } from "./device.ts";
