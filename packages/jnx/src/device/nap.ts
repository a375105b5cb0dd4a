/** The longest pause between two turns of the event loop, in milliseconds. */
const LONGEST = 1;
/** A pause is this part of the time waited so far, so that short waits stay short. */
const PART = 1 / 4;

const cell = new Int32Array(new SharedArrayBuffer(4));
const waits = new Set<{ readonly start: number }>();
/** True while a turn is due: a second chain of turns would pause twice as long. */
let turning = false;

/**
 * Waits without spinning. Dawn's Node binding asks the device in every turn of the event loop whether it is done, which
 * keeps one core busy; a driver that computes on the CPU then has one core less. While something is awaited, this
 * pauses between turns.
 */
export async function nap<T>(pending: Promise<T>): Promise<T> {
  const wait = { start: performance.now() };
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
  const latest = Math.max(...[...waits].map((wait) => wait.start));
  Atomics.wait(cell, 0, 0, Math.min(LONGEST, (performance.now() - latest) * PART));
  schedule();
}
