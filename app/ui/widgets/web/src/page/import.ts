// What Streamlit sends with every message of a component, as text: Python puts the module's name in place of MODULE.

import type { Given } from '../shared/dom.js';

interface Module {
  default: (given: Given<unknown>) => () => void;
}

const NAME = 'MODULE';
const OURS = '/static/js/'; // where Streamlit serves its own code, below the base path

const own = document.querySelector<HTMLScriptElement>(`script[type=module][src*="${OURS}"]`)?.src ?? '';
const base = own.includes(OURS) ? own.slice(0, own.indexOf(OURS) + 1) : '/';

const get = (root: string): Promise<Module> =>
  import(new URL(`vendor/${NAME}`, new URL(root, location.origin)).href) as Promise<Module>;

let code: Promise<Module> | undefined;

function failed({ parentElement }: Given<unknown>): void {
  code = undefined;
  const note = parentElement.querySelector('.not-loaded') ?? document.createElement('small');
  note.className = 'not-loaded';
  note.textContent = 'This part did not load. Nothing is lost: reload the page to try again.';
  parentElement.append(note);
}

export default function (given: Given<unknown>): () => void {
  let gone = false;
  let clean: (() => void) | undefined;
  code ??= get(base).catch(() => get('/')); // the app's base path, or the root of the host
  code.then(
    (module) => {
      if (!gone) clean = module.default(given);
    },
    () => failed(given),
  );
  return () => {
    gone = true;
    clean?.();
  };
}
