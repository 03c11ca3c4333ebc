// `node build.mjs` writes built/; `node build.mjs --check` proves that what is there is what the sources give.
//
// Each component is a module of its own; what they share (the feed, the store) is one module beside them, so that a page
// has it once. Names carry a hash of the content: they are served to be kept for ever.

import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

const HERE = import.meta.dirname;
const BUILT = join(HERE, 'built');
const COMPONENTS = {
  diagram: 'diagram',
  unrolled: 'unrolled',
  strip: 'strip',
  live_chart: 'chart',
  sheet: 'sheet',
  slider: 'slider',
  pad: 'pad',
  live_text: 'text',
};
// What Python puts into a page as text, and how that is built. Streamlit takes a text of one line for a
// file's name, so a comment makes two of it; a style sheet too.
const TEXTS = { import: { format: 'esm', banner: { js: '//' } }, history: { format: 'iife' } };

const options = {
  absWorkingDir: HERE,
  bundle: true,
  charset: 'utf8',
  format: 'esm',
  legalComments: 'none',
  logLevel: 'error',
  minify: true,
  target: 'es2022',
  write: false,
};

const bundled = async (entry, more = {}) => {
  const { outputFiles } = await build({ ...options, entryPoints: [entry], ...more });
  return outputFiles[0].text;
};

const named = (name, code) => `${name}-${createHash('sha256').update(code).digest('hex').slice(0, 12)}.js`;

// Every import of src/shared/index.ts, by the address that the built module has beside the component's.
const sharedAs = (file) => ({
  name: 'shared',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/shared\/index\.js$/ }, () => ({ path: `./${file}`, external: true })),
});

// All of built/, by file name.
async function made() {
  const files = {};
  const manifest = {};
  const add = (name, code) => {
    manifest[name] = named(name, code);
    files[manifest[name]] = code;
  };
  add('shared', await bundled('src/shared/index.ts'));
  for (const [name, folder] of Object.entries(COMPONENTS)) {
    add(name, await bundled(`src/${folder}/${folder}.ts`, { plugins: [sharedAs(manifest.shared)] }));
    files[`${name}.css`] = await bundled(`src/${folder}/${folder}.css`, { banner: { css: '/**/' } });
  }
  for (const [name, how] of Object.entries(TEXTS)) files[`${name}.js`] = await bundled(`src/page/${name}.ts`, how);
  files['manifest.json'] = `${JSON.stringify(manifest, null, 2)}\n`;
  return files;
}

async function present() {
  const names = await readdir(BUILT).catch(() => []);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(BUILT, name), 'utf8')])),
  );
}

const [files, before] = [await made(), await present()];
const names = [...new Set([...Object.keys(files), ...Object.keys(before)])];
const stale = names.filter((name) => files[name] !== before[name]);
if (process.argv.includes('--check')) {
  if (stale.length) {
    console.error(
      `${basename(BUILT)}/ is not what the sources give (${stale.sort().join(', ')}): run \`make web\` and commit it.`,
    );
    process.exitCode = 1;
  }
} else {
  await rm(BUILT, { recursive: true, force: true });
  await mkdir(BUILT);
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(BUILT, name), text)));
}
