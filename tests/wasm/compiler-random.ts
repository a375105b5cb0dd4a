/** Random kernels of the subset whose results are exact: whole numbers, and floats that hold small whole numbers. */
export type Random = () => number;

/** mulberry32: small, seeded, good enough for programs. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Type = "f32" | "i32" | "u32" | "bool" | "vec4f" | "vec4i" | "vec4u" | "vec4<bool>" | "vec2f" | "vec3u";
const TYPES: readonly Type[] = ["f32", "i32", "u32", "bool", "vec4f", "vec4i", "vec4u", "vec4<bool>", "vec2f", "vec3u"];
const ELEMENT: Readonly<Record<Type, "f32" | "i32" | "u32" | "bool">> = {
  f32: "f32",
  i32: "i32",
  u32: "u32",
  bool: "bool",
  vec4f: "f32",
  vec4i: "i32",
  vec4u: "u32",
  "vec4<bool>": "bool",
  vec2f: "f32",
  vec3u: "u32",
};
const LANES: Readonly<Record<Type, number>> = {
  f32: 1,
  i32: 1,
  u32: 1,
  bool: 1,
  vec4f: 4,
  vec4i: 4,
  vec4u: 4,
  "vec4<bool>": 4,
  vec2f: 2,
  vec3u: 3,
};

/** A vector of bools as wide as a type. */
const MASK: Readonly<Record<number, string>> = { 1: "bool", 2: "vec2<bool>", 3: "vec3<bool>", 4: "vec4<bool>" };

interface Name {
  readonly name: string;
  readonly type: Type;
  readonly mutable: boolean;
}

export const GROUP = 8;

/** Floats come back to small whole numbers after each operation, so that every order of operations is exact. */
const HEAD = `struct Params { n: u32, a: u32, b: i32, s: f32 }
struct Pair { first: vec4f, second: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x0: array<f32>;
@group(0) @binding(2) var<storage, read> x1: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4u>;
var<workgroup> wg: array<vec4u, ${GROUP}>;
var<workgroup> wf: array<f32, ${GROUP}>;
fn n1(x: f32) -> f32 { return clamp(floor(x), -500.0, 500.0); }
fn n2(x: vec2f) -> vec2f { return clamp(floor(x), vec2f(-500.0), vec2f(500.0)); }
fn n4(x: vec4f) -> vec4f { return clamp(floor(x), vec4f(-500.0), vec4f(500.0)); }
fn marked(i: u32, x: vec4u) -> vec4u { y[i] = y[i].yzwx ^ x; return x + 1u; }
fn early(x: i32, q: bool) -> i32 { if (x > 3) { return x - 1; } if (q) { return 7; } return x * 2; }
fn pairOf(x: vec4f, k: u32) -> Pair { var r = Pair(x, k); r.first.z = n1(f32(k & 255u)); r.second += 1u; return r; }
fn wide(x: vec4u) -> array<vec4u, 2> { return array<vec4u, 2>(x + 1u, x ^ vec4u(85u)); }
`;

/** One kernel as text. */
export class RandomKernel {
  readonly #r: Random;
  #names: Name[] = [];
  #count = 0;
  #loops = 0;

