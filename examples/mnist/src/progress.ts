// A live bar on a terminal; a plain line every tenth of the way when the output is a file or a pipe.
import { SingleBar } from "cli-progress";

export interface Reading {
  readonly loss: number;
  readonly accuracy?: number;
}

/** Progress of one epoch, told in steps of `batch` images each. */
export class Progress {
  readonly #bar: SingleBar | undefined;
  readonly #started = performance.now();
  #tenths = 0;

  constructor(
    readonly label: string,
    readonly steps: number,
    readonly batch: number,
    readonly stream: NodeJS.WriteStream = process.stdout,
  ) {
    if (!stream.isTTY) return;
    const format = "{label} {bar} {percentage}% | {text}";
    this.#bar = new SingleBar({
      format,
      stream,
      barsize: 24,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      hideCursor: true,
    });
    this.#bar.start(steps, 0, { label, text: "first step: compiling kernels" });
  }

  /** `done` of the steps are finished, and this is what the last of them reported. */
  update(done: number, reading: Reading): void {
    const text = this.describe(done, reading);
    if (this.#bar) return this.#bar.update(done, { text });
    const tenths = Math.floor((10 * done) / this.steps);
    if (tenths === this.#tenths) return;
    this.#tenths = tenths;
    this.stream.write(`${this.label} ${String(Math.floor((100 * done) / this.steps)).padStart(3)}% | ${text}\n`);
  }

  stop(): void {
    this.#bar?.stop();
  }

  /** The figures beside the bar. */
  describe(done: number, { loss, accuracy }: Reading, now = performance.now()): string {
    const seconds = Math.max((now - this.#started) / 1000, 1e-9);
    const left = (seconds / done) * (this.steps - done);
    const rate = Math.round((done * this.batch) / seconds);
    const right = accuracy === undefined ? "" : ` | accuracy ${(100 * accuracy).toFixed(1)}%`;
    return `loss ${loss.toFixed(3)}${right} | ${rate} images/s | ${duration(left)} left`;
  }
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole}s` : `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, "0")}s`;
}
