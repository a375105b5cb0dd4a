import type { CELL } from "./layout.ts";

/** What a worker is started with. */
export interface WorkerStart {
  readonly memory: WebAssembly.Memory;
  readonly cell: typeof CELL;
  /** 0 for the first worker; the thread that started them has none. */
  readonly index: number;
  /** Where its trap's message goes, and how long it may be. */
  readonly message: number;
  readonly messageBytes: number;
  /** How often to look for a job before going to sleep. */
  readonly spins: number;
  /** The same while a program runs. */
  readonly programSpins: number;
  /** Bytes of a page. */
  readonly page: number;
}

type Run = (
  begin: number,
  end: number,
  groupsX: number,
  groupsY: number,
  groupsZ: number,
  scratch: number,
  table: number,
) => void;

/** What gives a worker the job at hand to do; like `work`, it refers to nothing outside itself. */
export function jobRunner({ memory, cell, index }: WorkerStart): () => void {
  const words = new Int32Array(memory.buffer);
  const at = (place: number): number => Atomics.load(words, place);
  const kernels = new Map<number, Run>();

  const load = (id: number): Run => {
    const known = kernels.get(id);
    if (known !== undefined) return known;
    const address = at(cell.codeAddress) >>> 0;
    const bytes = at(cell.codeBytes);
    // Growth by another thread may show in `buffer` only after a growth of one's own, if by nothing.
    if (memory.buffer.byteLength < address + bytes) memory.grow(0);
    const code = new Uint8Array(bytes);
    code.set(new Uint8Array(memory.buffer, address, bytes));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
    // What the compiler's modules export.
    const run = instance.exports["run"] as Run;
    // Programs that make kernels without end must not fill this thread's memory.
    if (kernels.size >= 1024) kernels.clear();
    kernels.set(id, run);
    return run;
  };

  return () => {
    const run = load(at(cell.kernel));
    const [chunk, chunks, fine] = [at(cell.chunk), at(cell.chunks), at(cell.fine)];
    const [x, y, z] = [at(cell.groupsX), at(cell.groupsY), at(cell.groupsZ)];
    const [first, last, parts, part] = [at(cell.begin), at(cell.end), at(cell.parts), at(cell.part)];
    const scratch = (at(cell.scratch) + (index + 1) * at(cell.scratchStride)) | 0;
    for (let turn = 0; turn < parts; turn++) {
      const own = (index + 1 + turn) % parts;
      const end = Math.min(last, first + (own + 1) * part);
      for (;;) {
        const claim = Atomics.add(words, cell.next + own * cell.nextStride, 1);
        const begin = first + own * part + Math.min(claim, chunks) * chunk + Math.max(0, claim - chunks) * fine;
        if (begin >= end) break;
        Atomics.add(words, cell.claims, 1);
        run(begin, Math.min(begin + (claim < chunks ? chunk : fine), end), x, y, z, scratch, at(cell.table));
      }
    }
  };
}

/**
 * What has the system give out memory before it is needed, a page a call; false when there is enough. Like `work`, it refers to
 * nothing outside itself.
 */
export function pageToucher({ memory, cell, page }: WorkerStart): () => boolean {
  const cells = new Int32Array(memory.buffer);
  let words = cells;
  return () => {
    if (Atomics.load(cells, cell.fresh) >= Atomics.load(cells, cell.freshEnd)) return false;
    const word = (Atomics.add(cells, cell.fresh, 1) * page) / 4;
    if (word >= words.length) {
      memory.grow(0);
      words = new Int32Array(memory.buffer);
    }
    // It may have been taken by now, and be written to: adding nothing loses no write.
    if (word < words.length) Atomics.add(words, word, 0);
    return true;
  };
}

/**
 * A worker's life: wait for a job, join it, claim chunks of workgroups until none are left. It is started from its own text, so it
 * must not refer to anything outside itself. Jobs come through memory alone, for a sleeping worker receives no messages.
 */
export function work(start: WorkerStart, jobOf: typeof jobRunner, touchOf: typeof pageToucher): void {
  const { memory, cell, index, message, spins, programSpins } = start;
  const words = new Int32Array(memory.buffer);
  const job = jobOf(start);
  const touch = touchOf(start);
  const at = (place: number): number => Atomics.load(words, place);

  const join = (): boolean => {
    for (;;) {
      const state = at(cell.state);
      if ((state & 1) === 0) return false;
      if (Atomics.compareExchange(words, cell.state, state, state + 2) === state) return true;
    }
  };

  const report = (error: unknown): void => {
    if (Atomics.compareExchange(words, cell.failed, 0, index + 1) !== 0) return;
    const text = new TextEncoder().encode(String(error)).subarray(0, start.messageBytes - 4);
    new Uint8Array(memory.buffer, message + 4, text.length).set(text);
    Atomics.store(words, message / 4, text.length);
  };

  let seen = 0;
  Atomics.or(words, cell.ready, 1 << index);
  for (;;) {
    while (at(cell.job) === seen && touch());
    for (let i = 0; at(cell.job) === seen && i < (at(cell.program) === 0 ? spins : programSpins); i++);
    if (at(cell.job) === seen) {
      Atomics.add(words, cell.sleeping, 1);
      Atomics.wait(words, cell.job, seen);
      Atomics.sub(words, cell.sleeping, 1);
    }
    seen = at(cell.job);
    if (at(cell.stop) !== 0) return;
    if (!join()) continue;
    try {
      job();
    } catch (error) {
      report(error);
    }
    Atomics.sub(words, cell.state, 2);
    Atomics.notify(words, cell.state);
  }
}
