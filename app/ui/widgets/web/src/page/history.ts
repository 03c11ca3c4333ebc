// What a page writes into its address is where it stands, not somewhere it went: the back button goes from page to page.
// Python puts this into every page, as text.

interface Page {
  oneEntryAPage?: boolean;
}

const page: Page = window as Page;
if (!page.oneEntryAPage) {
  page.oneEntryAPage = true;
  const push = history.pushState.bind(history);
  history.pushState = (state: unknown, title, url) => {
    const stays = new URL(url ?? '', location.href).pathname === location.pathname;
    if (stays) history.replaceState(state, title, url);
    else push(state, title, url);
  };
}

export {};
