import { array, config, DtypeError, laxSlice, random, reshape, type Tensor } from "@jnx/tensor";
import { useDevice } from "@jnx/testing";
import { jax, jnp, lax } from "jnx";
import { afterEach, describe, expect, test, vi } from "vitest";
import { hostSplit, seedToKey } from "../../packages/tensor/src/ops/threefry.ts";

useDevice();

/** The numbers of an array, or the words of keys. */
const list = async (x: Tensor): Promise<number[]> =>
  Array.from(await (x instanceof random.KeyArray ? random.keyData(x) : x).data());

describe("keys", () => {
  test("seeds may be booleans and integer arrays, also inside jit", async () => {
    expect(await list(random.key(true))).toEqual([0, 1]);
    expect(await list(random.key(array(Int32Array.of(-2), { shape: [] })))).toEqual([0, 4294967294]);
    const seeded = jax.jit((seed: Tensor) => random.split(random.key(seed), 3));
    const got = await list(seeded(array(Int32Array.of(7), { shape: [] })));
    expect(got).toEqual(Array.from(hostSplit(seedToKey(7), 3)));
  });

  test("a key that is data inside jit gives the same numbers", async () => {
    const draw = jax.jit((key: Tensor) => {
      const last = random.wrapKeyData(
        reshape(laxSlice(random.keyData(random.split(key, [2, 2])), [1, 1, 0], [2, 2, 2]), [2]),
      );
      return random.normal(random.foldIn(last, 5), [5]);
    });
    const want = random.normal(random.foldIn(array(hostSplit(seedToKey(3), 4).slice(6)), 5), [5]);
    expect(await list(draw(random.key(3)))).toEqual(await list(want));
  });

  test("64-bit draws are both words of a block", async () => {
    const key = random.key(1701);
    const words = await list(random.bits(key, [3], { dtype: "uint64" }));
    const joined = [0, 1, 2].map((i) => (BigInt(words[2 * i] ?? 0) << 32n) | BigInt(words[2 * i + 1] ?? 0));
    expect(joined).toEqual([3182764935064573181n, 366096495144982249n, 241365115613244543n]);
  });
});

