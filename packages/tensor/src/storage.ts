import type { DeviceBuffer, Executor } from "./device/executor.ts";
import { executor } from "./device/current.ts";
import { EscapedTensorError } from "./errors.ts";

/** What the finalizer needs to give memory back once nobody can reach the Storage any more. */
interface Cell {
  buffer: DeviceBuffer | undefined;
  owner: Executor | undefined;
}

/**
 * Bytes of ballast the collector sees per byte of device memory. A handle is a few hundred bytes to V8 whatever it
 * holds on the device; the ballast makes dropping a large tensor look like dropping a large thing. Nobody touches its
 * pages, so it costs address space, not memory. Peak of live bytes in loops that drop a 1 MiB result a turn (Node 20;
 * waiting for a value each turn / for the device every 16 turns), with no measurable difference in time:
 * ratio 0: 113 / 257 MiB, 1/4: 74 / 144, 1/2: 54 / 81, 1: 34 / 49, 2: 20 / 33.
 */
const BALLAST_RATIO = 1;
const MAX_BALLAST = 1 << 24;
/** Below this a handle alone weighs about as much as what it holds. */
const MIN_BALLAST = 1 << 10;

/** Host-made storages up to this size hold device memory only while an op reads them. */
const UNLOADED_BYTES = 64;

const finalizer = new FinalizationRegistry<Cell>((cell) => {
  giveBack(cell);
});

/**
 * The memory behind one or more Tensors. It is born in the innermost open arena, or, outside every transform, managed
 * by the garbage collector. Its contents never change while a Tensor can see them.
 */
export class Storage {
  readonly bytes: number;
  readonly label: string;
  /** What the storage holds, while the host knows it: small arrays made from host data are uploaded at first use. */
  readonly host: ArrayBufferView | undefined;
  /** How many Variables hold this storage: it outlives the arena it was born in. */
  slots = 0;
  /** How many open tapes need this storage to run backwards. */
  pins = 0;
  /** How many Tensor objects were made on it, dead ones included. */
  handles = 0;
  /** True once user code may hold a Tensor on it, so that its buffer must not be reused behind the user's back. */
  exposed = false;
  #freedBy: string | undefined;
  #managed = false;
  readonly #cell: Cell = { buffer: undefined, owner: undefined };
  /** Weight that the collector sees, and nothing reads; see BALLAST_RATIO. */
  ballast: ArrayBufferLike | undefined;

  constructor(bytes: number, label: string, host?: ArrayBufferView, ballast?: ArrayBufferLike) {
    this.bytes = bytes;
    this.label = label;
    this.host = host;
    this.ballast = ballast;
    adopt(this);
  }

  /** A storage around a buffer that is already filled, such as a compiled program's output. */
  static around(buffer: DeviceBuffer, bytes: number, label: string): Storage {
    const storage = new Storage(bytes, label);
    storage.#cell.buffer = buffer;
    storage.#cell.owner = executor();
    return storage;
  }

  get freed(): boolean {
    return this.#freedBy !== undefined;
  }

