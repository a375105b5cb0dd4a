/** Which rule of the subset, or of WGSL itself, a text breaks. */
export type Rule =
  | "syntax"
  | "name"
  | "type"
  | "constant"
  | "binding"
  | "entry-point"
  | "early-return"
  | "barrier"
  | "uniformity"
  | "private-array"
  | "pointer"
  | "recursion"
  | "unsupported";

/** A place in a text; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A text that is not WGSL, or is outside the subset that compiles to WebAssembly. */
export class WgslError extends Error {
  override readonly name = "WgslError";
  readonly line: number;
  readonly column: number;
  readonly rule: Rule;

  constructor(rule: Rule, place: Place, message: string) {
    super(`${place.line}:${place.column}: ${message} [${rule}]`);
    this.line = place.line;
    this.column = place.column;
    this.rule = rule;
  }
}
