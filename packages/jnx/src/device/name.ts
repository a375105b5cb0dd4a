/** The adapters that `init` knows by name. */
export type DeviceName = "webgpu" | "swiftshader" | "lavapipe";
