/**
 * A field to paste the bridge's token into. The page is loaded anew with it: the shortest way to a clean start.
 */
import { useState } from 'preact/hooks';
import { keepToken } from '../model/token.ts';

export function TokenField() {
  const [token, setToken] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    if (token.trim() === '') return;
    keepToken(token.trim());
    location.reload();
  };
  return (
    <form class="token-field" onSubmit={submit}>
      <label>
        Token{' '}
        <input
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="plain">
        Connect
      </button>
    </form>
  );
}
