import type { Place } from "./errors.ts";

/** A type as written: `vec4<f32>`, `array<V, 8>`, `F`. */
export interface TypeName extends Place {
  readonly name: string;
  /** Template arguments: types for vec and array elements, an expression for an array's length. */
  readonly args: readonly (TypeName | Expression)[];
}

export type Expression =
  | (Place & { readonly kind: "literal"; readonly text: string })
  | (Place & { readonly kind: "name"; readonly name: string })
  | (Place & { readonly kind: "unary"; readonly operator: string; readonly operand: Expression })
  | (Place & {
      readonly kind: "binary";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    })
  | (Place & { readonly kind: "index"; readonly base: Expression; readonly index: Expression })
  | (Place & { readonly kind: "member"; readonly base: Expression; readonly member: string })
  | (Place & { readonly kind: "call"; readonly callee: TypeName; readonly args: readonly Expression[] });

export type Statement =
  | (Place & { readonly kind: "block"; readonly body: readonly Statement[] })
  | (Place & {
      readonly kind: "declare";
      readonly how: "var" | "let" | "const";
      readonly name: string;
      readonly type: TypeName | undefined;
      readonly value: Expression | undefined;
    })
  | (Place & {
      readonly kind: "assign";
      readonly target: Expression | undefined;
      readonly operator: string | undefined;
      readonly value: Expression;
    })
  | (Place & {
      readonly kind: "if";
      readonly cond: Expression;
      readonly then: readonly Statement[];
      readonly otherwise: readonly Statement[];
    })
  | LoopStatement
  | (Place & { readonly kind: "break" | "continue" })
  | (Place & { readonly kind: "return"; readonly value: Expression | undefined })
  | (Place & { readonly kind: "call"; readonly call: Expression });

/** `for`, `while` and `loop` in one form. */
export interface LoopStatement extends Place {
  readonly kind: "loop";
  readonly init: Statement | undefined;
  readonly cond: Expression | undefined;
  readonly update: readonly Statement[];
  /** True where `update` is a continuing block: it sees the names that the body declares. */
  readonly continuing: boolean;
  /** `break if` at the end of a continuing block. */
  readonly breakIf: Expression | undefined;
  readonly body: readonly Statement[];
}

export interface Attribute extends Place {
  readonly name: string;
  readonly args: readonly Expression[];
}

export interface Member extends Place {
  readonly name: string;
  readonly type: TypeName;
  readonly attributes: readonly Attribute[];
}

export interface FunctionDeclaration extends Place {
  readonly kind: "function";
  readonly name: string;
  readonly parameters: readonly Member[];
  readonly result: TypeName | undefined;
  readonly body: readonly Statement[];
  readonly attributes: readonly Attribute[];
}

export interface StructDeclaration extends Place {
  readonly kind: "struct";
  readonly name: string;
  readonly members: readonly Member[];
}

export interface GlobalDeclaration extends Place {
  readonly kind: "global";
  readonly name: string;
  readonly space: string;
  readonly access: string;
  readonly type: TypeName;
  readonly attributes: readonly Attribute[];
}

export type Declaration =
  | FunctionDeclaration
  | StructDeclaration
  | GlobalDeclaration
  | (Place & { readonly kind: "alias"; readonly name: string; readonly type: TypeName })
  | (Place & {
      readonly kind: "const";
      readonly name: string;
      readonly type: TypeName | undefined;
      readonly value: Expression;
    });

export type Module = ReadonlyMap<string, Declaration>;