describe("arrays of keys", () => {
  const keys = random.split(random.key(7), [2, 3]);
  const words = hostSplit(seedToKey(7), 6);

  test("have a dtype, a shape without the words, and no numbers", async () => {
    expect([keys.dtype, keys.shape, keys.ndim, keys.size, keys.nbytes]).toEqual(["key<fry>", [2, 3], 2, 6, 48]);
    expect(random.keyImpl(keys)).toBe("threefry2x32");
    expect(String(random.key(42))).toBe("KeyArray key<fry>[] of words [0, 42]");
    expect(random.keyData(keys).shape).toEqual([2, 3, 2]);
    expect(await list(keys)).toEqual(Array.from(words));
    await expect(keys.toArray()).rejects.toThrow(/keys are no numbers, received key<fry>\[2, 3\].*random\.keyData/);
    await expect(keys.data()).rejects.toThrow(DtypeError);
    await expect(random.key(0).item()).rejects.toThrow(DtypeError);
  });

  test("move as other arrays do", async () => {
    const of = async (moved: Tensor): Promise<[string, readonly number[], number[]]> => [
      moved.dtype,
      moved.shape,
      await list(moved),
    ];
    const pick = (...which: number[]): number[] => which.flatMap((i) => Array.from(words.slice(2 * i, 2 * i + 2)));
    expect(await of(jnp.reshape(keys, [3, 2]))).toEqual(["key<fry>", [3, 2], Array.from(words)]);
    expect(await of(jnp.transpose(keys))).toEqual(["key<fry>", [3, 2], pick(0, 3, 1, 4, 2, 5)]);
    expect(await of(jnp.expandDims(laxSlice(keys, [1, 0], [2, 2]), 0))).toEqual(["key<fry>", [1, 1, 2], pick(3, 4)]);
    expect(await of(jnp.broadcastTo(random.key(1), [2]))).toEqual(["key<fry>", [2], [0, 1, 0, 1]]);
    expect(await of(jnp.stack([random.key(1), random.key(2)]))).toEqual(["key<fry>", [2], [0, 1, 0, 2]]);
    expect(await of(jnp.concatenate([keys, keys]))).toEqual(["key<fry>", [4, 3], [...words, ...words]]);
    expect(await of(jnp.take(keys, array([2, 0]), { axis: 1 }))).toEqual(["key<fry>", [2, 2], pick(2, 0, 5, 3)]);
    expect(await of(jnp.flip(keys, { axis: 1 }))).toEqual(["key<fry>", [2, 3], pick(2, 1, 0, 5, 4, 3)]);
  });

  test.each([
    ["add", () => jnp.add(keys, 1)],
    ["multiply", () => jnp.multiply(2, random.key(0))],
    ["sum", () => jnp.sum(keys)],
    ["sort", () => jnp.sort(keys)],
    ["astype", () => jnp.astype(keys, "float32")],
    ["exp", () => jnp.exp(keys)],
  ])("%s is refused", (_name, compute) => {
    expect(compute).toThrow(/does not take keys, received key<fry>\[.*random\.keyData\(keys\)/);
    expect(compute).toThrow(DtypeError);
  });

  test("go through jit, vmap on any axis, scan and grad", async () => {
    const draw = (key: Tensor): Tensor => random.normal(key, [2]);
    const row = jnp.reshape(laxSlice(keys, [1, 0], [2, 3]), [3]);
    const each = (): Tensor[] => [3, 4, 5].map((i) => draw(array(words.slice(2 * i, 2 * i + 2))));
    const want = (await Promise.all(each().map(list))).flat();
    expect(await list(jax.jit(jax.vmap(draw))(row))).toEqual(want);
    const last = jax.vmap((key: Tensor) => random.foldIn(key, 5), { inAxes: -1, outAxes: -1 });
    const folded = jax.vmap((some: Tensor) => last(some))(keys);
    expect([folded.dtype, folded.shape]).toEqual(["key<fry>", [2, 3]]);
    const first = random.foldIn(array(words.slice(0, 2)), 5);
    expect((await list(folded)).slice(0, 2)).toEqual(await list(first));
    const [end, drawn] = lax.scan(
      (carry: Tensor, key: Tensor): [Tensor, Tensor] => [random.foldIn(carry, 1), draw(key)],
      random.key(0),
      row,
    );
    expect([end.dtype, await list(drawn)]).toEqual(["key<fry>", want]);
    const slope = jax.grad((x: Tensor, key: Tensor) => jnp.sum(jnp.multiply(x, draw(key))))(array(1.5), random.key(3));
    const sum = (await list(draw(random.key(3)))).reduce((a, b) => a + b);
    expect(await slope.item()).toBeCloseTo(sum, 5);
  });

  test("raw keys stay raw, and no key is a seed", () => {
    const raw = random.PRNGKey(3);
    expect([raw.dtype, random.split(raw).shape, random.foldIn(raw, 1).shape]).toEqual(["uint32", [2, 2], [2]]);
    expect(random.clone(raw).dtype).toBe("uint32");
    expect(random.wrapKeyData(raw).dtype).toBe("key<fry>");
    expect(() => random.key(random.key(0))).toThrow(/seed must be an integer, received key<fry>; a key is no seed/);
    // @ts-expect-error: the type refuses it too.
    expect(() => random.key(0, { impl: "rbg" })).toThrow(/no generator "rbg"; there is "threefry2x32"/);
    // @ts-expect-error: the type refuses it too.
    expect(() => random.key(0, { dtype: "key<rbg>" })).toThrow(/no keys of dtype "key<rbg>"/);
    expect([random.keyDtype(), random.keyDtype("fry"), random.key(0, { dtype: random.keyDtype() }).dtype]).toEqual([
      "key<fry>",
      "key<fry>",
      "key<fry>",
    ]);
    expect(random.wrapKeyData(raw, { impl: "threefry2x32" }).shape).toEqual([]);
    expect(random.randomGammaP.name).toBe("gamma");
  });
});

describe("under vmap", () => {
  test.each([
    ["normal", (k: Tensor) => random.normal(k, [3])],
    ["split", (k: Tensor) => random.split(k)],
    ["randint", (k: Tensor) => random.randint(k, [3], 0, 100)],
    ["gumbel high", (k: Tensor) => random.gumbel(k, [3], { mode: "high" })],
    ["permutation", (k: Tensor) => random.permutation(k, 5)],
    ["gamma", (k: Tensor) => random.gamma(k, 0.5, [3])],
    ["poisson", (k: Tensor) => random.poisson(k, 20, [3])],
  ] as const)("%s of each key is that of the key by itself", async (_name, draw) => {
    const keys = hostSplit(seedToKey(11), 4);
    const got = await list(jax.vmap(draw)(array(keys, { shape: [4, 2] })));
    const want: number[] = [];
    for (let i = 0; i < 4; i++) want.push(...(await list(draw(array(keys.slice(2 * i, 2 * i + 2))))));
    expect(got).toEqual(want);
  });
});

describe("the older Threefry", () => {
  afterEach(() => {
    config.update("jax_threefry_partitionable", true);
  });

  const older = (): void => config.update("jax_threefry_partitionable", false);

  test("JAX's own known answers", async () => {
    older();
    const key = random.key(1701);
    expect(await list(random.bits(key, [3], { dtype: "uint8" }))).toEqual([216, 115, 43]);
    expect(await list(random.bits(key, [3], { dtype: "uint16" }))).toEqual([41682, 1300, 55017]);
    expect(await list(random.bits(key, [3]))).toEqual([56197195, 4200222568, 961309823]);
    const words = await list(random.bits(key, [3], { dtype: "uint64" }));
    const joined = [0, 1, 2].map((i) => (BigInt(words[2 * i] ?? 0) << 32n) | BigInt(words[2 * i + 1] ?? 0));
    expect(joined).toEqual([3982329540505020460n, 16822122385914693683n, 7882654074788531506n]);
    expect(await list(random.randint(random.key(0), [3, 3], 0, 8))).toEqual([2, 1, 3, 6, 1, 5, 6, 3, 4]);
    expect(await list(random.split(random.key(0), 4))).toEqual([
      2285895361, 1501764800, 1518642379, 4090693311, 433833334, 4221794875, 839183663, 3740430601,
    ]);
    expect(await list(random.foldIn(random.key(0), 4))).toEqual([2285895361, 433833334]);
  });

  test("keys that are data split as those of the host do", async () => {
    older();
    const device = jax.jit((key: Tensor) => random.split(key, 5));
    expect(await list(device(random.key(9)))).toEqual(await list(random.split(random.key(9), 5)));
  });

  test.each([
    ["bernoulli", 1612777541, (k: Tensor) => random.bernoulli(k, 0.5, [5]), [0, 1, 1, 1, 0]],
    ["cauchy", 1175914230, (k: Tensor) => random.cauchy(k, [5]), [-0.088416, -10.169713, 3.49677, -1.18056, 0.34556]],
    ["gamma", 1038747260, (k: Tensor) => random.gamma(k, 0.8, [5]), [0.824221, 1.724476, 0.502882, 5.386132, 0.685543]],
    ["poisson", 1349191556, (k: Tensor) => random.poisson(k, 5, [5]), [7, 3, 6, 11, 6]],
    [
      "exponential",
      1942292768,
      (k: Tensor) => random.exponential(k, [5]),
      [0.526067, 0.043046, 0.039932, 0.46427, 0.123886],
    ],
    ["gumbel", 1179715317, (k: Tensor) => random.gumbel(k, [5]), [2.06701, 0.911726, 0.145736, 0.185427, -0.00711]],
    ["laplace", 1291781963, (k: Tensor) => random.laplace(k, [5]), [0.578939, -0.204902, 0.555733, 0.911053, -0.96456]],
    [
      "logistic",
      1466238935,
      (k: Tensor) => random.logistic(k, [5]),
      [0.19611, -1.709053, -0.274093, -0.208322, -1.675489],
    ],
    ["maxwell", 1331627891, (k: Tensor) => random.maxwell(k, [5]), [3.070779, 0.908479, 1.521317, 0.875551, 1.306137]],
    ["normal", 1193674498, (k: Tensor) => random.normal(k, [5]), [-1.173234, -1.511662, 0.070593, -0.099764, 1.052845]],
    [
      "pareto",
      1192560388,
      (k: Tensor) => random.pareto(k, 0.5, [5]),
      [2.751398, 1.281863, 87.85448, 1.254542, 2.824487],
    ],
    ["rademacher", 1719994501, (k: Tensor) => random.rademacher(k, [5]), [-1, -1, -1, -1, 1]],
    ["randint", 1319372649, (k: Tensor) => random.randint(k, [5], 0, 10), [0, 5, 7, 7, 5]],
    ["uniform", 1338574713, (k: Tensor) => random.uniform(k, [5]), [0.298671, 0.073213, 0.873356, 0.260549, 0.412797]],
  ] as const)("JAX's values of %s", async (_name, seed, draw, want) => {
    older();
    const got = await list(draw(random.key(seed)));
    got.forEach((value, i) => expect(Math.abs(value / (want[i] ?? 1) - 1) || 0).toBeLessThan(1e-4));
  });

  test("a jitted function follows the switch", async () => {
    const draw = jax.jit((key: Tensor) => random.bits(key, [3]));
    const key = random.key(1701);
    const now = await list(draw(key));
    older();
    expect(await list(draw(key))).toEqual([56197195, 4200222568, 961309823]);
    config.update("jax_threefry_partitionable", true);
    expect(await list(draw(key))).toEqual(now);
    expect(now).toEqual([1111271205, 2679469115, 974515252]);
  });

  test("unknown switches", () => {
    // @ts-expect-error: the type refuses it too.
    expect(() => config.update("jax_enable_x64", true)).toThrow(/unknown switch "jax_enable_x64"; there are/);
    // @ts-expect-error: the type refuses it too.
    expect(() => config.update("jax_threefry_partitionable", 1)).toThrow(/takes true or false, received 1/);
  });
});

describe("jax_debug_key_reuse", () => {
  afterEach(() => {
    config.update("jax_debug_key_reuse", false);
    vi.restoreAllMocks();
  });

  test("names both places, once a key is used twice", () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    config.update("jax_debug_key_reuse", true);
    const key = random.key(0);
    random.normal(key, [2]);
    expect(warned).not.toHaveBeenCalled();
    random.uniform(key, [2]);
    expect(String(warned.mock.calls[0]?.[0])).toMatch(
      /used twice, first by random\.normal \(.*keys\.spec\.ts:\d+.*\), now by random\.uniform \(.*keys\.spec\.ts:\d+/,
    );
  });

  test("keys of their own, clones and foldIn are silent", () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    config.update("jax_debug_key_reuse", true);
    const key = random.key(0);
    random.normal(random.clone(key), [2]);
    random.normal(random.clone(key), [2]);
    random.normal(random.foldIn(key, 0), [2]);
    random.gamma(random.foldIn(key, 1), 2);
    random.f(key, 4, 6);
    expect(warned).not.toHaveBeenCalled();
  });
});

