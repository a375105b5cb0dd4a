/** The browser's `Worker` over Node's threads: enough of it for engines whose thread pools start workers from a blob. */
import { resolveObjectURL } from "node:buffer";
import { Worker as Thread } from "node:worker_threads";

/** What a worker of the browser has and a thread of Node's lacks. */
const prelude = `
const { parentPort } = require("node:worker_threads");
globalThis.self = globalThis;
globalThis.postMessage = (data) => parentPort.postMessage(data);
parentPort.on("message", (data) => self.onmessage({ data }));
`;

export class WebWorker {
  onmessage: ((event: { data: unknown }) => void) | undefined;
  onerror: ((event: { message: string }) => void) | undefined;
  readonly #thread: Promise<Thread>;

  constructor(url: string) {
    this.#thread = this.#start(url);
    this.#thread.catch((error: unknown) => this.onerror?.({ message: String(error) }));
  }

  postMessage(data: unknown): void {
    void this.#thread.then((thread) => thread.postMessage(data));
  }

  terminate(): void {
    void this.#thread.then((thread) => thread.terminate());
  }

  async #start(url: string): Promise<Thread> {
    const source = await resolveObjectURL(url)?.text();
    if (source === undefined) throw new Error(`Worker: ${url} is no object URL; make one with URL.createObjectURL`);
    const thread = new Thread(prelude + source, { eval: true });
    thread.on("message", (data: unknown) => this.onmessage?.({ data }));
    thread.on("error", ({ message }) => this.onerror?.({ message }));
    thread.unref();
    return thread;
  }
}
