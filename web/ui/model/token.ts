/**
 * The token: taken from the fragment of the address, stripped from it at once, and kept for this tab only, so that
 * it is never sent in a URL, bookmarked or seen over a shoulder.
 */

const KEY = 'haloscope.token';

/** Token in «#token=…», or null. */
export const tokenOfFragment = (hash: string): string | null => {
  const token = new URLSearchParams(hash.replace(/^#/, '')).get('token')?.trim();
  return token === undefined || token === '' ? null : token;
};

/** Takes a token out of the address bar, if there is one, and returns it or the one kept. */
export function takeToken(): string | null {
  const fresh = tokenOfFragment(location.hash);
  if (fresh !== null) {
    keepToken(fresh);
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  return fresh ?? keptToken();
}

/** Storage can be forbidden by the browser's settings; the token then lives as long as the page. */
export function keepToken(token: string): void {
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // Nothing to do: the caller has the token in hand.
  }
}

function keptToken(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}
