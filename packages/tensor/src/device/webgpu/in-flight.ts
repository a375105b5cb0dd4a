import type { Gpu } from "./gpu.ts";

/** The dispatches that the device has been given are watched in so many portions. */
const PORTIONS = 8;

/**
 * How much the device has been given and not done. A driver keeps memory for all of it: with lavapipe a process came to an
 * end of its 65,530 memory maps.
 */
export class InFlight {
  private readonly gpu: Gpu;
  private readonly limit: number;
  private readonly onRoom: () => void;
  private dispatches = 0;
  /** Those whose end is not watched yet: to ask after each submission would cost more than many submissions. */
  private unwatched = 0;

  /** Up to `limit` dispatches, and one portion or submission more; `onRoom` is called when some of them are done. */
  constructor(gpu: Gpu, limit: number, onRoom: () => void) {
    this.gpu = gpu;
    this.limit = limit;
    this.onRoom = onRoom;
  }

  get full(): boolean {
    return this.dispatches >= this.limit;
  }

  /** Whether so many dispatches are worth a submission of their own. */
  isLarge(dispatches: number): boolean {
    return dispatches >= this.limit / PORTIONS;
  }

  /** A submission of so many dispatches is on its way. */
  add(dispatches: number): void {
    this.dispatches += dispatches;
    this.unwatched += dispatches;
    if (!this.isLarge(this.unwatched)) return;
    const portion = this.unwatched;
    this.unwatched = 0;
    const end = (): void => {
      this.dispatches -= portion;
      this.onRoom();
    };
    // It fails only when the device is lost, and then nothing is drained any more.
    void this.gpu.wait(this.gpu.device.queue.onSubmittedWorkDone()).then(end, end);
  }
}
