const own = document.querySelector('script[type=module][src*="/static/js/"]')?.src ?? '';
const base = own.includes('/static/js/') ? own.slice(0, own.indexOf('/static/js/') + 1) : '/';
const get = (root) => import(new URL('vendor/MODULE', new URL(root, location.origin)).href);
let code;
export default (given) => {
  let gone = false, clean;
  code ??= get(base).catch(() => get('/')); // the app's base path, or the root of the host
  code.then((module) => { if (!gone) clean = module.default(given); }, () => {
    code = undefined;
    const note = given.parentElement.querySelector('.not-loaded') ?? document.createElement('small');
    note.className = 'not-loaded';
    note.textContent = 'This part did not load. Nothing is lost: reload the page to try again.';
    given.parentElement.append(note);
  });
  return () => { gone = true; clean?.(); };
};
