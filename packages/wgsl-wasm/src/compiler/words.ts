/** Words that WGSL keeps for itself: nothing may be named so. Source: WGSL, sections "Keywords" and "Reserved Words". */

const KEYWORDS =
  "alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop " +
  "override requires return struct switch true var while";

const RESERVED =
  "NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class co_await " +
  "co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval constexpr constinit crate " +
  "debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends extern external fallthrough filter " +
  "final finally friend from fxgroup get goto groupshared highp impl implements import inline instanceof interface layout lowp macro " +
  "macro_rules match mediump meta mod module move mut mutable namespace new nil noexcept noinline nointerpolation non_coherent " +
  "noncoherent noperspective null nullptr of operator package packoffset pass patch pixelfragment precise precision premerge " +
  "priv protected pub public readonly ref regardless register reinterpret_cast require resource restrict self set shared sizeof " +
  "smooth snorm static static_assert static_cast std subroutine super target template this thread_local throw trait try type typedef " +
  "typeid typename typeof union unless unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly yield";

const words = new Map<string, string>([
  ...KEYWORDS.split(" ").map((word) => [word, "a keyword"] as const),
  ...RESERVED.split(" ").map((word) => [word, "a reserved word"] as const),
]);

/** Why nothing may have this name, or undefined. */
export function notAName(text: string): string | undefined {
  return (
    words.get(text) ??
    (text === "_" || text.startsWith("__") ? "no name: it begins with two underscores, or is one" : undefined)
  );
}
