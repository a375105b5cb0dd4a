/** The longest pause between two turns of the event loop, in milliseconds. */
const LONGEST = 1;
/**
 * A pause is this part of the time waited so far, so that short waits stay short; in the first milliseconds less, for what a pause
 * takes too long is much of a wait of one or two.
 */
const PART = 1 / 4;
const EARLY = 2;
const EARLY_PART = 1 / 16;

/**
 * Milliseconds without pauses for each dispatch waited for beyond a few, and at most: so many are small. A small one takes a
 * driver that computes on the CPU some 20 µs, most of it the waking of threads, which a core that has gone to sleep makes longer.
 */
const BUSY = 1 / 20;
const FEW = 64;
const LONGEST_BUSY = 10;

interface Wait {
  readonly start: number;
  /** Until when it is worth staying awake. */
  readonly busy: number;
}

const cell = new Int32Array(new SharedArrayBuffer(4));
const waits = new Set<Wait>();
/** True while a turn is due: a second chain of turns would pause twice as long. */
let turning = false;

/**
 * Waits without spinning. Dawn's Node binding asks the device in every turn of the event loop whether it is done, which
 * keeps one core busy; a driver that computes on the CPU then has one core less. While something is awaited, this
 * pauses between turns.
 */
export async function nap<T>(pending: Promise<T>, dispatches = 0): Promise<T> {
  const start = performance.now();
  const wait = { start, busy: start + Math.max(0, Math.min(LONGEST_BUSY, (dispatches - FEW) * BUSY)) };
  waits.add(wait);
  schedule();
  try {
    return await pending;
  } finally {
    waits.delete(wait);
  }
}

function schedule(): void {
  if (turning) return;
  turning = true;
  setImmediate(turn).unref();
}

function turn(): void {
  turning = false;
  if (waits.size === 0) return;
  const now = performance.now();
  const [latest, busy] = [...waits].reduce(
    (most, one) => [Math.max(most[0], one.start), Math.max(most[1], one.busy)],
    [0, 0],
  );
  const waited = now - latest;
  if (now >= busy) Atomics.wait(cell, 0, 0, Math.min(LONGEST, waited * (waited < EARLY ? EARLY_PART : PART)));
  schedule();
}
