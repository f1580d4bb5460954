import { registerHooks } from 'node:module';

/** Has a module of the library loaded with these pieces of it replaced. What isn't there any more ends the process: nothing would be broken. */
export const rewrite = (file: string, pieces: Readonly<Record<string, string>>): void => {
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.endsWith(file)) return loaded;
      let source = String(loaded.source);
      for (const [piece, instead] of Object.entries(pieces)) {
        if (!source.includes(piece)) throw new Error(`expected ${file} to have ${piece}`);
        source = source.replace(piece, () => instead);
      }
      return { ...loaded, source };
    },
  });
};
