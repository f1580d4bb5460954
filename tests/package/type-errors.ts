import path from 'node:path';
import ts from 'typescript';
import { root } from './process.ts';

/** What the compiler, set as in tsconfig.json, says about these files and all they import: `file:line message`. */
export const typeErrors = (files: readonly string[]): readonly string[] => {
  const config = ts.getParsedCommandLineOfConfigFile(
    path.join(root, 'tsconfig.json'),
    { typeRoots: [path.join(root, 'node_modules/@types')] },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
  );
  if (config === undefined) throw new Error('tsconfig.json can not be read');
  return ts.getPreEmitDiagnostics(ts.createProgram(files, config.options)).map(({ file, start, messageText }) => {
    const where = file === undefined ? '' : `${path.basename(file.fileName)}:${file.getLineAndCharacterOfPosition(start ?? 0).line + 1} `;
    return where + ts.flattenDiagnosticMessageText(messageText, ' ');
  });
};