describe("what is refused", () => {
  const key = random.key(0);
  test.each([
    [() => random.normal(random.split(key)), /random\.normal: takes one key, received keys of shape \[2\]/],
    [
      () => random.normal(array([1, 2])),
      /random\.normal: a key is what random\.key\(seed\) makes, or a uint32 array .* received int32/,
    ],
    [() => random.normal(array(Uint32Array.of(1, 2, 3))), /random\.normal: a key is .* received uint32\[3\]/],
    [() => random.split(key, -1), /random\.split: .*-1/],
    [() => random.randint(key, [-2], 0, 5), /random\.randint: .*-2/],
    [() => random.foldIn(key, -1), /foldIn: data is -1; give a whole number in \[0, 2\^32\)/],
    [() => random.foldIn(key, array([0, 1])), /random\.foldIn: the data must be a scalar, received shape \[2\]/],
    [() => random.key(0, { impl: "fry", dtype: "key<fry>" }), /random\.key: cannot take both impl and dtype/],
    [() => random.rademacher(key, [2], { dtype: "bool" }), /random\.rademacher: the dtype must be .* received bool/],
    [() => random.poisson(key, 3, [2], { dtype: "float32" }), /random\.poisson: the dtype must be .* received float32/],
    [() => random.ball(key, 3, { p: array([1, 2]) }), /random\.ball: p must be a scalar, received shape \[2\]/],
    [
      () => {
        const used = random.foldIn(key, 3);
        used.dispose();
        return random.normal(used, [2]);
      },
      /disposed|freed/,
    ],
    [() => random.key(1.5), /seed is 1\.5/],
    [() => random.key(array(1.5)), /seed must be an integer, received float32/],
    [() => random.uniform(key, [-1]), /-1/],
    [() => random.uniform(key, [2], { minval: array([1, 2, 3]) }), /uniform/],
    [() => random.normal(key, [1.5]), /1\.5/],
    [() => random.randint(key, [2], 0, array([1, 2, 3])), /randint/],
    [
      () => random.gamma(key, array([1, 2]), []),
      /random\.gamma: the parameters' shape \[2\] does not broadcast to the shape \[\]/,
    ],
    [() => random.choice(key, 3, [4], { replace: false }), /4 draws without replacement from 3/],
    [
      () => random.choice(key, 3, [4], { p: array([0.5, 0.5]) }),
      /one probability for each of 3 elements, received \[2\]/,
    ],
    [() => random.choice(key, 0, [1]), /nothing to choose from/],
    [
      () => random.categorical(key, array([0, 1]), { shape: [3], replace: false }),
      /3 draws without replacement from 2/,
    ],
    [() => random.permutation(key, -1), /whole number ≥ 0/],
    [() => random.dirichlet(key, 1), /at least one axis/],
    [() => random.multivariateNormal(key, array([0, 0]), array([1])), /cov \[\.\.\., n, n\]/],
    [() => random.bernoulli(key, array([1, 0])), /p must be float32, received int32/],
  ])("%s", (draw, message) => {
    expect(draw).toThrow(message);
  });
});

