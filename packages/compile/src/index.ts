export { evalShape, makeJaxpr, ShapeDtypeStruct } from "./abstract.ts";
export { foriLoop, laxMap, scan, type ScanOptions } from "./control/scan.ts";
export { jit, type Jitted, type JitOptions } from "./jit.ts";
export type { ProgramReport } from "./program.ts";
