/**
 * `pnpm random-contract`: draws every sampler's golden cases on each software adapter and writes docs/random.md, the table
 * of how close each comes to JAX's numbers. samplers.spec.ts holds every adapter to what the table says.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { initDevice } from "@jnx/testing";
import { goldenArray } from "../goldens/read.ts";
import { casesOf, dtypeOf, measure, normalDistances, type Distance } from "./measure.ts";
import { CLOSE, DISCRETE, EXACT, REJECTED, VECTORS, type Draw } from "./samplers.ts";

const PAGE = new URL("../../docs/random.md", import.meta.url);

/** Golden files with what draws their cases. */
export const TABLES: Readonly<Record<string, Readonly<Record<string, Draw>>>> = {
  "random-exact": EXACT,
  "random-discrete": DISCRETE,
  "random-close": CLOSE,
  "random-rejected": REJECTED,
  "random-vectors": VECTORS,
};

interface Row {
  readonly name: string;
  readonly dtype: string;
  readonly elements: number;
  readonly contract: string;
}

/** A distance in words. Linear algebra is held to an absolute bound: its sums take another order. */
function contractOf(file: string, { elements, equal, worst, apart, arrays, same }: Distance): string {
  if (worst === 0) return "exact";
  if (file === "random-discrete") return `${same} of ${arrays} arrays`;
  if (file === "random-vectors") return `within ${(10 ** Math.ceil(Math.log10(apart))).toExponential()}`;
  return `≤ ${worst} ulp, ${Math.floor((1000 * equal) / elements) / 10} % equal`;
}

/** Whether a distance keeps what a cell of the table says; equal numbers may be one in a hundred fewer. */
export function keeps(contract: string, { elements, equal, worst, apart, same }: Distance): boolean {
  if (contract === "exact") return worst === 0;
  const most = /^(\d+) of \d+ arrays$/.exec(contract)?.[1];
  if (most !== undefined) return same >= Number(most);
  const within = /^within (\S+)$/.exec(contract)?.[1];
  if (within !== undefined) return apart <= Number(within);
  const [, ulps, percent] = /^≤ (\d+) ulp, ([\d.]+) % equal$/.exec(contract) ?? [];
  if (ulps === undefined || percent === undefined) throw new Error(`docs/random.md: cannot read "${contract}"`);
  return worst <= Number(ulps) && (100 * equal) / elements >= Number(percent) - 1;
}

/** What docs/random.md says of a sampler on an adapter. */
export function contractFor(sampler: string, adapter: string): string {
  const rows = readFileSync(PAGE, "utf8").split("\n");
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  const head = cells.find((row) => row[1] === "Sampler") ?? [];
  const found = cells.find((row) => row[1] === `\`${sampler}\``)?.[head.indexOf(adapter)];
  if (found === undefined)
    throw new Error(`docs/random.md: nothing on ${sampler} for ${adapter}; run pnpm random-contract`);
  return found;
}

/** What one adapter's process prints. */
interface Measured {
  readonly rows: readonly Row[];
  /** How many of 2^20 normal numbers are 0, 1, 2 … ulp from JAX's. */
  readonly normals: readonly number[];
}

const ADAPTERS = ["swiftshader", "lavapipe", "wasm"] as const;

async function measureAll(): Promise<Measured> {
  await initDevice();
  const rows: Row[] = [];
  for (const [file, samplers] of Object.entries(TABLES))
    for (const [name, draw] of Object.entries(samplers)) {
      const distance = await measure(file, name, draw);
      const dtype = dtypeOf(name) ?? goldenArray(file, casesOf(file, name)[0]?.name ?? "").dtype;
      rows.push({ name, dtype, elements: distance.elements, contract: contractOf(file, distance) });
    }
  return { rows, normals: await normalDistances(2026, 2 ** 20) };
}

function measureOn(adapter: string): Measured {
  const args = ["--conditions=@jnx/source", "--import", "tsx", fileURLToPath(import.meta.url), "measure"];
  const env = { ...process.env, JNX_ADAPTER: adapter };
  const out = execFileSync(process.execPath, args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(out) as Measured; // what this very script prints
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function page(measured: readonly Measured[]): string {
  const rows = (measured[0]?.rows ?? []).map(({ name, dtype, elements }, i) => [
    `\`${name}\``,
    dtype,
    elements,
    ...measured.map((one) => one.rows[i]?.contract ?? ""),
  ]);
  const most = Math.max(...measured.map(({ normals }) => normals.length));
  const normals = measured.map(({ normals: counts }, k) => [
    ADAPTERS[k] ?? "",
    ...Array.from({ length: most }, (_, ulp) => counts[ulp] ?? 0),
  ]);
  return `# Random numbers: how close to JAX's

Measured by \`pnpm random-contract\`, which writes this page: draws of the golden cases in \`tests/goldens/random-*.json\`, made by
the real JAX on a CPU, against the same draws here. A sampler's parameters stand behind its name. Exact means equal bit for bit,
whole arrays compared by their hashes; an ulp is a unit in the last place. The tests hold every adapter to its column; wasm is the
CPU's own executor.

${table(["Sampler", "Dtype", "Elements", ...ADAPTERS], rows)}

## 2^20 normal numbers of one key

The kernel rounds as JAX does where that shows most: of all 2^23 normal numbers that a key can give, none is further than 2 ulp
from JAX's. How many of these are so many ulp from it:

${table(["Adapter", ...Array.from({ length: most }, (_, ulp) => (ulp === 0 ? "equal" : `${ulp} ulp`))], normals)}

## Samplers that reject

Gamma and what is made of it, Poisson and binomial repeat JAX's trials. An element whose trial is accepted here and refused
there, by a difference in the last place, would come out as another number altogether; where whole numbers are drawn so, the table
counts the arrays that are equal throughout.

## Older keys, derivatives

With \`config.update("jax_threefry_partitionable", false)\` every sampler gives the numbers of JAX in that mode, to the bit or within
8 ulp as above (\`tests/random/older.spec.ts\`). Draws move with their parameters as JAX's do, gamma and what is made of it by
implicit reparameterization (\`lax.randomGammaGrad\`); whole numbers do not move (\`tests/random/gradients.spec.ts\`).
`;
}

if (process.argv[2] === "measure") {
  process.stdout.write(JSON.stringify(await measureAll()), () => process.exit(0));
} else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, page(ADAPTERS.map(measureOn)));
}
