import ts from 'typescript';
import { root } from './process.ts';

/** An exported name and what it is: usable at run time, as a type, or both under one name. */
export interface PublicName {
  readonly name: string;
  readonly kind: 'value' | 'type' | 'value and type';
}

/** Every name an entry exports, types included, by the compiler's account. Sorted. */
export const publicNames = (entry: string): readonly PublicName[] => {
  const config = ts.getParsedCommandLineOfConfigFile(
    `${root}tsconfig.json`,
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
  );
  if (config === undefined) throw new Error('tsconfig.json can not be read');
  const program = ts.createProgram([entry], config.options);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry);
  if (source === undefined) throw new Error(`${entry} does not exist`);
  const module = checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${entry} exports nothing`);
  return checker
    .getExportsOfModule(module)
    .map((symbol): PublicName => {
      const { flags } = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      if (flags === ts.SymbolFlags.None || flags & ts.SymbolFlags.Alias)
        throw new Error(`${entry} exports ${symbol.name}, which does not exist`);
      const value = (flags & ts.SymbolFlags.Value) !== 0 && !isTypeOnly(symbol);
      const type = (flags & ts.SymbolFlags.Type) !== 0;
      return { name: symbol.name, kind: value ? (type ? 'value and type' : 'value') : 'type' };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
};

const isTypeOnly = (symbol: ts.Symbol): boolean =>
  symbol.declarations?.some((node) => ts.isExportSpecifier(node) && (node.isTypeOnly || node.parent.parent.isTypeOnly)) ?? false;
