// What a page writes into its address is where it stands, not somewhere it went: the back button goes from page to page.
if (!window.oneEntryAPage) {
  window.oneEntryAPage = true;
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    const stays = new URL(url ?? '', location.href).pathname === location.pathname;
    return stays ? history.replaceState(state, title, url) : push(state, title, url);
  };
}
