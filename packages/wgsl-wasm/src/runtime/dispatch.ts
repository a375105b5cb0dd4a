import { OutOfMemoryError } from "@jnx/tensor";
import { TABLE } from "./layout.ts";
import type { KernelEntry, Kernels, RunFunction } from "./kernels.ts";
import type { LinearMemory } from "./linear-memory.ts";
import type { Threads } from "./threads.ts";

/** Work shorter than this, in nanoseconds, stays on the calling thread while another sleeps: waking it takes 20 000 of them, or more. */
export const WORTH_WAKING = 40_000;
/** The same while the others look out for work. */
const WORTH_SHARING = 10_000;
/**
 * One call of a kernel takes about this long: engines start code in a slow form and swap the fast one in between calls only.
 */
const SLICE = 400_000;
/** Work not worth even a look at the clock in between. */
const SHORT = 5_000;
/** One claim of a thread, when the work is long enough to be cut at all. */
const CHUNK = 30_000;
/** The least: a claim and a call take a tenth of it. */
const LEAST_CHUNK = 1_000;
const CHUNKS_PER_THREAD = 16;
/** Zeroed by us, set by kernels with clamped indices: 1 + the binding that was overrun. */
const FAULT_BYTES = 16;

type Grid = readonly [number, number, number];

/** What came of running workgroups: all done up to `next`; `busy` when other threads are still at it. */
export interface Progress {
  readonly next: number;
  readonly busy: boolean;
}

/** Runs one kernel's workgroups in slices, on as many threads as they are worth. */
export class Dispatcher {
  private readonly linear: LinearMemory;
  private readonly kernels: Kernels;
  private readonly threads: Threads;
  private readonly checked: boolean;
  private scratch = 0;
  private scratchStride = 0;

  constructor(linear: LinearMemory, kernels: Kernels, threads: Threads, checked: boolean) {
    this.linear = linear;
    this.kernels = kernels;
    this.threads = threads;
    this.checked = checked;
  }

  /** Runs workgroups from `from` on, for about `budget` milliseconds. */
  run(entry: KernelEntry, run: RunFunction, grid: Grid, from: number, budget: number): Progress {
    const total = grid[0] * grid[1] * grid[2];
    this.reserveScratch(entry.scratchBytes);
    let next = from;
    const start = performance.now();
    const shareable = this.threads.started > 0;
    const { perGroup } = entry;
    const least = this.threads.awake ? WORTH_SHARING : WORTH_WAKING;
    const sharedAtOnce = shareable && perGroup > 0 && perGroup * (total - next) > least;
    // What a workgroup takes may differ from the last time, by other uniforms: the first slice finds out.
    let slice = perGroup === 0 ? 1 : sliceOf(perGroup, total);
    let measured = perGroup;
    let before = 0;
    while (next < total && !sharedAtOnce) {
      const end = Math.min(total, next + slice);
      run(next, end, grid[0], grid[1], grid[2], this.scratch, TABLE);
      next = end;
      const elapsed = (performance.now() - start) * 1e6;
      if (!shareable && elapsed - before > WORTH_WAKING) this.threads.missed(elapsed - before);
      before = elapsed;
      measured = elapsed / (next - from);
      if (next === total) break;
      if (shareable && measured * (total - next) > least) break;
      if (elapsed > budget * 1e6) break;
      slice = measured > 0 ? Math.min(sliceOf(measured, Infinity), slice * 8) : slice * 8;
    }
    if (next > from) remember(entry, measured);
    const spent = performance.now() - start;
    if (next === total || spent > budget) return { next, busy: false };
    return this.share(entry, run, grid, next, total, budget - spent);
  }

  /** The name of the binding that a kernel with clamped indices overran, if any, since the last call. */
  takeFault(entry: KernelEntry): string | undefined {
    if (!this.checked) return undefined;
    const { words } = this.linear;
    let fault = 0;
    for (let thread = 0; thread < this.threads.size; thread++) {
      const at = (this.scratch + thread * this.scratchStride) / 4;
      fault ||= words[at] ?? 0;
      words[at] = 0;
    }
    return fault === 0 ? undefined : (entry.slots[fault - 1]?.name ?? `number ${fault - 1}`);
  }

  private share(
    entry: KernelEntry,
    run: RunFunction,
    grid: Grid,
    begin: number,
    total: number,
    budget: number,
  ): Progress {
    const code = this.kernels.publish(entry);
    const perGroup = Math.max(entry.perGroup, 1);
    const threads = this.threads.started + 1;
    const portion = Math.max(threads, Math.floor((budget * 1e6 * threads) / perGroup));
    const end = Math.min(total, begin + portion);
    const even = Math.ceil((end - begin) / (threads * CHUNKS_PER_THREAD));
    const fine = Math.max(1, Math.ceil(LEAST_CHUNK / perGroup));
    const chunk = Math.max(fine, Math.min(even, Math.floor(CHUNK / perGroup)));
    if (code === undefined) {
      run(begin, end, grid[0], grid[1], grid[2], this.scratch, TABLE);
      return { next: end, busy: false };
    }
    const start = performance.now();
    const { scratch, scratchStride } = this;
    const done = this.threads.run({ entry, run, code, begin, end, chunk, fine, grid, scratch, scratchStride });
    const each = ((performance.now() - start) * 1e6 * threads) / (end - begin);
    remember(entry, each);
    return { next: end, busy: !done };
  }

  private reserveScratch(bytes: number): void {
    const wanted = Math.ceil(Math.max(bytes, FAULT_BYTES) / 64) * 64;
    if (wanted <= this.scratchStride) return;
    const count = this.threads.size;
    const address = this.linear.take(wanted * count);
    if (address === undefined) {
      throw new OutOfMemoryError(
        `out of memory for the ${wanted * count} bytes of workgroup memory that it needs on ${count} threads`,
        wanted * count,
        0,
      );
    }
    if (this.scratchStride > 0) this.linear.give(this.scratch, this.scratchStride * count);
    this.scratch = address;
    this.scratchStride = wanted;
    for (let thread = 0; thread < count; thread++) this.linear.words[(address + thread * wanted) / 4] = 0;
  }
}

/** Workgroups of one slice; never so many that a wrong guess would leave the other threads idle. */
function sliceOf(perGroup: number, total: number): number {
  if (perGroup * total < SHORT) return total;
  const slice = Math.max(1, Math.floor(SLICE / perGroup));
  return total > 16 && slice * 8 > total ? Math.max(1, total >> 3) : slice;
}

/** Half the old, half the new: other shapes share the kernel. */
function remember(entry: KernelEntry, perGroup: number): void {
  entry.perGroup = entry.perGroup === 0 ? perGroup : (entry.perGroup + perGroup) / 2;
}