  constructor(random: Random) {
    this.#r = random;
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#r() * items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  #int(below: number): number {
    return Math.floor(this.#r() * below);
  }

  text(): string {
    this.#names = [
      { name: "i", type: "u32", mutable: false },
      { name: "lid", type: "vec3u", mutable: false },
    ];
    const barriers = this.#r() < 0.5;
    let body = "  let i = (wid.x + wid.y * groups.x) * 8u + lid.x;\n";
    body += this.#statements(3 + this.#int(4), 1, false);
    if (barriers) {
      for (let k = 0; k < 1 + this.#int(3); k++) body += this.#barrier();
    } else if (this.#r() < 0.4) body += `  if (${this.#expression("bool", 1)} && i > 5u) { y[i] = x1[i]; return; }\n`;
    body += this.#statements(3 + this.#int(4), 1, false);
    body += this.#results();
    return `${HEAD}@compute @workgroup_size(${GROUP})
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_id) lid: vec3u, @builtin(num_workgroups) groups: vec3u) {
${body}}
`;
  }

  /** All that is in scope, mixed into the results. */
  #results(): string {
    let sum = "vec4u(0u)";
    for (const { name, type } of this.#names.slice(0, 14)) {
      const element = ELEMENT[type];
      const lanes = LANES[type];
      let word = `${name}`;
      if (element === "bool") word = `select(vec4u(0u), vec4u(1u), ${lanes === 4 ? name : `vec4<bool>(${name})`})`;
      else if (lanes === 1) word = element === "f32" ? `vec4u(u32(i32(${name})))` : `vec4u(u32(${name}))`;
      else if (lanes === 2) word = `vec4u(vec2u(vec2i(${name})), 1u, 2u)`;
      else if (lanes === 3) word = `vec4u(${name}, 3u)`;
      else word = element === "f32" ? `vec4u(vec4i(${name}))` : `vec4u(${name})`;
      sum = `(${sum} * 31u + ${word})`;
    }
    return `  y[i] = y[i] ^ ${sum};\n`;
  }

  #statements(count: number, depth: number, inLoop: boolean): string {
    let text = "";
    for (let k = 0; k < count; k++) text += this.#statement(depth, inLoop);
    return text;
  }

