/** A fenced block of a Markdown text. */
export interface Block {
  /** The whole info string, such as `ts run`. */
  readonly info: string;
  readonly line: number;
  readonly text: string;
  /** Declarations a fragment takes for granted: the text of the `<!-- given … -->` comment before the fence. */
  readonly given: string;
}

/** All fenced blocks, in order. `<!-- given … -->` belongs to the next block and is not seen by the reader. */
export const blocksOf = (markdown: string): readonly Block[] => {
  const blocks: Block[] = [];
  const lines = markdown.replaceAll('\r\n', '\n').split('\n');
  let given = '';
  for (let at = 0; at < lines.length; at++) {
    const start = at;
    const line = lines[at] ?? '';
    if (line.trim() === '<!-- given') {
      while (++at < lines.length && lines[at]?.trim() !== '-->');
      given = lines.slice(start + 1, at).join('\n');
    }
    const fence = /^\s*(`{3,}|~{3,})\s*(.*)$/.exec(line);
    if (fence === null) continue;
    while (++at < lines.length && lines[at]?.trim() !== fence[1]);
    blocks.push({ info: (fence[2] ?? '').trim(), line: start + 1, text: lines.slice(start + 1, at).join('\n'), given });
    given = '';
  }
  return blocks;
};

/** `ts` blocks are type-checked; those whose info string is `ts run` are complete programs and are run. Parts of a file are neither. */
export const isTypeScript = (block: Block): boolean => /^(ts|typescript)\b/.test(block.info) && shownFile(block) === undefined;
export const isProgram = (block: Block): boolean => isTypeScript(block) && /\srun\b/.test(block.info);

/** The file beside the text of which a block such as `ts of saga.ts` shows a part; undefined for a block of its own. */
export const shownFile = ({ info }: Block): string | undefined => /^\w+ of (\S+)$/.exec(info)?.[1];

const isShell = ({ info }: Block): boolean => /^(sh|bash|shell|console|powershell)\b/.test(info);

const builtIn = new Set(['ci', 'install', 'i', 'add', 'rebuild', 'init', 'pkg', 'publish', 'pack', 'audit', 'view']);

/** The npm scripts and files a README's shell blocks tell the reader to run. */
export const commandsOf = (blocks: readonly Block[]): { readonly scripts: readonly string[]; readonly files: readonly string[] } => {
  const scripts: string[] = [];
  const files: string[] = [];
  for (const command of blocks.filter(isShell).flatMap(({ text }) => text.split(/\n|&&|\|\||;|(?<!\|)\|(?!\|)/))) {
    const words = command
      .replace(/#.*$/, '')
      .replace(/^\s*\$\s/, '')
      .split(/\s+/);
    const [program, first, second] = words.filter((word) => !/^(-.*|[A-Z_][A-Z0-9_]*=.*|)$/.test(word));
    if (program === 'npm' && first === 'run') scripts.push(second ?? '');
    else if (program === 'npm' && first !== undefined && !builtIn.has(first)) scripts.push(first);
    if (program === 'node' && first !== undefined) files.push(first);
  }
  return { scripts: [...new Set(scripts)], files: [...new Set(files)] };
};
