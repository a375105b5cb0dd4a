/** What `init` knows by name. */
export type DeviceName = "webgpu" | "wasm" | AdapterName;

/** Software adapters that Node can have. */
export type AdapterName = "swiftshader" | "lavapipe";

/** What is looked for: a GPU and nothing else, any adapter, or one by name. */
export type AdapterWish = "gpu" | "webgpu" | AdapterName;
