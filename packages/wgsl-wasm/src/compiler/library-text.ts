/**
 * WGSL's mathematical builtins as WGSL, over the functions of kernels-wgsl. F, I, U, B are scalars or vec4s; T is the
 * type of the first argument.
 */
import * as kernels from "@jnx/kernels-wgsl";
import type { WgslFunction } from "@jnx/kernels-wgsl";

export interface LibraryFunction {
  /** `fn library(…)`. */
  readonly source: string;
  readonly uses: readonly WgslFunction[];
  /** Types of the arguments after the first, where they are not its own. */
  readonly takes: "float" | "integer";
}

function float(source: string, ...uses: WgslFunction[]): LibraryFunction {
  return { source, uses, takes: "float" };
}

function unary(fn: WgslFunction): LibraryFunction {
  return float(`fn library(x: F) -> F { return ${fn.name}(x); }`, fn);
}

function integer(source: string): LibraryFunction {
  return { source, uses: [], takes: "integer" };
}

export const LIBRARY: Readonly<Record<string, LibraryFunction>> = {
  exp: unary(kernels.op_exp),
  exp2: float("fn library(x: F) -> F { return op_pow(F(2.0), x); }", kernels.op_pow),
  log: unary(kernels.op_log),
  log2: float("fn library(x: F) -> F { return op_log(x) * 1.44269504; }", kernels.op_log),
  pow: float("fn library(x: F, y: F) -> F { return op_pow(x, y); }", kernels.op_pow),
  sin: unary(kernels.op_sin),
  cos: unary(kernels.op_cos),
  tan: unary(kernels.op_tan),
  tanh: unary(kernels.op_tanh),
  sinh: float(
    "fn library(x: F) -> F { let a = abs(x); return sinh_from(x, op_expm1(a), op_exp(a * 0.5)); }",
    kernels.sinh_from,
    kernels.op_expm1,
    kernels.op_exp,
  ),
  cosh: float(
    "fn library(x: F) -> F { let a = abs(x); return cosh_from(x, op_exp(a), op_exp(a * 0.5)); }",
    kernels.cosh_from,
    kernels.op_exp,
  ),
  asin: unary(kernels.op_asin),
  acos: unary(kernels.op_acos),
  atan: unary(kernels.op_atan),
  atan2: float("fn library(y: F, x: F) -> F { return op_atan2(y, x); }", kernels.op_atan2),
  asinh: float(
    "fn library(x: F) -> F { return asinh_from(x, op_log1p(asinh_inner(x)), op_log(abs(x))); }",
    kernels.asinh_from,
    kernels.asinh_inner,
    kernels.op_log,
    kernels.op_log1p,
  ),
  acosh: float(
    "fn library(x: F) -> F { return acosh_from(x, op_log1p(acosh_inner(x)), op_log(x)); }",
    kernels.acosh_from,
    kernels.acosh_inner,
    kernels.op_log,
    kernels.op_log1p,
  ),
  atanh: float(
    "fn library(x: F) -> F { return atanh_from(x, op_log1p(atanh_inner(x))); }",
    kernels.atanh_from,
    kernels.atanh_inner,
    kernels.op_log1p,
  ),
  inverseSqrt: float("fn library(x: F) -> F { return 1.0 / sqrt(x); }"),
  fract: float("fn library(x: F) -> F { return x - floor(x); }"),
  saturate: float("fn library(x: F) -> F { return clamp(x, F(0.0), F(1.0)); }"),
  mix: float("fn library(x: F, y: F, t: F) -> F { return x * (1.0 - t) + y * t; }"),
  step: float("fn library(edge: F, x: F) -> F { return select(F(0.0), F(1.0), edge <= x); }"),
  smoothstep: float(
    "fn library(a: F, b: F, x: F) -> F { let t = clamp((x - a) / (b - a), F(0.0), F(1.0)); return t * t * (3.0 - 2.0 * t); }",
  ),
  degrees: float("fn library(x: F) -> F { return x * 57.2957795; }"),
  radians: float("fn library(x: F) -> F { return x * 0.0174532925; }"),
  extractBits: integer(`fn library(e: T, offset: u32, count: u32) -> T {
  let o = min(offset, 32u);
  let c = min(count, 32u - o);
  return select((e << U(32u - o - c)) >> U(32u - c), T(0), B(c == 0u));
}`),
  insertBits: integer(`fn library(e: T, bits: T, offset: u32, count: u32) -> T {
  let o = min(offset, 32u);
  let c = min(count, 32u - o);
  let mask = select((0xffffffffu >> (32u - c)) << o, 0u, c == 0u);
  return (e & T(bitcast<S>(~mask))) | ((bits << U(o)) & T(bitcast<S>(mask)));
}`),
  reverseBits: integer(`fn library(e: T) -> T {
  var x = bitcast<U>(e);
  x = ((x & U(0x55555555u)) << U(1u)) | ((x >> U(1u)) & U(0x55555555u));
  x = ((x & U(0x33333333u)) << U(2u)) | ((x >> U(2u)) & U(0x33333333u));
  x = ((x & U(0x0f0f0f0fu)) << U(4u)) | ((x >> U(4u)) & U(0x0f0f0f0fu));
  x = ((x & U(0x00ff00ffu)) << U(8u)) | ((x >> U(8u)) & U(0x00ff00ffu));
  return bitcast<T>((x << U(16u)) | (x >> U(16u)));
}`),
  firstTrailingBit: integer("fn library(e: T) -> T { return select(countTrailingZeros(e), ~T(0), e == T(0)); }"),
  firstLeadingBit: integer("fn library(e: T) -> T { return T(31) - countLeadingZeros(e ^ (e & SIGN)); }"),
};
