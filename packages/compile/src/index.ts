export { evalShape, makeJaxpr, ShapeDtypeStruct } from "./abstract.ts";
export { associativeScan, type AssociativeScanOptions } from "./control/associative-scan.ts";
export { cond, laxSwitch } from "./control/cond.ts";
export { foriLoop } from "./control/fori.ts";
export { laxMap, scan, type MapOptions, type ScanOptions } from "./control/scan.ts";
export { whileLoop, type WhileOptions } from "./control/while.ts";
export { jit, type Jitted, type JitOptions } from "./jit.ts";
export type { ProgramReport } from "./report.ts";
