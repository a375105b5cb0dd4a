import type { Attribute, Declaration, Member, TypeName } from "./ast.ts";
import { WgslError, type Place } from "./errors.ts";
import { parseArguments, parseExpression, parseType } from "./parse-expression.ts";
import { parseBlock } from "./parse-statement.ts";
import { Tokens } from "./tokens.ts";

/** Parses a whole text. Declarations keep their order; names may be used before they are declared. */
export function parse(code: string): Map<string, Declaration> {
  const tokens = new Tokens(code);
  const module = new Map<string, Declaration>();
  while (tokens.next.kind !== "end") {
    if (tokens.accept(";")) continue;
    const declaration = parseDeclaration(tokens);
    if (module.has(declaration.name))
      throw new WgslError("name", declaration, `${declaration.name} is declared a second time`);
    module.set(declaration.name, declaration);
  }
  return module;
}

function parseDeclaration(tokens: Tokens): Declaration {
  const attributes = parseAttributes(tokens);
  const { text, line, column } = tokens.next;
  const place = { line, column };
  switch (text) {
    case "fn":
      return parseFunction(tokens, attributes, place);
    case "struct":
      return parseStruct(tokens, place);
    case "var":
      return parseGlobal(tokens, attributes, place);
    case "alias": {
      tokens.take();
      const { text: name } = tokens.name("a name");
      tokens.expect("=");
      const type = parseType(tokens);
      tokens.expect(";");
      return { kind: "alias", name, type, ...place };
    }
    case "const": {
      tokens.take();
      const { text: name } = tokens.name("a name");
      const type = tokens.accept(":") ? parseType(tokens) : undefined;
      tokens.expect("=");
      const value = parseExpression(tokens);
      tokens.expect(";");
      return { kind: "const", name, type, value, ...place };
    }
    case "override":
    case "enable":
    case "requires":
    case "diagnostic":
    case "const_assert":
      throw new WgslError("unsupported", place, `${text} is outside the subset`);
    default:
      throw tokens.unexpected("a declaration");
  }
}

function parseAttributes(tokens: Tokens): Attribute[] {
  const attributes: Attribute[] = [];
  while (tokens.accept("@")) {
    const { text: name, line, column } = tokens.name("an attribute");
    const args = tokens.is("(") ? parseArguments(tokens) : [];
    attributes.push({ name, args, line, column });
  }
  return attributes;
}

function parseMembers(tokens: Tokens, open: string, close: string): Member[] {
  const members: Member[] = [];
  tokens.expect(open);
  while (!tokens.is(close)) {
    const attributes = parseAttributes(tokens);
    const { text: name, line, column } = tokens.name("a name");
    tokens.expect(":");
    members.push({ name, type: parseType(tokens), attributes, line, column });
    if (!tokens.accept(",")) break;
  }
  tokens.expect(close);
  return members;
}

function parseFunction(tokens: Tokens, attributes: readonly Attribute[], place: Place): Declaration {
  tokens.expect("fn");
  const { text: name } = tokens.name("a name");
  const parameters = parseMembers(tokens, "(", ")");
  let result: TypeName | undefined;
  if (tokens.accept("->")) {
    parseAttributes(tokens);
    result = parseType(tokens);
  }
  return { kind: "function", name, parameters, result, body: parseBlock(tokens), attributes, ...place };
}

function parseStruct(tokens: Tokens, place: Place): Declaration {
  tokens.expect("struct");
  const { text: name } = tokens.name("a name");
  return { kind: "struct", name, members: parseMembers(tokens, "{", "}"), ...place };
}

function parseGlobal(tokens: Tokens, attributes: readonly Attribute[], place: Place): Declaration {
  tokens.expect("var");
  let space = "private";
  let access = "read";
  if (tokens.accept("<")) {
    space = tokens.name("an address space").text;
    if (tokens.accept(",")) access = tokens.name("an access mode").text;
    tokens.expect(">");
  }
  const { text: name } = tokens.name("a name");
  tokens.expect(":");
  const type = parseType(tokens);
  if (tokens.is("="))
    throw new WgslError("unsupported", tokens.next, "module variables with an initializer are outside the subset");
  tokens.expect(";");
  return { kind: "global", name, space, access, type, attributes, ...place };
}
