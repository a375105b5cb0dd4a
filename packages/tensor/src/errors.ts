/**
 * Every error that the engine throws on purpose. Messages read `op: what was wrong, what was received; remedy`.
 */

/** Base class: `error instanceof JnxError` tells our errors from others. */
export class JnxError extends Error {
  override name = "JnxError";

  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    const stack = deepStack(this);
    if (stack !== undefined) this.stack = usersFirst(stack);
  }
}

/** Frames kept: enough to leave our own ones behind. */
const FRAMES = 60;
const FRAMES_SHOWN = 20;

/** V8's means to ask for more than the ten frames it gives. */
interface StackTaker {
  stackTraceLimit?: number;
  captureStackTrace?(target: object, above: unknown): void;
}

function deepStack(error: JnxError): string | undefined {
  const taker: StackTaker = Error;
  const { stackTraceLimit } = taker;
  if (taker.captureStackTrace === undefined || stackTraceLimit === undefined) return error.stack;
  taker.stackTraceLimit = FRAMES;
  taker.captureStackTrace(error, error.constructor);
  taker.stackTraceLimit = stackTraceLimit;
  return error.stack;
}

/** A frame inside jnx's own packages, built or as they are. */
const OWN = /[\\/](?:@?jnx|packages)[\\/](?:tensor|autodiff|compile|nnx|optax|kernels-wgsl|wgsl-wasm|jnx|dist)[\\/]/;

/** The stack with the user's own frame first: what of ours called up the error comes last. */
function usersFirst(stack: string): string {
  const lines = stack.split("\n");
  const first = lines.findIndex((line) => line.startsWith("    at "));
  if (first < 0) return stack;
  // Built-in functions such as map have no file.
  const user = lines.findIndex((line, k) => k >= first && !OWN.test(line) && /[\\/]/.test(line));
  const [theirs, ours] = user <= first ? [lines.slice(first), []] : [lines.slice(user), lines.slice(first, user)];
  return [...lines.slice(0, first), ...theirs.slice(0, FRAMES_SHOWN), ...ours].join("\n");
}

/** `init()` has not been called, or has not finished. */
export class NotInitializedError extends JnxError {
  override name = "NotInitializedError";
}

/** No adapter could be found; the message lists each one tried, with its result. */
export class NoAdapterError extends JnxError {
  override name = "NoAdapterError";
}

/** The device refused a command. `labels` are the ops of the submission that it came from. */
export class DeviceError extends JnxError {
  override name = "DeviceError";
  readonly labels: readonly string[];
  constructor(message: string, labels: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.labels = labels;
  }
}

/** A kernel does not compile, or is launched with buffers that it cannot take. */
export class KernelError extends DeviceError {
  override name = "KernelError";
  /** The kernel's name. */
  readonly kernel: string;
  constructor(message: string, kernel: string, labels: readonly string[] = [], options?: ErrorOptions) {
    super(message, labels, options);
    this.kernel = kernel;
  }
}

/** More device memory was asked for than there is, or than one buffer may have. */
export class OutOfMemoryError extends DeviceError {
  override name = "OutOfMemoryError";
  /** Bytes asked for; 0 when the device did not say which request failed. */
  readonly asked: number;
  /** Bytes in live buffers at that moment. */
  readonly live: number;
  constructor(message: string, asked: number, live: number, labels: readonly string[] = []) {
    super(message, labels);
    this.asked = asked;
    this.live = live;
  }
}

/** The device is gone (driver reset, page in the background, `destroy()`); tensors on it are lost. */
export class DeviceLostError extends DeviceError {
  override name = "DeviceLostError";
}

/** Shapes that do not fit an operation. */
export class ShapeError extends JnxError {
  override name = "ShapeError";
}

/** Dtypes that an operation does not take or that cannot mix. */
export class DtypeError extends JnxError {
  override name = "DtypeError";
}

/** A value outside what a function accepts: a NaN learning rate, a negative count, a float seed. */
export class ArgumentError extends JnxError {
  override name = "ArgumentError";
}

/** A NaN or an infinity was made while `jax_debug_nans` or `jax_debug_infs` is on. The stack is that of the op's call. */
export class FloatingPointError extends JnxError {
  override name = "FloatingPointError";
}

/**
 * A tensor born inside a transform (`grad`, an optimizer's update) was read after the transform returned: its memory
 * went back to the pool. Return the tensor from the function, or use `hasAux`.
 */
export class EscapedTensorError extends JnxError {
  override name = "EscapedTensorError";
}

/**
 * A value that exists only while a function is being traced was read on the host (`data()`, `item()`), or leaked out
 * of the trace. Return it from the traced function and read it there.
 */
export class TracedTensorError extends JnxError {
  override name = "TracedTensorError";
}
