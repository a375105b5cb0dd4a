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
 * Only for waits that follow each other within `IN_A_ROW` milliseconds: after a rest the driver's threads lie on all cores, and
 * of two cores the one kept awake is one that they wait for (a chain of 200 adds then takes 12 ms instead of 5).
 */
const BUSY = 1 / 20;
const FEW = 64;
const LONGEST_BUSY = 10;
const IN_A_ROW = 5;

interface Wait {
  readonly start: number;
  /** Until when it is worth staying awake. */
  readonly busy: number;
}

const cell = new Int32Array(new SharedArrayBuffer(4));
const waits = new Set<Wait>();
/** When the last wait was over. */
let over = -Infinity;
/** True while a turn is due: a second chain of turns would pause twice as long. */
let turning = false;

/**
 * Waits without spinning. Dawn's Node binding asks the device in every turn of the event loop whether it is done, which
 * keeps one core busy; a driver that computes on the CPU then has one core less. While something is awaited, this
 * pauses between turns.
 */
export async function nap<T>(pending: Promise<T>, dispatches = 0): Promise<T> {
  const start = performance.now();
  const awake = start - over < IN_A_ROW ? Math.max(0, Math.min(LONGEST_BUSY, (dispatches - FEW) * BUSY)) : 0;
  const wait = { start, busy: start + awake };
  waits.add(wait);
  schedule();
  try {
    return await pending;
  } finally {
    waits.delete(wait);
    over = performance.now();
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
  let [latest, busy] = [0, 0];
  for (const wait of waits) {
    latest = Math.max(latest, wait.start);
    busy = Math.max(busy, wait.busy);
  }
  const waited = now - latest;
  if (now >= busy) Atomics.wait(cell, 0, 0, Math.min(LONGEST, waited * (waited < EARLY ? EARLY_PART : PART)));
  schedule();
}
