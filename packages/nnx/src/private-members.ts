import { GraphError } from "./errors.ts";

const checked = /* @__PURE__ */ new WeakSet<object>();

/** Comments and texts, to be passed over; then `#name` where a member is declared, or what compilers write for one. */
const PRIVATE =
  /\/\*[^]*?\*\/|\/\/.*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|(?<=[\s{};*])#([\p{ID_Start}$_][\p{ID_Continue}$]*)|__privateAdd\(this, (\w+)/gu;

function privateNames(cls: object): string[] {
  const text = Function.prototype.toString.call(cls);
  const names = Array.from(text.matchAll(PRIVATE), ([, name, lowered]) => name ?? lowered?.replace(/^_+/, ""));
  return [...new Set(names)].flatMap((name) => (name === undefined ? [] : [`#${name}`]));
}

/**
 * Refuses to make an instance of a class without its constructor if the class, or one below `base` that it extends, has
 * private members: only a constructor can give an object those, and the first use of one would throw.
 *
 * @throws GraphError naming class, members and remedy.
 */
export function refusePrivate(type: object & { readonly name: string }, base: object): void {
  if (checked.has(type)) return;
  for (let cls: unknown = type; typeof cls === "function" && cls !== base; cls = Object.getPrototypeOf(cls)) {
    const names = privateNames(cls);
    if (names.length === 0) continue;
    throw new GraphError(
      `${type.name}: a copy is made without the constructor, and so would lack the private ${names.length === 1 ? "member" : "members"} ${names.join(", ")}` +
        `${cls === type ? "" : ` of ${cls.name}`}; write "private ${names[0]?.slice(1)}" as TypeScript does, or say how an instance is made: static override [nnx.makeEmpty]() { return new this(…); }`,
    );
  }
  checked.add(type);
}