describe("what JAX gives a result for, it gives here", () => {
  const key = random.key(42);
  test.each([
    ["p that does not sum to 1", () => random.choice(key, 3, [5], { p: array([0.5, 0.5, 0.5]) }), [1, 0, 1, 1, 1]],
    ["p of zeros", () => random.choice(key, 3, [5], { p: array(Float32Array.of(0, 0, 0)) }), [0, 0, 0, 0, 0]],
    ["a negative p", () => random.choice(key, 3, [5], { p: array([-1, 0.5, 0.5]) }), [2, 2, 2, 2, 2]],
    ["multinomial's p likewise", () => random.multinomial(key, 10, array([0.5, 0.5, 0.5])), [3, 5, 2]],
    ["uniform with low > high", () => random.uniform(key, [3], { minval: 2, maxval: 1 }), [2, 2, 2]],
    ["randint with low > high", () => random.randint(key, [3], 5, 1), [5, 5, 5]],
    ["truncatedNormal with low > high", () => random.truncatedNormal(key, 1, -1, [3]), [-1, -1, -1]],
    ["probabilities above 1", () => random.bernoulli(key, 2, [3]), [1, 1, 1]],
    ["geometric's, out of (0, 1]", () => random.geometric(key, array([0, -1, 1, 2])), [2147483647, 0, 1, 0]],
    ["gamma's shapes", () => random.gamma(key, array([0, -1, NaN, Infinity])), [0, NaN, NaN, Infinity]],
    ["poisson's rates", () => random.poisson(key, array([0, -1, NaN])), [0, -1, -1]],
    ["binomial's parameters", () => random.binomial(key, array([-1, NaN, 10]), array([0.5, 0.5, -1])), [NaN, NaN, NaN]],
  ])("%s", async (_name, draw, want) => {
    const got = await list(draw());
    expect(got.map((value) => Math.round(value * 1e4) / 1e4)).toEqual(want);
  });
});

describe("derivatives by the parameters", () => {
  test.each([
    ["uniform", (a: Tensor) => random.uniform(random.key(3), [], { minval: a, maxval: 4 })],
    ["truncatedNormal", (a: Tensor) => random.truncatedNormal(random.key(3), -1, a)],
    ["pareto", (a: Tensor) => random.pareto(random.key(3), a)],
    ["rayleigh", (a: Tensor) => random.rayleigh(random.key(3), a)],
    ["lognormal", (a: Tensor) => random.lognormal(random.key(3), a)],
    ["wald", (a: Tensor) => random.wald(random.key(3), a)],
    ["triangular", (a: Tensor) => random.triangular(random.key(3), 0, a, 2)],
  ] as const)("%s agrees with a difference quotient", async (_name, draw) => {
    const at = async (a: number): Promise<number> => draw(array(a)).item();
    const [a, h] = [1.25, 2 ** -8];
    const quotient = ((await at(a + h)) - (await at(a - h))) / (2 * h);
    const slope = await jax.grad(draw)(array(a)).item();
    expect(Math.abs(slope - quotient)).toBeLessThan(2e-3 * Math.max(1, Math.abs(quotient)));
  });
});