  /**
   * The device memory, allocated (and filled from the host copy) at first use: with `apart` for a kernel that reads those
   * buffers and writes this one.
   */
  buffer(apart?: readonly DeviceBuffer[]): DeviceBuffer {
    if (this.#freedBy !== undefined) throw new EscapedTensorError(this.#freedBy);
    const cell = this.#cell;
    // A device that was lost released it: what the host knows is filled in anew.
    if (cell.buffer === undefined || (cell.buffer.released && this.host !== undefined)) {
      cell.owner = executor();
      cell.buffer = cell.owner.allocate(this.bytes, this.label, apart);
      if (this.host !== undefined && this.host.byteLength > 0) cell.owner.write(cell.buffer, this.host);
    }
    return cell.buffer;
  }

  /** Lets go of device memory that a few bytes from the host can fill again: keys do not wait for the collector. */
  unload(): void {
    if (this.host !== undefined && this.bytes <= UNLOADED_BYTES && this.slots === 0 && this.pins === 0)
      giveBack(this.#cell);
  }

  /** Throws if the memory has gone back to the pool. */
  checkAlive(): void {
    if (this.#freedBy !== undefined) throw new EscapedTensorError(this.#freedBy);
  }

  /** Gives the memory back; reading it later throws an error that says `why`. */
  free(why: string): void {
    if (this.#freedBy !== undefined) return;
    this.#freedBy = why;
    this.ballast = undefined;
    giveBack(this.#cell);
  }

  /** A storage that takes over this one's buffer (a compiled step updates it in place) and ballast; this one is freed. */
  surrender(bytes: number, label: string, why: string): Storage {
    const buffer = this.buffer();
    const { ballast } = this;
    this.#cell.buffer = undefined;
    this.free(why);
    const heir = new Storage(bytes, label, undefined, ballast);
    heir.#cell.buffer = buffer;
    heir.#cell.owner = executor();
    return heir;
  }

  /** From now on the collector decides when the memory goes back. */
  manage(): void {
    if (this.#managed || this.#freedBy !== undefined) return;
    this.#managed = true;
    const ballast = Math.ceil(this.bytes * BALLAST_RATIO);
    if (ballast >= MIN_BALLAST) this.ballast ??= untouched(Math.min(MAX_BALLAST, ballast));
    // Without a token to take it back by, for which V8 keeps a table: a storage freed before has an empty cell.
    finalizer.register(this, this.#cell);
  }
}

/**
 * Memory that nobody reads or writes. A new ArrayBuffer is zeroed, which touches its pages once the allocator reuses some:
 * 3 ms for 16 MiB in Node, against 40 µs.
 */
function untouched(bytes: number): ArrayBufferLike {
  // Node's, which Deno and Bun have too; browsers do not.
  const { Buffer } = globalThis as { readonly Buffer?: { allocUnsafeSlow(bytes: number): Uint8Array } };
  return Buffer === undefined ? new ArrayBuffer(bytes) : Buffer.allocUnsafeSlow(bytes).buffer;
}

function giveBack(cell: Cell): void {
  const { buffer, owner } = cell;
  cell.buffer = undefined;
  if (buffer !== undefined && owner !== undefined && !buffer.released) owner.release(buffer);
}

// ---- arenas ----------------------------------------------------------------------------------------------------------

/**
 * The storages born while a transform runs. When it returns, those that its result, a Variable or an enclosing tape
 * can still reach live on; the rest go back to the pool at once. This is why nobody writes dispose.
 */
class Arena {
  readonly name: string;
  readonly parent: Arena | undefined;
  readonly born: Storage[] = [];
  constructor(name: string, parent: Arena | undefined) {
    this.name = name;
    this.parent = parent;
  }
}

let innermost: Arena | undefined;

function adopt(storage: Storage): void {
  if (innermost === undefined) storage.manage();
  else innermost.born.push(storage);
}

/**
 * Runs `body` in an arena. `reach` lists the storages that must survive, given what `body` returned; on a throw only
 * those that a Variable or an enclosing tape holds survive.
 */
export function inArena<T>(name: string, body: () => T, reach: (result: T) => Iterable<Storage>): T {
  const arena = new Arena(name, innermost);
  innermost = arena;
  let kept: Iterable<Storage> = [];
  try {
    const result = body();
    kept = reach(result);
    return result;
  } finally {
    innermost = arena.parent;
    close(arena, kept);
  }
}

function close(arena: Arena, reached: Iterable<Storage>): void {
  const kept = new Set(reached);
  for (const storage of arena.born) {
    if (storage.freed) continue;
    if (kept.has(storage) || storage.slots > 0 || storage.pins > 0) {
      if (arena.parent === undefined) storage.manage();
      else arena.parent.born.push(storage);
    } else {
      storage.free(
        `this tensor (made by ${storage.label}) was born inside ${arena.name} and was not returned by it, so its memory was reused; ` +
          "return it from the function, return it as aux with { hasAux: true }, or assign it to a Variable",
      );
    }
  }
}

// Functions under a transform have whatever signature their author gave them; the transform's generics keep it.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyFunction = (...args: any[]) => any;

/** True while a transform is running: tensors handed out now are not the user's to keep. */
export function insideArena(): boolean {
  return innermost !== undefined;
}
