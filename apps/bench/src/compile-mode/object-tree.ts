/** The syntax tree of a Lox program as plain objects. */

/** An operator with two operands that are both evaluated. */
export type BinaryOperator = '!=' | '==' | '>' | '>=' | '<' | '<=' | '-' | '+' | '/' | '*';

/** Something that has a value. Every `line` is that of its last token, which errors at run time name. */
export type Expression =
  | { readonly type: 'number'; readonly value: number; readonly line: number }
  | { readonly type: 'string'; readonly value: string; readonly line: number }
  | { readonly type: 'nil' | 'true' | 'false' | 'this'; readonly line: number }
  | { readonly type: 'variable'; readonly name: string; readonly line: number }
  | { readonly type: 'assign'; readonly name: string; readonly value: Expression; readonly line: number }
  | { readonly type: 'unary'; readonly operator: '-' | '!'; readonly operand: Expression; readonly line: number }
  | { readonly type: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression; readonly line: number }
  | { readonly type: 'logical'; readonly operator: 'and' | 'or'; readonly left: Expression; readonly right: Expression; readonly line: number }
  | { readonly type: 'call'; readonly callee: Expression; readonly arguments: readonly Expression[]; readonly line: number }
  | { readonly type: 'get'; readonly object: Expression; readonly name: string; readonly line: number }
  | { readonly type: 'set'; readonly object: Expression; readonly name: string; readonly value: Expression; readonly line: number }
  | { readonly type: 'invoke'; readonly object: Expression; readonly name: string; readonly arguments: readonly Expression[]; readonly line: number }
  | { readonly type: 'super'; readonly name: string; readonly arguments: readonly Expression[] | undefined; readonly nameLine: number; readonly line: number };

/** A function, a method, or the script. */
export interface FunctionTree {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly body: readonly Statement[];
  readonly line: number;
}

/** Something that is executed. */
export type Statement =
  | { readonly type: 'expression' | 'print'; readonly value: Expression; readonly line: number }
  | { readonly type: 'var'; readonly name: string; readonly value: Expression; readonly line: number }
  | { readonly type: 'block'; readonly body: readonly Statement[]; readonly line: number }
  | { readonly type: 'if'; readonly condition: Expression; readonly then: Statement; readonly otherwise: Statement | undefined }
  | { readonly type: 'while'; readonly condition: Expression; readonly body: Statement }
  | {
      readonly type: 'for';
      readonly start: Statement | undefined;
      readonly condition: Expression | undefined;
      readonly step: Expression | undefined;
      readonly body: Statement;
    }
  | { readonly type: 'return'; readonly value: Expression | undefined; readonly line: number }
  | { readonly type: 'function'; readonly tree: FunctionTree; readonly line: number }
  | {
      readonly type: 'class';
      readonly name: string;
      readonly base: string | undefined;
      readonly methods: readonly FunctionTree[];
      readonly headLine: number;
      readonly line: number;
    };
