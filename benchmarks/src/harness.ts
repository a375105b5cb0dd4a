/** The processes of the engines: started, spoken to one at a time, ended. */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { AdapterName } from "./adapter.ts";
import { bundle, bundleFile } from "./engines/bundle.ts";
import type { Command, Protocol, Response } from "./protocol.ts";

/** Bundles the engines' process: under a loader that transpiles, imports would take several times as long. */
export async function prepareWorker(): Promise<void> {
  const contents = `import ${JSON.stringify(fileURLToPath(new URL("./worker.ts", import.meta.url)))};`;
  const external = ["@jax-js/jax", "@sparticuz/chromium", "esbuild", "webgpu"];
  await bundle("worker", { contents, external, conditions: ["@jnx/source"] });
}

/** How long one command may take; a first call can compile for a minute and more. */
const limitMs = 5 * 60_000;

/** One process with one engine. It answers one command at a time. */
export class EngineProcess {
  readonly #child: ChildProcess;
  #stderr = "";
  #ended = false;

  /** `flags` are Node's. */
  constructor(adapter: AdapterName, flags: readonly string[] = []) {
    this.#child = fork(bundleFile("worker"), [adapter], {
      execArgv: [...flags],
      // Typed arrays travel as they are.
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      // Without this Mesa would compile nothing the second time, and first calls would look fast.
      env: { ...process.env, MESA_SHADER_CACHE_DISABLE: "true" },
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-4000);
    });
    this.#child.once("exit", () => {
      this.#ended = true;
    });
  }

  /** Sends a command and waits for its reply; rejects when the engine fails, ends or takes too long. */
  call<C extends Command>(command: C, argument: Protocol[C]["argument"]): Promise<Protocol[C]["reply"]> {
    return new Promise((resolve, reject) => {
      const child = this.#child;
      if (this.#ended) {
        reject(new Error(`${command}: the engine's process has ended. ${this.#lastWords()}`));
        return;
      }
      const settle = (action: () => void): void => {
        clearTimeout(timer);
        child.off("message", onMessage);
        child.off("exit", onExit);
        action();
      };
      const onMessage = (response: Response): void =>
        settle(() => {
          // The worker's table of handlers pairs each command with its reply.
          if (response.ok) resolve(response.value as Protocol[C]["reply"]);
          else reject(new Error(`${command}: ${response.message}`));
        });
      const onExit = (code: number | null, signal: string | null): void =>
        settle(() =>
          reject(new Error(`${command}: the engine's process ended (${code ?? signal}). ${this.#lastWords()}`)),
        );
      const timer = setTimeout(() => {
        settle(() => reject(new Error(`${command}: no answer in ${limitMs / 1000} s`)));
        child.kill("SIGKILL");
      }, limitMs);
      child.on("message", onMessage);
      child.on("exit", onExit);
      child.send({ command, ...argument });
    });
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#ended) return;
    const gone = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    const impatience = setTimeout(() => this.#child.kill("SIGKILL"), 3000);
    if (this.#child.connected) this.#child.disconnect();
    await gone;
    clearTimeout(impatience);
  }

  #lastWords(): string {
    const lines = this.#stderr.split("\n").filter((line) => line !== "" && !line.startsWith("Warning: max"));
    return lines.slice(-6).join(" | ");
  }
}