  #nested(count: number, depth: number, inLoop: boolean): string {
    const outer = this.#names;
    this.#names = [...outer];
    const text = this.#statements(count, depth, inLoop);
    this.#names = outer;
    return text;
  }

  #statement(depth: number, inLoop: boolean): string {
    const pad = "  ".repeat(depth);
    const choice = this.#r();
    if (choice < 0.35 || this.#names.length < 4) return pad + this.#declare();
    if (choice < 0.6) return pad + this.#assign();
    if (choice < 0.75 && depth < 4) {
      const otherwise = this.#r() < 0.5 ? ` else {\n${this.#nested(1 + this.#int(2), depth + 1, inLoop)}${pad}}` : "";
      return `${pad}if (${this.#expression("bool", 2)}) {\n${this.#nested(1 + this.#int(3), depth + 1, inLoop)}${pad}}${otherwise}\n`;
    }
    if (choice < 0.87 && depth < 3) return this.#loop(depth);
    if (inLoop && choice < 0.93)
      return `${pad}if (${this.#expression("bool", 1)}) { ${this.#r() < 0.5 ? "break" : "continue"}; }\n`;
    if (choice < 0.945) return `${pad}y[i] += marked(i, ${this.#expression("vec4u", 1)});\n`;
    if (choice < 0.96) return `${pad}y[i] = y[i] + ${this.#expression("vec4u", 2)};\n`;
    return `${pad}y[i].${this.#pick(["x", "y", "z", "w"])} = ${this.#expression("u32", 2)};\n`;
  }

  #declare(): string {
    const type = this.#pick(TYPES);
    const mutable = this.#r() < 0.6;
    const value = this.#expression(type, 3);
    const name = `v${this.#count++}`;
    this.#names.push({ name, type, mutable });
    return `${mutable ? "var" : "let"} ${name}${this.#r() < 0.3 ? `: ${type}` : ""} = ${value};\n`;
  }

  #assign(): string {
    const targets = this.#names.filter((name) => name.mutable);
    if (targets.length === 0) return this.#declare();
    const { name, type } = this.#pick(targets);
    const element = ELEMENT[type];
    if (LANES[type] === 4 && element !== "bool" && this.#r() < 0.3) {
      const lane = this.#pick(["x", "y", "z", "w"]);
      return `${name}.${lane} = ${this.#expression(element, 2)};\n`;
    }
    if (element !== "bool" && element !== "f32" && this.#r() < 0.3)
      return `${name} ${this.#pick(["+=", "-=", "*=", "^=", "|=", "&="])} ${this.#expression(type, 2)};\n`;
    return `${name} = ${this.#expression(type, 3)};\n`;
  }

  #loop(depth: number): string {
    const pad = "  ".repeat(depth);
    const k = `k${this.#loops++}`;
    const kind = this.#int(6);
    const outer = this.#names;
    this.#names = [...outer, { name: k, type: "u32", mutable: false }];
    let text: string;
    if (kind > 3) {
      text = kind === 4 ? this.#shrinkingLoop(pad, k, depth) : this.#continuingLoop(pad, k, depth);
      this.#names = outer;
      return text;
    }
    if (kind === 0) {
      // A private array that is indexed by the counter: unrolled.
      const array = `a${this.#count++}`;
      text = `${pad}var ${array}: array<vec4u, 4>;\n${pad}for (var ${k} = 0u; ${k} < 4u; ${k}++) {\n${pad}  ${array}[${k}] = ${this.#expression("vec4u", 2)};\n${pad}}\n`;
      this.#names = outer;
      const name = `v${this.#count++}`;
      outer.push({ name, type: "vec4u", mutable: true });
      return `${text}${pad}var ${name} = ${array}[1] ^ ${array}[3].wzyx;\n`;
    }
    const bound =
      kind === 1 ? "p.a % 6u" : kind === 2 ? `(${this.#expression("u32", 1)} & 7u)` : `${1 + this.#int(20)}u`;
    const body = this.#statements(1 + this.#int(3), depth + 1, true);
    if (this.#r() < 0.3)
      text = `${pad}{\n${pad}var ${k} = 0u;\n${pad}while (${k} < ${bound}) {\n${pad}  ${k} += 1u;\n${body}${pad}}\n${pad}}\n`;
    else text = `${pad}for (var ${k} = 0u; ${k} < ${bound}; ${k} += ${1 + this.#int(3)}u) {\n${body}${pad}}\n`;
    this.#names = outer;
    return text;
  }

  /** Its bound and its step are variables that the body changes. */
  #shrinkingLoop(pad: string, k: string, depth: number): string {
    const [end, step] = [`e${this.#count++}`, `s${this.#count++}`];
    const changes = `${pad}  ${end} = min(${end}, ${this.#expression("u32", 1)} & 7u); ${step} = 1u + (${this.#expression("u32", 1)} & 1u);\n`;
    const body = this.#statements(1 + this.#int(2), depth + 1, true);
    return `${pad}var ${end} = ${1 + this.#int(6)}u;\n${pad}var ${step} = 1u;\n${pad}for (var ${k} = 0u; ${k} < ${end}; ${k} += ${step}) {\n${changes}${body}${pad}}\n`;
  }

  /** Its continuing block takes a name from the body, which hides one outside. */
  #continuingLoop(pad: string, k: string, depth: number): string {
    const step = `s${this.#count++}`;
    const first = `${pad}  let ${step} = 1u + (${this.#expression("u32", 1)} & 3u);\n`;
    const inner = first + this.#statements(1 + this.#int(2), depth + 1, false);
    const end = `${pad}  continuing { ${k} += ${step}; break if ${k} > ${1 + this.#int(9)}u; }\n`;
    return `${pad}var ${k} = 0u;\n${pad}let ${step} = 100u;\n${pad}loop {\n${inner}${end}${pad}}\n`;
  }

  /** Writes workgroup memory, waits, reads what a neighbour wrote; once, or in a loop. */
  #barrier(): string {
    const lines = (pad: string): string => {
      const name = `v${this.#count++}`;
      const float = this.#r() < 0.4;
      const array = float ? "wf" : "wg";
      const text = `${pad}${array}[lid.x] = ${this.#expression(float ? "f32" : "vec4u", 2)};
${pad}workgroupBarrier();
${pad}let ${name} = ${array}[(lid.x + ${1 + this.#int(7)}u) % 8u];
${pad}workgroupBarrier();
`;
      this.#names.push({ name, type: float ? "f32" : "vec4u", mutable: false });
      return text;
    };
    if (this.#r() < 0.5) return lines("  ") + this.#statements(this.#int(3), 1, false);
    const k = `k${this.#loops++}`;
    const outer = this.#names;
    this.#names = [...outer, { name: k, type: "u32", mutable: false }];
    const before = this.#statements(this.#int(3), 2, false);
    const body = before + lines("    ") + this.#statements(this.#int(3), 2, false);
    this.#names = outer;
    if (this.#r() < 0.3)
      return `  { var ${k} = 9u;\n  for (${k} = 0u; ${k} < p.a % 5u; y[i].x += ${k}) {\n${body}    ${k} += 1u;\n  }\n  y[i].y ^= ${k}; }\n`;
    if (this.#r() < 0.5) return `  for (var ${k} = 0u; ${k} < p.a % 5u; ${k} += 1u) {\n${body}  }\n`;
    return `  for (var ${k} = 4u; ${k} > 0u; ${k} >>= 1u) {\n${body}  }\n`;
  }

  #expression(type: Type, depth: number): string {
    const known = this.#names.filter((name) => name.type === type);
    if (depth <= 0 || this.#r() < 0.15)
      return known.length > 0 && this.#r() < 0.7 ? this.#pick(known).name : this.#leaf(type);
    if (this.#r() < 0.12) {
      const cond =
        LANES[type] > 1 && this.#r() < 0.5 ? this.#mask(LANES[type], depth - 1) : this.#expression("bool", depth - 1);
      return `select(${this.#expression(type, depth - 1)}, ${this.#expression(type, depth - 1)}, ${cond})`;
    }
    const element = ELEMENT[type];
    if (element === "bool") return this.#bool(type, depth);
    if (element === "f32") return this.#float(type, depth);
    return this.#whole(type, element, depth);
  }

  #mask(lanes: number, depth: number): string {
    if (lanes === 4) return this.#expression("vec4<bool>", depth);
    return `${MASK[lanes]}(${this.#expression("bool", depth)})`;
  }

  #leaf(type: Type): string {
    const number = this.#int(40);
    switch (type) {
      case "f32":
        return this.#pick([`${number}.0`, "p.s", "x0[i]", `-${number}.0`, "n1(f32(lid.x))", "x0[0]"]);
      case "i32":
        return this.#pick([`${number}i`, "p.b", `-${number}i`, "i32(i)", "i32(x1[i].y)", "i32(0x80000000u)"]);
      case "u32":
        return this.#pick([`${number}u`, "p.a", "lid.x", "i", "x1[i].x", "0xfffffff0u"]);
      case "bool":
        return this.#pick(["true", "false", "(i > 3u)", "((p.a & 1u) == 0u)"]);
      case "vec4f":
        return this.#pick([`vec4f(${number}.0)`, `vec4f(1.0, 2.0, ${number}.0, -3.0)`, "vec4f(x0[i])", "vec4f()"]);
      case "vec4i":
        return this.#pick([`vec4i(${number})`, "vec4i(1, -2, 3, -4)", "vec4i(x1[i])", "bitcast<vec4i>(x1[i])"]);
      case "vec4u":
        return this.#pick([`vec4u(${number}u)`, "vec4u(1u, 2u, 3u, 4u)", "x1[i]", "x1[0]", "vec4u(lid, 9u)"]);
      case "vec4<bool>":
        return this.#pick(["vec4<bool>(true, false, true, false)", "(x1[i] > vec4u(7u))"]);
      case "vec2f":
        return this.#pick([`vec2f(${number}.0, 1.0)`, "vec2f(p.s, x0[i])"]);
      case "vec3u":
        return this.#pick(["lid", "vec3u(1u, 2u, i)", "x1[i].wxy"]);
    }
  }

  #bool(type: Type, depth: number): string {
    const d = depth - 1;
    if (type === "bool") {
      const of = this.#pick(["f32", "i32", "u32"] as const);
      return this.#pick([
        () =>
          `(${this.#expression(of, d)} ${this.#pick(["<", ">", "<=", ">=", "==", "!="])} ${this.#expression(of, d)})`,
        () =>
          `(${this.#expression("bool", d)} ${this.#pick(["&&", "||", "&", "|", "==", "!="])} ${this.#expression("bool", d)})`,
        () => `!(${this.#expression("bool", d)})`,
        () => `${this.#pick(["any", "all"])}(${this.#expression("vec4<bool>", d)})`,
      ])();
    }
    const of = this.#pick(["vec4f", "vec4i", "vec4u"] as const);
    return this.#pick([
      () => `(${this.#expression(of, d)} ${this.#pick(["<", ">", "<=", ">=", "==", "!="])} ${this.#expression(of, d)})`,
      () => `(${this.#expression(type, d)} ${this.#pick(["&", "|", "==", "!="])} ${this.#expression(type, d)})`,
    ])();
  }

  #float(type: Type, depth: number): string {
    const d = depth - 1;
    const lanes = LANES[type];
    const e = (): string => this.#expression(type, d);
    return this.#pick([
      () => `n${lanes}(${e()} ${this.#pick(["+", "-", "*"])} ${e()})`,
      () => `${this.#pick(["min", "max"])}(${e()}, ${e()})`,
      () => `n${lanes}(${this.#pick(["floor", "ceil", "trunc", "round"])}(${e()} * 0.25))`,
      () => `${this.#pick(["abs", "sign"])}(${e()})`,
      () => `n${lanes}(${e()} * ${this.#expression("f32", d)})`,
      () =>
        lanes === 4
          ? `vec4f(${this.#expression("vec4i", d)} % vec4i(100))`
          : lanes === 1
            ? `f32(${this.#expression("u32", d)} & 511u)`
            : `-${`(${e()})`}`,
      () =>
        lanes === 4
          ? `(${e()}).${this.#pick(["wzyx", "xxyy", "zwxy", "yyyy"])}`
          : lanes === 1
            ? `(${this.#expression("vec4f", d)}).${this.#pick(["x", "w"])}`
            : `(${this.#expression("vec4f", d)}).zx`,
      () =>
        lanes === 4
          ? `pairOf(${e()}, ${this.#expression("u32", d)}).first`
          : lanes === 1
            ? `n1(dot(${this.#expression("vec2f", d)}, vec2f(2.0, 1.0)))`
            : `n2(fma(${e()}, ${e()}, ${e()}))`,
    ])();
  }

  #whole(type: Type, element: "i32" | "u32" | "f32", depth: number): string {
    const d = depth - 1;
    const lanes = LANES[type];
    const e = (): string => this.#expression(type, d);
    const amount =
      lanes === 1
        ? `(${this.#expression("u32", d)} & 31u)`
        : lanes === 4
          ? `(${this.#expression("vec4u", d)} & vec4u(31u))`
          : "vec3u(3u)";
    const twin: Type = type === "vec4i" ? "vec4u" : type === "vec4u" ? "vec4i" : type === "i32" ? "u32" : "i32";
    return this.#pick([
      () => `(${e()} ${this.#pick(["+", "-", "*", "&", "|", "^"])} ${e()})`,
      () => `(${e()} ${this.#pick(["/", "%"])} ${e()})`,
      () => `(${e()} ${this.#pick(["/", "%"])} ${type}(${this.#pick(["1", "2", "7", "16"])}))`,
      () => `(${e()} ${this.#pick(["<<", ">>"])} ${amount})`,
      () => `${this.#pick(["min", "max"])}(${e()}, ${e()})`,
      () => `${this.#pick(["countOneBits", "countLeadingZeros", "abs"])}(${e()})`,
      () => `~(${e()})`,
      () => (type === "vec3u" ? e() : `${this.#pick([type, `bitcast<${type}>`])}(${this.#expression(twin, d)})`),
      () =>
        type === "i32"
          ? `early(${e()}, ${this.#expression("bool", d)})`
          : type === "u32"
            ? `pairOf(${this.#expression("vec4f", d)}, ${e()}).second`
            : type === "vec4u"
              ? `wide(${e()})[${this.#int(2)}]`
              : e(),
      () =>
        lanes === 4
          ? `(${e()} * ${this.#expression(element, d)})`
          : lanes === 1
            ? `(${this.#expression(element === "i32" ? "vec4i" : "vec4u", d)}).${this.#pick(["x", "y", "z", "w"])}`
            : e(),
      () =>
        lanes === 4 && element !== "f32"
          ? `${type}(${this.#expression("vec4f", d)})`
          : lanes === 1
            ? `${type}(${this.#expression("f32", d)})`
            : e(),
    ])();
  }
}
