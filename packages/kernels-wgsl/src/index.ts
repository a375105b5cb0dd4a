export type { Binding, Kernel, LinkedKernel, LinkOptions, UniformField, UniformLayout, WgslFunction } from "./kernel.ts";
export { link } from "./kernel.ts";
export { ceilDiv, foldGrid, MAX_GROUPS_PER_DIMENSION } from "./launch.ts";
export { packUniform } from "./params.ts";
